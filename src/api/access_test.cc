#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <source_location>

#include "api/api.h"
#include "api/page_files.h"
#include "source/byte_source.h"
#include "store/memory/memory_store.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::api {
namespace {

using access::Scope;
using ::meterline::testing::delivery_of;
using ::meterline::testing::load;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Instant now{.micros = 1'550'000'000'000'000};

access::Caller caller_of(std::string who, std::initializer_list<Scope> scopes,
                         const std::vector<std::string>& meters = {"*"}) {
  access::Caller caller{.who = std::move(who)};
  EXPECT_TRUE(caller.see(meters));
  for (const Scope scope : scopes) caller.scopes.add(scope);
  return caller;
}

constexpr std::size_t bytes_max = 8 << 20;

/// An API with a login; a token is the name of a caller.
class Access : public ::testing::Test {
 protected:
  Access() {
    for (auto& caller : {caller_of("reader", {Scope::read}),
                         caller_of("some", {Scope::read, Scope::upload}, {"A*"}),
                         caller_of("uploader", {Scope::upload}), caller_of("admin", {Scope::admin}),
                         caller_of("half", {Scope::admin}, {"A*"}), caller_of("nobody", {}),
                         caller_of("of-group", {Scope::read, Scope::upload}, {"@own"}),
                         caller_of("of-none", {Scope::read}, {"@gone"})})
      callers_[caller.who] = std::make_shared<const access::Caller>(caller);
    door_.admit = [this](std::string_view authorization, Instant) -> access::Admission {
      const auto token = access::bearer_token(authorization);
      if (!token) return tl::unexpected(token.error());
      const auto found = callers_.find(*token);
      if (found == callers_.end()) return tl::unexpected(access::Denial{.detail = "not known"});
      return found->second;
    };
    const std::vector<std::string> own = {"A1 2019-01-01 60 1x24", "A2 2019-01-01 60 1x20 -x4"};
    auto all = own;
    all.insert(all.end(), {"B1 2019-01-01 60 9x24", "B1 2019-01-02 60 9x23 -",
                           "B1 2019-01-01 X/generation/kWh 60 9x24"});
    EXPECT_TRUE(load(*own_, delivery_of(1'549'000'000, 1, own)));
    EXPECT_TRUE(load(*store_, delivery_of(1'549'000'000, 1, all)));
    EXPECT_TRUE(load(*store_, delivery_of(1'549'000'001, 2, {"B2 2019-01-01 60 3x24"})));
    for (const auto& [name, patterns] :
         std::map<std::string, std::vector<std::string>>{{"g", {"A1", "B*"}}, {"own", {"A*"}}})
      EXPECT_TRUE(groups_.set(name, MeterFilter::parse(patterns).value()));
    id_ = store_->deliveries({}).value().front().delivery.id.text();
  }

  Response ask(const std::string& who, std::string method, std::string target,
               std::string_view body = "",
               std::map<std::string, std::string, std::less<>> headers = {}) {
    Request request{.method = std::move(method),
                    .target = std::move(target),
                    .headers = std::move(headers),
                    .body = {},
                    .body_bytes = body.size()};
    if (!who.empty()) request.headers["authorization"] = "Bearer " + who;
    if (!body.empty())
      request.body = [body] {
        return Result<std::unique_ptr<source::ByteSource>>(source::make_memory_source(body));
      };
    return in_one_piece(handle(request, context(*store_)), bytes_max);
  }
  Response get(const std::string& who, std::string target) {
    return ask(who, "GET", std::move(target));
  }

  Context context(store::Store& store) const {
    return {.store = store,
            .ingest = {},
            .now = [] { return now; },
            .stopping = nullptr,
            .on_upload = {},
            .door = &door_,
            .tariffs = &tariffs_,
            .groups = &groups_};
  }

  std::map<std::string, std::shared_ptr<const access::Caller>, std::less<>> callers_;
  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  std::unique_ptr<store::Store> own_ = store::make_memory_store();
  testing::TempFolder group_folder_;
  access::Groups groups_{group_folder_.path()};
  query::Tariffs tariffs_ = {{"t", query::Tariff::parse("otherwise = 'all'", "t").value()}};
  Door door_;
  std::string id_;  ///< Of a delivery of B2.
};

constexpr std::string_view meter_mark = "METER";

std::string for_meter(std::string text, std::string_view meter) {
  for (auto at = text.find(meter_mark); at != std::string::npos; at = text.find(meter_mark))
    text.replace(at, meter_mark.size(), meter);
  return text;
}

/// A request for each route: for a meter, METER; else for all of them. A route that is not here
/// fails the tests below.
struct Sample {
  std::string method = "GET";
  std::string target;
  Needs needs = Needs::read;
  std::string body = "";
};
const std::multimap<std::string_view, Sample>& samples() {
  static const std::multimap<std::string_view, Sample> all = {
      {"legacy", {.target = "/?meterId=METER&date=01-01-2019"}},
      {"meters", {.target = "/v1/meters"}},
      {"meters", {.target = "/v1/meters?prefix=METER"}},
      {"meters", {.target = "/v1/meters?group=g"}},
      {"meters", {.target = "/v1/meters?cursor=METER"}},
      {"meter", {.target = "/v1/meters/METER"}},
      {"consumption", {.target = "/v1/meters/METER/consumption?from=2019-01-01"}},
      {"consumption",
       {.target = "/v1/meters/METER/consumption?from=2019-01-01&resolution=interval"}},
      {"batch",
       {.method = "POST",
        .target = "/v1/consumption:batch?from=2019-01-01",
        .body = R"({"meters":["METER","A2"]})"}},
      {"export", {.target = "/v1/export?table=days&from=2019-01-01&to=2019-01-02"}},
      {"export", {.target = "/v1/export?table=readings&from=2019-01-01&meters=METER,A2"}},
      {"export", {.target = "/v1/export?table=readings&from=2019-01-01&wide=true"}},
      {"profile", {.target = "/v1/meters/METER/profile?from=2019-01-01"}},
      {"meter_gaps", {.target = "/v1/meters/METER/gaps?from=2019-01-01&to=2019-01-03"}},
      {"portfolio", {.target = "/v1/portfolio?from=2019-01-01&to=2019-01-03"}},
      {"portfolio", {.target = "/v1/portfolio?from=2019-01-01&to=2019-12-31&resolution=month"}},
      {"top", {.target = "/v1/top?from=2019-01-01&to=2019-01-03"}},
      {"top", {.target = "/v1/top?from=2019-01-01&order=lowest"}},
      {"compare", {.target = "/v1/compare?from=2019-01-02&against=period-before"}},
      {"meter_compare",
       {.target = "/v1/meters/METER/compare?from=2019-01-02&againstFrom=2019-01-01"}},
      {"time_of_use", {.target = "/v1/meters/METER/time-of-use?from=2019-01-01&tariff=t"}},
      {"base_load", {.target = "/v1/meters/METER/base-load?from=2019-01-01"}},
      {"late", {.target = "/v1/late?since=2019-01-02"}},
      {"late", {.target = "/v1/late?since=2019-02-02&by=receipt&cursor=METER"}},
      {"late", {.target = "/v1/late?since=2019-02-01T05:46:40Z&by=receipt"}},
      {"history", {.target = "/v1/meters/METER/history?date=2019-01-01"}},
      {"registers", {.target = "/v1/meters/METER/registers"}},
      {"changes", {.target = "/v1/changes?since=2018-01-01"}},
      {"changes", {.target = "/v1/changes?since=2018-01-01&meter=METER"}},
      {"gaps", {.target = "/v1/gaps?from=2019-01-01&to=2019-01-03"}},
      {"gaps", {.target = "/v1/gaps?date=2019-01-01&absent=false&cursor=METER"}},
      {"portfolio", {.target = "/v1/portfolio?from=2019-01-01&group=g"}},
      {"top", {.target = "/v1/top?from=2019-01-01&group=g"}},
      {"compare", {.target = "/v1/compare?from=2019-01-02&against=period-before&group=g"}},
      {"late", {.target = "/v1/late?since=2019-02-02&by=receipt&group=g"}},
      {"gaps", {.target = "/v1/gaps?from=2019-01-01&to=2019-01-03&group=g"}},
      {"changes", {.target = "/v1/changes?since=2018-01-01&group=g"}},
      {"export", {.target = "/v1/export?table=days&from=2019-01-01&group=g"}},
      {"groups", {.target = "/v1/groups", .needs = Needs::read_all}},
      {"group", {.target = "/v1/groups/g", .needs = Needs::read_all}},
      {"group", {.method = "POST", .target = "/v1/groups/g", .needs = Needs::admin}},
      {"group", {.method = "DELETE", .target = "/v1/groups/none", .needs = Needs::admin}},
      {"deliveries", {.target = "/v1/deliveries", .needs = Needs::read_all}},
      {"deliveries", {.method = "POST", .target = "/v1/deliveries", .needs = Needs::upload}},
      {"delivery", {.target = "/v1/deliveries/DELIVERY", .needs = Needs::read_all}},
      {"findings", {.target = "/v1/deliveries/DELIVERY/findings", .needs = Needs::read_all}},
      {"withdrawal",
       {.method = "POST", .target = "/v1/deliveries/DELIVERY/withdraw", .needs = Needs::admin}},
      {"withdrawal",
       {.method = "DELETE", .target = "/v1/deliveries/DELIVERY/withdraw", .needs = Needs::admin}},
      {"page", {.target = "/ui/", .needs = Needs::nothing}},
      {"docs", {.target = "/docs/", .needs = Needs::nothing}},
      {"openapi", {.target = "/openapi.json", .needs = Needs::nothing}},
      {"problems", {.target = "/problems", .needs = Needs::nothing}},
      {"health", {.target = "/healthz", .needs = Needs::nothing}},
      {"ready", {.target = "/readyz", .needs = Needs::nothing}},
  };
  return all;
}

TEST_F(Access, EveryRouteAndMethodHasASample) {
  for (const auto& route : all_routes()) {
    std::set<std::string> methods;
    const auto [first, last] = samples().equal_range(route.name);
    for (auto at = first; at != last; ++at) methods.insert(at->second.method);
    for (const std::string method : {"GET", "POST", "DELETE"})
      EXPECT_EQ(methods.contains(method), route.methods.find(method) != std::string::npos)
          << route.name << ' ' << method;
  }
}

TEST_F(Access, EveryRouteAnswersForeignMetersLikeUnknownOnes) {
  for (const auto& [name, sample] : samples()) {
    if (sample.needs != Needs::read) continue;
    const auto of = [&](std::string_view meter) {
      return ask("some", sample.method, for_meter(sample.target, meter),
                 for_meter(sample.body, meter));
    };
    const auto foreign = of("B1");
    const auto unknown = of("Z1");
    EXPECT_EQ(foreign.status, unknown.status) << sample.target;
    EXPECT_EQ(foreign.headers.count("Link"), unknown.headers.count("Link")) << sample.target;
    std::string text = unknown.body;
    for (auto at = text.find("Z1"); at != std::string::npos; at = text.find("Z1", at + 1))
      text.replace(at, 2, "B1");
    EXPECT_EQ(foreign.body, text) << sample.target;
  }
}

TEST_F(Access, EveryRouteAnswersAsIfThereWereNoOtherMeters) {
  for (const auto& [name, sample] : samples()) {
    if (sample.needs != Needs::read || name == "history") continue;  // It tells of deliveries.
    for (const std::string_view accept : {"application/json", "text/csv"}) {
      const auto target = for_meter(sample.target, "A1");
      const auto body = for_meter(sample.body, "A1");
      Request request{
          .method = sample.method,
          .target = target,
          .headers = {{"authorization", "Bearer some"}, {"accept", std::string(accept)}},
          .body_bytes = body.size()};
      request.body = [&] {
        return Result<std::unique_ptr<source::ByteSource>>(source::make_memory_source(body));
      };
      const auto seen = handle(request, context(*store_));
      request.headers["authorization"] = "Bearer reader";
      const auto own = handle(request, context(*own_));
      EXPECT_EQ(seen.status, own.status) << target;
      EXPECT_EQ(seen.body, own.body) << target;
      EXPECT_THAT(seen.body, Not(HasSubstr("B2"))) << target;
    }
  }
}

constexpr std::string_view batch = "/v1/consumption:batch?from=2019-01-01&to=2019-01-02";

TEST_F(Access, ABatchAnswersAsAQuestionForEachMeterDoes) {
  const std::string body = R"({"meters":["B1","nobody","A2","A2"]})";
  for (const std::string who : {"reader", "some"}) {
    std::string wanted;
    for (const std::string meter : {"B1", "nobody", "A2", "A2"}) {
      auto one = get(who, "/v1/meters/" + meter + "/consumption?from=2019-01-01&to=2019-01-02");
      if (one.status == 404)
        one.body = "{\"meter\":\"" + meter + "\",\"problem\":\"no such meter\"}\n";
      wanted += (wanted.empty() ? "" : ",") + one.body.substr(0, one.body.size() - 1);
    }
    const auto answer = ask(who, "POST", std::string(batch), body);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{\"answers\":[" + wanted + "]}\n");
  }
  const auto csv = ask("some", "POST", std::string(batch), body, {{"accept", "text/csv"}});
  EXPECT_THAT(csv.body,
              ::testing::MatchesRegex("meter,channel,.*\nB1,+\nnobody,+\nA2,.*\nA2,.*\n"));
  EXPECT_EQ(csv.content_type, "text/csv; charset=utf-8");
}

TEST_F(Access, ABatchOfManyIsSentWhileItIsMade) {
  std::string one = get("some", "/v1/meters/A2/consumption?from=2019-01-01&to=2019-01-02").body;
  one.pop_back();
  std::string body;
  std::string wanted;
  for (int i = 0; i < 8'000; ++i) {
    body += i > 0 ? ",\"A2\"" : "\"A2\"";
    wanted += (i > 0 ? "," : "") + one;
  }
  ASSERT_GT(wanted.size(), std::size_t{1} << 20);
  const auto answer = ask("some", "POST", std::string(batch), "{\"meters\":[" + body + "]}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == "{\"answers\":[" + wanted + "]}\n");
}

TEST_F(Access, ABatchSaysWhatItWants) {
  std::string many;
  for (int i = 0; i <= 10'000; ++i) many += fmt::format("{}\"M{}\"", i > 0 ? "," : "", i);
  for (const auto& [body, part] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", "JSON"},
           {"[]", "no object"},
           {R"({"meters":"A1"})", "a list"},
           {R"({"meters":[]})", "there are 0"},
           {R"({"meters":["A1"],"unit":"kWh"})", "no more"},
           {R"({"meters":["A1","a b"]})", "`meters[1]` is no id"},
           {R"({"meters":["A1",7]})", "`meters[1]` is no id"},
           {"{\"meters\":[" + many + "]}", "there are 10001"},
           {std::string((1 << 20) + 1, ' '), "at most 1048576"}}) {
    const auto answer = ask("reader", "POST", std::string(batch), body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 50);
    EXPECT_THAT(answer.body, HasSubstr(part));
  }
  EXPECT_EQ(ask("reader", "POST", "/v1/consumption:batch", R"({"meters":["A1"]})").status, 400);
  EXPECT_EQ(ask("uploader", "POST", std::string(batch), R"({"meters":["A1"]})").status, 403);
  EXPECT_EQ(ask("reader", "GET", std::string(batch)).status, 405);
}

TEST_F(Access, HistoryWithholdsFilesWithOthers) {
  const auto history = get("some", "/v1/meters/A1/history?date=2019-01-01");
  EXPECT_EQ(history.status, 200);
  EXPECT_THAT(history.body, HasSubstr("withheld"));
  EXPECT_THAT(get("reader", "/v1/meters/A1/history?date=2019-01-01").body,
              Not(HasSubstr("withheld")));
}

TEST_F(Access, EveryRouteIsClosedToWhoeverIsNotKnown) {
  for (const auto& [name, sample] : samples()) {
    const bool is_open = sample.needs == Needs::nothing;
    const bool is_page = name == "page" || name == "docs";
    const int open_status = is_page && page_files().empty() ? 404 : 200;
    for (const std::string who : {"", "stranger"}) {
      const auto response = ask(who, sample.method, for_meter(sample.target, "A1"));
      EXPECT_EQ(response.status, is_open ? open_status : 401) << sample.target;
      EXPECT_EQ(response.headers.count("WWW-Authenticate"), is_open ? 0 : 1) << sample.target;
      EXPECT_TRUE(is_open || response.body.find("A1") == std::string::npos) << sample.target;
    }
  }
  EXPECT_THAT(get("", "/?meterId=A1&date=01-01-2019").body, ::testing::StartsWith(R"({"error":")"));
}

TEST_F(Access, ABrowserIsLedToThePageWithoutAKey) {
  const int led = page_files().empty() ? 401 : 307;
  EXPECT_EQ(ask("", "GET", "/", "", {{"accept", "text/html,*/*;q=0.8"}}).status, led);
  EXPECT_EQ(ask("", "GET", "/", "", {{"accept", "*/*"}}).status, 401);
  EXPECT_EQ(ask("", "GET", "/?meterId=A1&date=01-01-2019", "", {{"accept", "text/html"}}).status,
            401);
}

TEST_F(Access, EveryRouteTakesItsScope) {
  const std::map<std::string, std::set<Needs>> rights = {
      {"reader", {Needs::nothing, Needs::read, Needs::read_all}},
      {"some", {Needs::nothing, Needs::read, Needs::upload}},
      {"of-group", {Needs::nothing, Needs::read, Needs::upload}},
      {"uploader", {Needs::nothing, Needs::upload}},
      {"admin", {Needs::nothing, Needs::read, Needs::read_all, Needs::upload, Needs::admin}},
      {"half", {Needs::nothing}},
      {"nobody", {Needs::nothing}}};
  for (const auto& [who, needs] : rights)
    for (const auto& [name, sample] : samples()) {
      const auto response = ask(who, sample.method, for_meter(sample.target, "A1"));
      EXPECT_EQ(response.status != 403, needs.contains(sample.needs))
          << who << ' ' << sample.method << ' ' << sample.target << ' ' << response.body;
    }
}

TEST_F(Access, QuestionsAreAboutAGroup) {
  const auto meters = [&](const std::string& who, const std::string& query) {
    return ask(who, "GET", "/v1/meters?" + query, "", {{"accept", "text/csv"}}).body;
  };
  EXPECT_THAT(meters("reader", "group=g"),
              ::testing::AllOf(HasSubstr("\nA1,"), HasSubstr("\nB1,"), HasSubstr("\nB2,"),
                               Not(HasSubstr("\nA2,"))));
  EXPECT_THAT(meters("some", "group=g"),
              ::testing::AllOf(HasSubstr("\nA1,"), Not(HasSubstr("\nB")), Not(HasSubstr("A2"))))
      << "of a group one sees only one's own";
  const auto page = get("reader", "/v1/meters?group=g&limit=1");
  EXPECT_THAT(page.headers.at("Link"), HasSubstr("&group=g&"));
  for (const std::string target : {"/v1/gaps?from=2019-01-01&to=2019-01-03",
                                   "/v1/late?since=2019-02-02", "/v1/changes?since=2018-01-01"}) {
    const auto first = get("reader", target + "&group=g&limit=1");
    EXPECT_EQ(first.status, 200) << first.body;
    EXPECT_THAT(first.headers.at("Link"), HasSubstr("&group=g&")) << target;
  }
}

TEST_F(Access, AGroupIsAskedAsItsMetersAre) {
  EXPECT_TRUE(groups_.set("a", MeterFilter::parse({{"A*"}}).value()));
  for (const auto& [name, sample] : samples()) {
    const bool is_of_group = sample.target.find("group=g") != std::string::npos;
    if (!is_of_group) continue;
    auto target = sample.target;
    target.replace(target.find("group=g"), 7, "group=a");
    auto plain = sample.target;
    plain.erase(plain.find("group=g") - 1, 8);
    const auto grouped = get("reader", target);
    EXPECT_EQ(grouped.status, 200) << grouped.body;
    EXPECT_EQ(grouped.body, get("some", plain).body) << target;
    const auto unknown =
        get("reader", plain + (plain.find('?') == std::string::npos ? "?" : "&") + "group=gone");
    EXPECT_EQ(unknown.status, 400) << plain;
    EXPECT_THAT(unknown.body, HasSubstr("no group"));
  }
  EXPECT_EQ(get("reader", "/v1/meters/A1/consumption?from=2019-01-01&group=g").status, 400);
}

TEST_F(Access, WhoSeesAGroupSeesItAsItIs) {
  EXPECT_EQ(get("of-group", "/v1/meters").body, get("some", "/v1/meters").body);
  EXPECT_EQ(get("of-group", "/v1/meters/B1").status, 404);
  EXPECT_EQ(get("of-group", "/v1/groups").status, 403);
  EXPECT_EQ(ask("of-group", "POST", "/v1/deliveries?unit=kWh", "Meter,Date").status, 422);
  EXPECT_TRUE(groups_.set("own", MeterFilter::parse({{"B1"}}).value()));
  EXPECT_EQ(get("of-group", "/v1/meters/A1").status, 404);
  EXPECT_EQ(get("of-group", "/v1/meters/B1").status, 200);
  EXPECT_EQ(get("of-none", "/v1/meters/A1").status, 404) << "a group that is gone has no meters";
  EXPECT_EQ(get("of-none", "/v1/meters").body, "{\"meters\":[],\"next\":null}\n");
}

TEST_F(Access, GroupsAreMadeShownAndForgotten) {
  const auto made = ask("admin", "POST", "/v1/groups/flats", R"({"meters":["B2","A*","A1"]})");
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_THAT(made.body, HasSubstr(R"({"group":"flats","ids":1,"prefixes":1,"changed":")"));
  EXPECT_THAT(get("reader", "/v1/groups/flats").body, HasSubstr(R"("meters":["A*","B2"]})"));
  EXPECT_EQ(ask("reader", "GET", "/v1/groups/flats", "", {{"accept", "text/csv"}}).body,
            "meter\nA*\nB2\n");
  EXPECT_THAT(get("reader", "/v1/groups").body,
              HasSubstr(R"({"group":"own","ids":0,"prefixes":1)"));
  EXPECT_EQ(ask("admin", "DELETE", "/v1/groups/flats").status, 204);
  EXPECT_EQ(ask("admin", "DELETE", "/v1/groups/flats").status, 404);
  EXPECT_EQ(get("reader", "/v1/groups/flats").status, 404);
  for (const auto& [name, body] :
       std::map<std::string, std::string>{{"x", ""},
                                          {"x", "[]"},
                                          {"x1", R"({"meters":[]})"},
                                          {"x2", R"({"meters":["a b"]})"},
                                          {"x3", R"({"meters":[7]})"},
                                          {"x4", R"({"meters":["A1"],"more":1})"},
                                          {".hidden", R"({"meters":["A1"]})"},
                                          {"..", R"({"meters":["A1"]})"},
                                          {"a%2Fb", R"({"meters":["A1"]})"}})
    EXPECT_EQ(ask("admin", "POST", "/v1/groups/" + name, body).status, 400) << name << body;
}

TEST_F(Access, AGroupThatCannotBeReadIsTold) {
  std::ofstream(group_folder_.path() / "bad.txt") << "A1\na b\n";
  EXPECT_THAT(get("reader", "/v1/groups").body,
              ::testing::AllOf(HasSubstr(R"({"group":"bad","fault":")"), HasSubstr("line 2")));
  EXPECT_EQ(get("reader", "/v1/meters?group=bad").status, 500);
}

/// A file with the hours of a day of each meter.
std::string file_of(const std::vector<std::string>& meters) {
  std::string text = "Meter,Date";
  for (int hour = 0; hour < 24; ++hour) text += "," + std::to_string(hour) + ":00";
  for (const auto& meter : meters) {
    text += "\n" + meter + ",2019-01-09";
    for (int hour = 0; hour < 24; ++hour) text += ",1";
  }
  return text + "\n";
}
const std::string own_file = file_of({"A9"});
const std::string mixed_file = file_of({"A8", "B1"});

TEST_F(Access, UploadsAreOfTheCallersMetersOnly) {
  EXPECT_EQ(ask("some", "POST", "/v1/deliveries?unit=kWh", own_file).status, 201);
  EXPECT_EQ(get("some", "/v1/meters/A9").status, 200);
  const auto refused = ask("some", "POST", "/v1/deliveries?unit=kWh", mixed_file);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, Not(HasSubstr("B1")));
  EXPECT_EQ(get("reader", "/v1/meters/A8").status, 404);
  EXPECT_EQ(ask("uploader", "POST", "/v1/deliveries?unit=kWh", mixed_file).status, 201);
  EXPECT_EQ(get("reader", "/v1/meters/A8").status, 200);
}

TEST_F(Access, WithdrawalsSayWhoItWas) {
  const auto target = "/v1/deliveries/" + id_ + "/withdraw";
  EXPECT_EQ(ask("reader", "POST", target, R"({"reason":"x"})").status, 403);
  EXPECT_EQ(ask("some", "POST", target, R"({"reason":"x"})").status, 403);
  const auto done = ask("admin", "POST", target, R"({"reason":"x","who":"bob"})");
  EXPECT_EQ(done.status, 200);
  EXPECT_THAT(done.body, HasSubstr("\"who\":\"admin (bob)\""));
}

TEST_F(Access, PagesOfOtherSitesChangeNothing) {
  const std::map<std::string, std::string, std::less<>> other = {{"origin", "https://evil.example"},
                                                                 {"host", "localhost"}};
  for (const auto& [name, sample] : samples()) {
    if (sample.method == "GET") continue;
    EXPECT_THAT(ask("admin", sample.method, sample.target, "x", other).body,
                HasSubstr("pages of other sites"))
        << sample.target;
  }
  EXPECT_EQ(get("reader", "/v1/meters").headers.count("Access-Control-Allow-Origin"), 0);
}

TEST_F(Access, KnownOriginsMayAskAndRead) {
  door_.origins = {"https://app.example"};
  const std::map<std::string, std::string, std::less<>> known = {
      {"origin", "https://app.example"},
      {"sec-fetch-site", "cross-site"},
      {"sec-fetch-mode", "cors"},
      {"access-control-request-method", "POST"}};
  auto response = ask("", "OPTIONS", "/v1/deliveries", "", known);
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.headers["Access-Control-Allow-Origin"], "https://app.example");
  response = ask("reader", "GET", "/v1/meters", "", known);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers["Access-Control-Allow-Origin"], "https://app.example");
  EXPECT_THAT(response.headers["Vary"], HasSubstr("Origin"));
  EXPECT_EQ(ask("uploader", "POST", "/v1/deliveries?unit=kWh", own_file, known).status, 201);
  auto other = known;
  other["origin"] = "https://app.example.evil";
  EXPECT_EQ(ask("reader", "GET", "/v1/meters", "", other).status, 403);
  EXPECT_EQ(ask("", "OPTIONS", "/v1/deliveries", "", other).status, 405);
}

TEST_F(Access, WhoAsksTooOftenWaits) {
  access::RateLimit limit(2);
  door_.rate = &limit;
  EXPECT_EQ(get("reader", "/v1/meters").status, 200);
  EXPECT_EQ(get("reader", "/v1/meters").status, 200);
  const auto response = get("reader", "/v1/meters");
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.at("Retry-After"), "1");
  EXPECT_EQ(get("some", "/v1/meters").status, 200) << "others are not held up";
  EXPECT_EQ(get("", "/healthz").status, 200);
}

class Audit : public Access {
 protected:
  Audit() { door_.audit = log_.get(); }
  std::string lines() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  testing::TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "audit";
  std::unique_ptr<access::AuditLog> log_ = access::AuditLog::open(path_).value();
};

TEST_F(Audit, TellsOfChangesAndRefusals) {
  get("reader", "/v1/meters/A1");
  EXPECT_EQ(lines(), "");
  const auto uploaded = ask("uploader", "POST", "/v1/deliveries?unit=kWh", own_file);
  const auto id = uploaded.headers.at("Location").substr(std::string("/v1/deliveries/").size());
  EXPECT_THAT(lines(), HasSubstr(R"("who":"uploader","method":"POST","route":"deliveries",)"
                                 R"("delivery":")" +
                                 id + R"(","status":201)"));
  ask("admin", "POST", "/v1/deliveries/" + id + "/withdraw", R"({"reason":"x"})");
  EXPECT_THAT(lines(), HasSubstr(R"("who":"admin","method":"POST","route":"withdrawal",)"
                                 R"("delivery":")" +
                                 id + R"(","status":200)"));
  ask("admin", "POST", "/v1/groups/flats", R"({"meters":["A1"]})");
  EXPECT_THAT(lines(), HasSubstr(R"("route":"group","group":"flats","status":200)"));
  get("stranger", "/v1/meters/A1");
  EXPECT_THAT(lines(), HasSubstr(R"("method":"GET","route":"meter","meter":")"));
  EXPECT_THAT(lines(), HasSubstr(R"("status":401)"));
  get("nobody", "/v1/meters");
  EXPECT_THAT(lines(), HasSubstr(R"("who":"nobody","method":"GET","route":"meters","status":403)"));
}

TEST_F(Audit, HidesMetersAndReadings) {
  door_.audited = Audited::everything;
  get("reader", "/?meterId=A1&date=01-01-2019");
  get("reader", "/v1/meters/A1/consumption?from=2019-01-01");
  get("reader", "/v1/changes?since=2018-01-01&meter=A1");
  get("reader", "http://localhost/v1/%6Deters/A1");
  const auto text = lines();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_THAT(text, Not(HasSubstr("A1")));
  const auto hash = access::audit_meter_hash(path_, "A1").value();
  std::size_t found = 0;
  for (auto at = text.find(hash); at != std::string::npos; at = text.find(hash, at + 1)) ++found;
  EXPECT_EQ(found, 4);
}

}  // namespace
}  // namespace meterline::api
