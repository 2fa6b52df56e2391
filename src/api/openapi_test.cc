#include "api/openapi.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <set>

#include "api/api.h"
#include "api/problem.h"
#include "core/json.h"
#include "store/memory/memory_store.h"

namespace meterline::api {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;
using Names = std::set<std::string>;

constexpr std::string_view advice =
    "\nsrc/api/openapi.json describes every route and parameter. Add to it what is new: the path "
    "with its parameters, their `schema` (type, enum or pattern, default), and the schema of the "
    "answer, as for the routes beside it; and take out what is gone. tests/test_openapi.py asks "
    "each route once.";

/// These take whatever stands behind the `?`: pages, and the first customer's contract.
const Names unchecked = {"/", "/ui", "/ui/{}", "/docs", "/docs/{}"};
/// Answered around the API, by `http/metrics`.
const Names elsewhere = {"/metrics"};

const json::object& document() {
  static const json::value value = *parse_json(openapi_text(), openapi_text().size());
  return value.as_object();
}

/// What a `$ref` of this document leads to; anything else is itself.
const json::object& resolved(const json::value& value) {
  const auto* const reference = value.as_object().if_contains("$ref");
  if (reference == nullptr) return value.as_object();
  const std::string pointer(std::string_view(reference->as_string()).substr(1));
  static const json::value whole = document();
  return whole.at_pointer(pointer).as_object();
}

/// `/v1/meters/{meter}` as routes write it: `/v1/meters/{}`.
std::string pattern_of(std::string_view path) {
  std::string pattern;
  bool is_named = false;
  for (const char c : path) {
    if (c == '}') is_named = false;
    if (!is_named) pattern += c;
    if (c == '{') is_named = true;
  }
  return pattern;
}

Names parameters_of(const json::object& item, const json::object& operation,
                    std::string_view where) {
  Names names;
  for (const auto* const of : {&item, &operation})
    if (const auto* const list = of->if_contains("parameters"))
      for (const auto& parameter : list->as_array()) {
        const auto& object = resolved(parameter);
        if (object.at("in").as_string() == where) names.emplace(object.at("name").as_string());
      }
  return names;
}

/// Every operation of the document, by `GET /v1/meters/{}`.
struct Operation {
  Names query;
  std::size_t in_path = 0;
};
std::map<std::string, Operation> operations() {
  std::map<std::string, Operation> all;
  for (const auto& [path, item] : document().at("paths").as_object())
    for (const auto& [method, operation] : item.as_object()) {
      if (!operation.is_object()) continue;  // `parameters` of all methods.
      std::string name(method);
      std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c - 'a' + 'A'; });
      all[name + ' ' + pattern_of(path)] = {
          .query = parameters_of(item.as_object(), operation.as_object(), "query"),
          .in_path = parameters_of(item.as_object(), operation.as_object(), "path").size()};
    }
  return all;
}

Response ask(std::string_view method, std::string target) {
  const auto store = store::make_memory_store();
  const Context context{
      .store = *store, .ingest = {}, .now = [] { return Instant{}; }, .on_upload = {}};
  return handle({.method = std::string(method),
                 .target = std::move(target),
                 .headers = {},
                 .body = {},
                 .body_bytes = 0},
                context);
}

/// The parameters that a route takes, as it says itself when it is sent another one.
Names taken_by(std::string_view method, std::string_view pattern) {
  std::string path(pattern);
  constexpr std::string_view both = "00112233445566778899aabbccddeeff";  // A meter or a delivery.
  for (auto at = path.find("{}"); at != std::string::npos; at = path.find("{}"))
    path.replace(at, 2, both);
  const std::string body = ask(method, path + "?no-such-parameter=1").body;
  EXPECT_THAT(body, HasSubstr("unknown parameter"))
      << method << ' ' << pattern << ": the first thing that a route does is to call allow_only()";
  constexpr std::string_view before = "known are ";
  Names names;
  const auto at = body.find(before);
  if (at == std::string::npos) return names;
  std::string_view rest = std::string_view(body).substr(at + before.size());
  rest = rest.substr(0, rest.find('"'));
  while (!rest.empty()) {
    const auto name = rest.substr(0, rest.find(", "));
    names.emplace(name);
    rest.remove_prefix(std::min(rest.size(), name.size() + 2));
  }
  return names;
}

TEST(OpenApi, DescribesEveryRouteAndNoOther) {
  Names routes;
  for (const auto& path : elsewhere) routes.insert("GET " + path);
  for (const auto& route : all_routes())
    for (const std::string_view method : {"GET", "POST", "DELETE"})
      if (route.methods.find(method) != std::string::npos)
        routes.insert(fmt::format("{} {}", method, route.pattern));
  Names described;
  for (const auto& [name, operation] : operations()) described.insert(name);
  EXPECT_EQ(described, routes) << advice;
}

TEST(OpenApi, DescribesEveryParameterAndNoOther) {
  for (const auto& [name, operation] : operations()) {
    const auto method = std::string_view(name).substr(0, name.find(' '));
    const auto pattern = std::string_view(name).substr(method.size() + 1);
    const auto segments = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '{'));
    EXPECT_EQ(operation.in_path, segments) << name << advice;
    const std::string text(pattern);
    if (unchecked.contains(text) || elsewhere.contains(text)) continue;
    EXPECT_EQ(operation.query, taken_by(method, pattern)) << name << advice;
  }
}

TEST(OpenApi, ReferencesLeadSomewhereAndEveryPartIsUsed) {
  const std::string text(openapi_text());
  for (const auto& [kind, parts] : document().at("components").as_object())
    for (const auto& [name, part] : parts.as_object()) {
      if (kind == "securitySchemes") continue;
      const auto reference =
          fmt::format("#/components/{}/{}\"", std::string_view(kind), std::string_view(name));
      EXPECT_THAT(text, HasSubstr(reference)) << "nothing refers to it";
    }
}

TEST(OpenApi, TellsOfSecurityWhereThereIsALogin) {
  const auto store = store::make_memory_store();
  const Door closed{.admit = [](std::string_view, Instant) -> access::Admission {
    return tl::unexpected(access::Denial{.detail = "no"});
  }};
  Context context{.store = *store, .ingest = {}, .now = [] { return Instant{}; }, .on_upload = {}};
  const Request request{.method = "GET", .target = std::string("/openapi.json")};
  const Response open = handle(request, context);
  EXPECT_EQ(open.status, 200);
  EXPECT_EQ(open.content_type, "application/json");
  EXPECT_THAT(open.body, Not(HasSubstr("\"security")));
  context.door = &closed;
  const Response guarded = handle(request, context);
  EXPECT_EQ(guarded.status, 200) << "anybody may read it";
  EXPECT_THAT(guarded.body, HasSubstr(R"("security":[{"bearer":[]}])"));
  EXPECT_THAT(guarded.body, HasSubstr("securitySchemes"));
}

TEST(Problems, SayWhenTryingAgainHelps) {
  const auto store = store::make_memory_store();
  const Context context{
      .store = *store, .ingest = {}, .now = [] { return Instant{}; }, .on_upload = {}};
  const std::string target = "/v1/deliveries/00112233445566778899aabbccddeeff/withdraw";
  Request request{.method = "POST", .target = target, .body_bytes = 10};
  request.body = []() -> Result<std::unique_ptr<source::ByteSource>> {
    return fail(Errc::unavailable, "the disk is away");
  };
  const Response response = handle(request, context);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.at("Retry-After"), "10");
}

TEST(Problems, EachTypeLeadsToThePage) {
  const Response page = ask("GET", "/problems");
  EXPECT_EQ(page.status, 200);
  for (const int status :
       {400, 401, 403, 404, 405, 406, 409, 413, 414, 417, 422, 429, 431, 500, 501, 503, 505}) {
    const auto made = problem(status, "why");
    const auto value = parse_json(made.body, made.body.size());
    ASSERT_TRUE(value);
    const std::string type(*find_text(*value, {"type"}));
    EXPECT_THAT(type, ::testing::StartsWith("/problems#"));
    EXPECT_THAT(page.body, HasSubstr("id=\"" + type.substr(type.find('#') + 1) + '"'));
  }
  EXPECT_THAT(problem(418, "a teapot").body, HasSubstr("about:blank"));
}

}  // namespace
}  // namespace meterline::api
