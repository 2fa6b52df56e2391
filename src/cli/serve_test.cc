#include "cli/serve.h"

#include <gtest/gtest.h>

#include <source_location>

namespace meterline::cli {
namespace {

/// Each case: what --listen is given, then the address in a URL and whether it is loopback.
void check(std::string_view text, std::string_view want,
           std::source_location at = std::source_location::current()) {
  const testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  const auto listen = parse_listen(text);
  if (!listen)
    EXPECT_EQ("refused", want) << listen.error().message;
  else
    EXPECT_EQ(listen->text() + (listen->is_loopback() ? " loopback" : " open"), want);
}

TEST(Listen, TakesAnAddressAndAPort) {
  check("127.0.0.1:8080", "127.0.0.1:8080 loopback");
  check("127.9.9.9:0", "127.9.9.9:0 loopback");
  check("localhost:80", "127.0.0.1:80 loopback");
  check("[::1]:8080", "[::1]:8080 loopback");
  check("0.0.0.0:8080", "0.0.0.0:8080 open");
  check("192.0.2.7:65535", "192.0.2.7:65535 open");
  check("[::]:8080", "[::]:8080 open");
}

TEST(Listen, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
        "127.0.0.1:-1", "::1:8080", "[::1:8080", "[]:8080", "meters.example:8080", "127.0.0.1:80 "})
    check(text, "refused");
}

}  // namespace
}  // namespace meterline::cli
