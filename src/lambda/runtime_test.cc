// What AWS's own emulator cannot be made to say: malformed headers, errors, closed connections.
// tests/ run the functions under the emulator.
#include "lambda/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdlib>
#include <thread>

namespace meterline::lambda {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using testing::ElementsAre;
using testing::HasSubstr;

/// What the API answers to one request.
struct Answer {
  unsigned status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
};

Answer invocation(std::map<std::string, std::string> changes = {}) {
  std::map<std::string, std::string> headers = {
      {"Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"},
      {"Lambda-Runtime-Deadline-Ms", "1770091506000"},
      {"Lambda-Runtime-Invoked-Function-Arn",
       "arn:aws:lambda:eu-central-1:111122223333:function:f"},
      {"Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"}};
  for (auto& [name, value] : changes) headers[name] = value;
  return {.headers = headers, .body = R"({"a":1})"};
}

constexpr const char* close_now = "close";

/// Answers requests in turn from a script and then closes; notes what was asked.
class ScriptedApi {
 public:
  explicit ScriptedApi(std::vector<Answer> answers)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
        address_("127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port())),
        answers_(std::move(answers)),
        thread_([this] { run(); }) {}
  ~ScriptedApi() { thread_.join(); }

  const std::string& address() const { return address_; }
  /// After the script is over.
  std::vector<std::string> asked() {
    thread_.join();
    thread_ = std::thread([] {});
    return asked_;
  }

 private:
  void run() {
    while (next_ < answers_.size()) {
      asio::ip::tcp::socket socket(io_);
      acceptor_.accept(socket);
      beast::flat_buffer buffer;
      while (next_ < answers_.size() && answer(socket, buffer)) {
      }
    }
    acceptor_.close();
  }

  bool answer(asio::ip::tcp::socket& socket, beast::flat_buffer& buffer) {
    beast::http::request<beast::http::string_body> request;
    boost::system::error_code error;
    beast::http::read(socket, buffer, request, error);
    if (error) return false;
    const Answer& next = answers_[next_++];
    asked_.push_back(std::string(request.method_string()) + ' ' + std::string(request.target()) +
                     (request.body().empty() ? "" : " " + request.body()));
    if (next.body == close_now) return false;
    beast::http::response<beast::http::string_body> response;
    response.result(next.status);
    for (const auto& [name, value] : next.headers) response.set(name, value);
    response.body() = next.body;
    response.prepare_payload();
    beast::http::write(socket, response, error);
    return !error;
  }

  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  const std::string address_;
  const std::vector<Answer> answers_;
  std::size_t next_ = 0;
  std::vector<std::string> asked_;
  std::thread thread_;
};

constexpr const char* next_asked = "GET /2018-06-01/runtime/invocation/next";
constexpr const char* invocation_path =
    "POST /2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/";

TEST(Runtime, HandsInvocationsOnAndTheirAnswersBack) {
  ScriptedApi api({invocation(), {.status = 202}, invocation(), {.status = 202}, {.status = 500}});
  Runtime runtime(api.address());
  std::vector<Invocation> seen;
  std::string trace;
  const auto error =
      runtime.serve([&](const auto& event) -> tl::expected<std::string, InvocationError> {
        seen.push_back(event);
        trace = std::getenv("_X_AMZN_TRACE_ID");
        if (seen.size() == 1) return R"({"b":2})";
        return tl::unexpected(
            InvocationError{.type = "Meterline.Retry", .message = "the \"store\""});
      });
  EXPECT_EQ(error.message, "the Lambda Runtime API answered 500 to next");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].deadline.text(), "2026-02-03T04:05:06Z");
  EXPECT_EQ(seen[0].payload, R"({"a":1})");
  EXPECT_EQ(seen[0].function, "arn:aws:lambda:eu-central-1:111122223333:function:f");
  EXPECT_EQ(trace, "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
  EXPECT_THAT(
      api.asked(),
      ElementsAre(next_asked, std::string(invocation_path) + R"(response {"b":2})", next_asked,
                  std::string(invocation_path) + R"(error {"errorMessage":"the \"store\"",)"
                                                 R"("errorType":"Meterline.Retry"})",
                  next_asked));
}

InvocationHandler never() {
  return [](const auto&) -> tl::expected<std::string, InvocationError> {
    ADD_FAILURE() << "invoked";
    return "";
  };
}

TEST(Runtime, EndsAtAMalformedHeader) {
  const std::vector<std::pair<std::string, std::string>> malformed = {
      {"Lambda-Runtime-Deadline-Ms", "soon"},
      {"Lambda-Runtime-Deadline-Ms", ""},
      {"Lambda-Runtime-Deadline-Ms", "-5"},
      {"Lambda-Runtime-Deadline-Ms", "99999999999999999999"},
      {"Lambda-Runtime-Aws-Request-Id", ""},
      {"Lambda-Runtime-Aws-Request-Id", "../../init/error"},
      {"Lambda-Runtime-Aws-Request-Id", std::string(200, 'a')}};
  for (const auto& header : malformed) {
    ScriptedApi api({invocation({header})});
    Runtime runtime(api.address());
    const auto error = runtime.serve(never());
    EXPECT_EQ(error.code, Errc::corrupt);
    EXPECT_THAT(error.message, HasSubstr(header.first));
  }
}

TEST(Runtime, EndsWhenTheApiIsGone) {
  std::string address;
  {
    ScriptedApi api(std::vector<Answer>{});
    address = api.address();
  }
  Runtime runtime(address);
  const auto error = runtime.serve(never());
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_THAT(error.message, HasSubstr("the Lambda Runtime API at 127.0.0.1:"));
  EXPECT_FALSE(Runtime("").fail_init({.type = "t", .message = "m"}));
  EXPECT_FALSE(Runtime("127.0.0.1").fail_init({.type = "t", .message = "m"}));
}

TEST(Runtime, AsksAgainOnAConnectionThatWasClosed) {
  ScriptedApi api(
      {{.body = close_now}, invocation(), {.body = close_now}, {.status = 202}, {.status = 500}});
  Runtime runtime(api.address());
  EXPECT_EQ(runtime.serve([](const auto&) { return "{}"; }).code, Errc::unavailable);
  const auto answered = std::string(invocation_path) + "response {}";
  EXPECT_THAT(api.asked(), ElementsAre(next_asked, next_asked, answered, answered, next_asked));
}

TEST(Runtime, FailsAnInvocationWhoseAnswerIsNotTaken) {
  ScriptedApi api({invocation(),
                   {.status = 413},
                   {.status = 202},
                   invocation(),
                   {.status = 202},
                   {.status = 500}});
  Runtime runtime(api.address());
  std::size_t bytes = 10;
  runtime.serve(
      [&](const auto&) { return std::string(std::exchange(bytes, answer_bytes_max + 1), 'a'); });
  const auto asked = api.asked();
  EXPECT_THAT(asked.at(2),
              HasSubstr(R"(error {"errorMessage":"Lambda answered 413 to the answer")"));
  EXPECT_THAT(asked.at(4), HasSubstr("the answer has 6291457 bytes, at most 6291456 can be sent"));
}

TEST(Runtime, TellsThatItCannotBegin) {
  ScriptedApi api(std::vector<Answer>{{.status = 202}});
  Runtime runtime(api.address());
  EXPECT_TRUE(runtime.fail_init({.type = "Meterline.InitFailed", .message = "no store\n"}));
  EXPECT_THAT(api.asked(), ElementsAre(R"(POST /2018-06-01/runtime/init/error {"errorMessage":)"
                                       R"("no store\n","errorType":"Meterline.InitFailed"})"));
}

}  // namespace
}  // namespace meterline::lambda
