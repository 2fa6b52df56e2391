#include "lambda/function_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "api/problem.h"
#include "core/json.h"
#include "store/memory/memory_store.h"

namespace meterline::lambda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string golden(const std::string& name) {
  std::ifstream file("tests/data/events/" + name + ".json");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

/// An event with these members beside what every one has.
std::string event(const std::string& method, const std::string& path, const std::string& query,
                  const std::string& more = "") {
  return R"({"version":"2.0","rawPath":")" + path + R"(","rawQueryString":")" + query +
         R"(","requestContext":{"http":{"method":")" + method + R"("}})" + more + "}";
}

std::string bytes_of(const api::Request& request) {
  auto source = request.body();
  std::string text(100, '\0');
  text.resize(*(*source)->read(text));
  return text;
}

TEST(FunctionUrl, ReadsARequest) {
  const auto request = request_of(golden("function_url_get"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->target.text(), "/v1/meters/A%3A1/consumption?from=2019-01-01&to=2019-01-31");
  EXPECT_EQ(request->headers.at("accept"), "text/csv");
  EXPECT_EQ(request->headers.at("cookie"), "a=1; b=2");
  EXPECT_FALSE(request->body);
}

TEST(FunctionUrl, ReadsABodyPlainOrAsBase64) {
  auto request = request_of(event("POST", "/v1/deliveries", "", R"(,"body":"Meter,D\u00e4te")"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body_bytes, 11U);
  EXPECT_EQ(bytes_of(*request), "Meter,D\u00e4te");
  EXPECT_EQ(bytes_of(*request), "Meter,D\u00e4te");  // Anew from the start.
  for (const auto& [text, bytes] : std::map<std::string, std::string>{
           {"AAEC", std::string("\0\1\2", 3)}, {"/w==", "\xff"}, {"aGk=", "hi"}}) {
    request = request_of(
        event("POST", "/v1/deliveries", "", R"(,"isBase64Encoded":true,"body":")" + text + '"'));
    ASSERT_TRUE(request);
    EXPECT_EQ(bytes_of(*request), bytes);
  }
  for (const char* text : {"A", "AA", "AA*=", "AAECA"})
    EXPECT_FALSE(request_of(
        event("POST", "/", "", std::string(R"(,"isBase64Encoded":true,"body":")") + text + '"')))
        << text;
}

TEST(FunctionUrl, RefusesOtherEvents) {
  for (const char* text : {"", "{}", "[]", R"({"version":"1.0","httpMethod":"GET","path":"/"})",
                           R"({"version":"2.0"})", R"({"version":"2.0","requestContext":{}})"})
    EXPECT_FALSE(request_of(text)) << text;
}

TEST(FunctionUrl, APathThatWasDecodedKeepsItsQuestionMark) {
  EXPECT_EQ(request_of(event("GET", "/v1/meters/A?b#c", "x=1"))->target.text(),
            "/v1/meters/A%3Fb%23c?x=1");
}

TEST(FunctionUrl, WritesAnAnswer) {
  api::Response response{.body = "{\"a\":\"\u00e9\"}\n", .headers = {{"ETag", "\"1\""}}};
  EXPECT_EQ(payload_of(response, {.method = "GET"}),
            R"({"statusCode":200,"headers":{"content-type":"application/json",)"
            R"("x-content-type-options":"nosniff",)"
            R"("content-security-policy":"default-src 'none'; frame-ancestors 'none'; sandbox",)"
            R"("cross-origin-resource-policy":"same-origin","referrer-policy":"no-referrer",)"
            R"("etag":"\"1\""},)"
            R"("body":"{\"a\":\")"
            "\u00e9"
            R"(\"}\n","isBase64Encoded":false})");
  EXPECT_THAT(
      payload_of(response, {.method = "HEAD"}),
      AllOf(HasSubstr(R"("content-length":"11",)"), HasSubstr(R"("etag":"\"1\""},"body":"",)")));
  response.body = "\xff\xfe";
  EXPECT_THAT(payload_of(response, {.method = "GET"}),
              HasSubstr(R"("body":"//4=","isBase64Encoded":true})"));
}

TEST(FunctionUrl, PacksAnAnswerForWhoTakesIt) {
  const api::Response response{.body = std::string(5000, 'a')};
  const auto payload =
      payload_of(response, {.method = "GET", .headers = {{"accept-encoding", "gzip"}}});
  EXPECT_THAT(payload, HasSubstr(R"("content-encoding":"gzip")"));
  EXPECT_THAT(payload, HasSubstr(R"("body":"H4sI)"));
  EXPECT_LT(payload.size(), 1000U);
}

/// A function over a handler, and what it logs.
struct Function {
  Function(std::function<api::Response(const api::Request&)> handler, Uploads uploads)
      : url({.handler = std::move(handler),
             .log = log,
             .metrics = metrics,
             .limit_store = [this](auto limit) { store_limits.push_back(limit); }},
            uploads) {}

  std::string handle(const std::string& payload) {
    const auto deadline = std::chrono::system_clock::now() + time;
    auto answer = url.handle({.request_id = "r-1",
                              .deadline = {std::chrono::duration_cast<std::chrono::microseconds>(
                                               deadline.time_since_epoch())
                                               .count()},
                              .payload = payload});
    return answer ? *answer : answer.error().type + ": " + answer.error().message;
  }

  std::chrono::milliseconds time{60'000};  ///< That Lambda gives each call.
  std::vector<std::chrono::milliseconds> store_limits;
  std::string log_text;
  telemetry::Log log{telemetry::LogFormat::json,
                     [this](std::string_view line) { log_text += line; }, [] { return Instant{}; }};
  telemetry::EmbeddedMetrics metrics{log, "api"};
  FunctionUrl url;
};

TEST(FunctionUrl, TheStoreHasLessTimeThanTheFunction) {
  Function function([](const auto&) { return api::Response{}; }, Uploads::off);
  function.time = std::chrono::milliseconds(30'000);
  function.handle(event("GET", "/", ""));
  function.time = std::chrono::milliseconds(5000);
  function.handle(event("GET", "/", ""));
  ASSERT_EQ(function.store_limits.size(), 2U);
  EXPECT_LE(function.store_limits[0], std::chrono::milliseconds(28'000));
  EXPECT_GE(function.store_limits[0], std::chrono::milliseconds(1));
  EXPECT_LE(function.store_limits[1], std::chrono::milliseconds(4000)) << "a fifth is left";
}

TEST(FunctionUrl, AStoreThatFailedInTimeTellsItsReason) {
  Function function(
      [](const auto&) { return api::problem(503, "reading by select_days: no answer"); },
      Uploads::off);
  EXPECT_THAT(function.handle(event("GET", "/", "")),
              AllOf(StartsWith(R"({"statusCode":503)"), HasSubstr("select_days: no answer")));
}

TEST(FunctionUrl, LongWorkEndsBeforeTheFunctionIsKilled) {
  Function function(
      [](const api::Request& request) {
        request.stop->wait(false);
        return api::problem(503, "stopped on request");
      },
      Uploads::off);
  function.time = std::chrono::milliseconds(250);
  EXPECT_THAT(function.handle(event("GET", "/v1/portfolio", "")),
              AllOf(StartsWith(R"({"statusCode":503)"),
                    HasSubstr("no answer within the time that this function may run")));
}

TEST(FunctionUrl, AnswersAndTellsTheLog) {
  const auto store = store::make_memory_store();
  const api::Context context{.store = *store, .now = [] { return Instant{}; }};
  Function function([&](const auto& request) { return api::handle(request, context); },
                    Uploads::off);
  EXPECT_THAT(function.handle(event("GET", "/", "meterId=EE00027&date=01-01-2019")),
              HasSubstr(R"("body":"{\"meterId\":\"EE00027\",\"date\":\"01-01-2019\",\"sum\":0}")"));
  EXPECT_THAT(function.log_text, HasSubstr(R"("message":"request","requestId":"r-1",)"
                                           R"("method":"GET","route":"legacy","status":200)"));
  EXPECT_THAT(function.log_text, HasSubstr(R"("Requests":1,"RequestErrors":0)"));
  EXPECT_THAT(function.handle(event("GET", "/healthz", "")), StartsWith(R"({"statusCode":200)"));
  EXPECT_THAT(function.handle("{}"), StartsWith("Meterline.BadEvent: wanted an event"));
}

TEST(FunctionUrl, TakesUploadsOnlyWhereTheyAreOn) {
  const auto store = store::make_memory_store();
  const api::Context context{.store = *store, .now = [] { return Instant{}; }};
  const auto handler = [&](const auto& request) { return api::handle(request, context); };
  std::string file = "Meter,Date";
  for (int hour = 0; hour < 24; ++hour) file += ',' + std::to_string(hour) + ":00";
  file += R"(\nA,2019-01-01,1)" + std::string(23, ',') + R"(\n)";
  const auto upload = event("POST", "/v1/deliveries", "unit=kWh", R"(,"body":")" + file + '"');
  EXPECT_THAT(Function(handler, Uploads::off).handle(upload), HasSubstr("METERLINE_UPLOADS=on"));
  EXPECT_THAT(Function(handler, Uploads::on).handle(upload), StartsWith(R"({"statusCode":201)"));
  for (const char* method : {"POST", "DELETE"})
    EXPECT_THAT(
        Function(handler, Uploads::off).handle(event(method, "/v1/deliveries/x/withdraw", "")),
        HasSubstr("`meterline withdraw` does so"));
  EXPECT_THAT(Function(handler, Uploads::off).handle(event("POST", "/", "")),
              StartsWith(R"({"statusCode":405)"));
}

/// `limit` lines of `line_bytes` that cannot be packed well.
api::Response lines(std::size_t limit, std::size_t line_bytes) {
  std::minstd_rand random(7);
  std::string body;
  for (std::size_t i = 0; i < limit * line_bytes; ++i)
    body += static_cast<char>('0' + random() % 64);
  return {.body = std::move(body)};
}

TEST(FunctionUrl, AnswersALargeListWithASmallerPage) {
  std::vector<std::string> targets;
  Function function(
      [&](const api::Request& request) {
        targets.push_back(request.target.text());
        const auto at = request.target.text().find("limit=");
        const auto limit = std::stoul(request.target.text().substr(at + 6));
        return lines(limit, 8'000);
      },
      Uploads::off);
  EXPECT_THAT(function.handle(event("GET", "/v1/deliveries", "limit=1000&source=s")),
              StartsWith(R"({"statusCode":200)"));
  EXPECT_THAT(targets, ::testing::ElementsAre("/v1/deliveries?limit=1000&source=s",
                                              "/v1/deliveries?limit=500&source=s"));
}

TEST(FunctionUrl, RefusesAnAnswerThatStaysTooLarge) {
  Function function([&](const api::Request&) { return lines(1000, 8'000); }, Uploads::off);
  const auto target = [](const std::string& more) {
    return event("GET", "/v1/meters/A/consumption", "from=2019-01-01", more);
  };
  const auto refused = function.handle(target(""));
  EXPECT_THAT(refused, StartsWith(R"({"statusCode":413)"));
  EXPECT_THAT(refused, HasSubstr("Accept-Encoding: gzip"));
  EXPECT_LT(refused.size(), 1000U);
  const auto packed = function.handle(target(R"(,"headers":{"accept-encoding":"gzip"})"));
  EXPECT_THAT(packed, StartsWith(R"({"statusCode":413)"));
  EXPECT_THAT(packed, ::testing::Not(HasSubstr("Accept-Encoding: gzip")));
}

TEST(FunctionUrl, SendsALargeAnswerToWhoTakesItPacked) {
  Function function(
      [&](const api::Request&) { return api::Response{.body = std::string(9 << 20, 'a')}; },
      Uploads::off);
  EXPECT_THAT(function.handle(event("GET", "/v1/portfolio", "")),
              StartsWith(R"({"statusCode":413)"));
  EXPECT_THAT(function.handle(
                  event("GET", "/v1/portfolio", "", R"(,"headers":{"accept-encoding":"gzip"})")),
              StartsWith(R"({"statusCode":200)"));
}

TEST(FunctionUrl, SendsWhatIsMadeInPartsAsOne) {
  const auto answer_of = [](std::size_t bytes, const Result<void>& end) {
    Function function(
        [&](const api::Request&) {
          api::Response response{.content_type = "text/csv", .body = {}};
          response.stream = [&](const api::BodySink& sink) -> Result<void> {
            const std::string piece(std::min<std::size_t>(bytes, 100'000), 'x');
            for (std::size_t sent = 0; sent < bytes; sent += piece.size())
              if (auto taken = sink(piece); !taken) return taken;
            return end;
          };
          return response;
        },
        Uploads::off);
    return function.handle(event("GET", "/v1/export", "table=days"));
  };
  EXPECT_THAT(answer_of(5, {}),
              ::testing::AllOf(StartsWith(R"({"statusCode":200)"), HasSubstr(R"("body":"xxxxx")")));
  EXPECT_THAT(answer_of(std::size_t{33} << 20, {}), StartsWith(R"({"statusCode":413)"));
  EXPECT_THAT(answer_of(5, fail(Errc::unavailable, "no node answers")),
              ::testing::AllOf(StartsWith(R"({"statusCode":503)"), HasSubstr("no node answers")));
}

}  // namespace
}  // namespace meterline::lambda
