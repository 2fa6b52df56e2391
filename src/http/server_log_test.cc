#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "http/server.h"
#include "telemetry/log.h"
#include "testing/http_client.h"

namespace meterline::http {
namespace {

using meterline::testing::Client;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A server that ends each connection after one answer, and what it logs until it ends, at a fixed
/// time.
class LoggingServer {
 public:
  explicit LoggingServer(Handler handler, LoggedTarget logged_target = LoggedTarget::route,
                         std::size_t connections_max = 100) {
    ServerOptions options;
    options.connections_max = connections_max;
    options.port = 0;
    options.threads = 1;
    options.log = &log_;
    options.logged_target = logged_target;
    auto server = start(std::move(options), std::move(handler));
    if (!server) throw std::runtime_error(server.error().message);
    server_ = *std::move(server);
  }

  std::string ask(std::string_view target) {
    return say(
        fmt::format("GET {} HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n"
                    "Connection: close\r\n\r\n",
                    target));
  }
  std::uint16_t port() const { return server_->port(); }
  std::string say(std::string_view text) { return Client(server_->port()).say(text).rest(); }

  std::string end() {
    server_.reset();
    return text_;
  }

 private:
  std::string text_;
  telemetry::Log log_{telemetry::LogFormat::text, [this](std::string_view line) { text_ += line; },
                      [] { return *Instant::parse("2026-02-03T04:05:06Z"); }};
  std::unique_ptr<Server> server_;
};

/// What is logged of an answer, but for how long it took.
std::string logged_of(std::string_view target, LoggedTarget logged_target, int status = 200) {
  LoggingServer server(
      [&](const api::Request&) {
        return api::Response{.status = status, .content_type = "text/plain", .body = "four"};
      },
      logged_target);
  server.ask(target);
  const std::string text = server.end();
  return text.substr(0, text.find(" durationUs="));
}

TEST(ServerLog, HasEachAnswerWithoutWhatItsTargetNames) {
  constexpr auto target = "/v1/meters/M%201/consumption?from=2019-01-01";
  EXPECT_EQ(logged_of(target, LoggedTarget::route),
            "2026-02-03T04:05:06Z info answered requestId=\"mine-1\" client=\"127.0.0.1\" "
            "method=\"GET\" route=\"consumption\" status=200 bytes=4");
  EXPECT_THAT(logged_of(target, LoggedTarget::whole),
              HasSubstr(" route=\"consumption\" "
                        "target=\"/v1/meters/M%201/consumption?from=2019-01-01\" status=200 "));
  EXPECT_THAT(logged_of(target, LoggedTarget::route, 503),
              HasSubstr(" warning answered requestId=\"mine-1\" "));
}

TEST(ServerLog, HasProbesOnlyWhenTheyFail) {
  for (const auto* const probe : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_THAT(logged_of(probe, LoggedTarget::route), IsEmpty());
    EXPECT_THAT(logged_of(probe, LoggedTarget::route, 503), HasSubstr(" status=503 "));
  }
}

TEST(ServerLog, HasWhatCannotBeReadAndWhatFails) {
  LoggingServer server(
      [](const api::Request&) -> api::Response { throw std::runtime_error("the disk is gone"); });
  EXPECT_THAT(server.ask("/a"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(server.say("no HTTP\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  const std::string text = server.end();
  EXPECT_THAT(text, HasSubstr("error a request failed requestId=\"mine-1\" "
                              "reason=\"the disk is gone\"\n"));
  EXPECT_THAT(text, HasSubstr("warning a request cannot be read client=\"127.0.0.1\" "
                              "status=400 reason=\"this is not a request of HTTP/1.1: "));
}

TEST(ServerLog, HasRefusedConnectionsOnceInAWhile) {
  LoggingServer server([](const api::Request&) { return api::Response{}; }, LoggedTarget::route, 0);
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(Client(server.port()).rest(), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(server.end(),
            "2026-02-03T04:05:06Z warning connections refused: as many are open as may be open=0 "
            "refused=1\n");
}

}  // namespace
}  // namespace meterline::http
