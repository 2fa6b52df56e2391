#include "api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <source_location>

#include "api/page_files.h"
#include "source/byte_source.h"
#include "store/memory/memory_store.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"

namespace meterline::api {
namespace {

using ::meterline::testing::delivery_of;
using ::testing::HasSubstr;

constexpr std::string_view two_rows =
    "Meter,Date,0:00,6:00,12:00,18:00\n"
    "UP,2019-01-01,1,2,3,4\n";

class Api : public ::testing::Test {
 protected:
  Api() {
    load({"EE00027 2019-01-01 consumption/consumption/kWh 60 15.5x2 1x20 14 -",
          "EE00027 2019-01-02 consumption/consumption/kWh 60 0.1x24",
          "EE00027 2019-01-02 B1/generation/kWh 60 1x24",
          "EE00028 2019-01-01 consumption/consumption/kWh 60 1x24"});
  }

  void load(const std::vector<std::string>& lines) {
    const auto delivery = delivery_of(1'549'000'000 + next_, next_, lines);
    ++next_;
    const auto loaded = meterline::testing::load(*store_, delivery);
    ASSERT_TRUE(loaded) << loaded.error().message;
    newest_ = delivery.delivery;
  }

  Context context() const {
    return {.store = *store_,
            .ingest = {},
            .now = [] { return Instant{.micros = 1'550'000'000'000'000}; },
            .stopping = &stopping_,
            .on_upload = {}};
  }

  Response ask(const Request& request) const { return handle(request, context()); }
  Response get(std::string target) const { return ask(request_of("GET", std::move(target))); }

  static Request request_of(std::string method, std::string target) {
    return {.method = std::move(method),
            .target = std::move(target),
            .headers = {},
            .body = {},
            .body_bytes = 0};
  }

  static Request upload(std::string target, std::string_view body) {
    Request request = request_of("POST", std::move(target));
    request.body = [body] {
      return Result<std::unique_ptr<source::ByteSource>>(source::make_memory_source(body));
    };
    request.body_bytes = body.size();
    return request;
  }

  /// `STATUS BODY` of a GET; a line end follows in all but the first customer's answers.
  void check(std::string target, std::string_view want,
             std::source_location at = std::source_location::current()) const {
    const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
    const std::string line_end = target.starts_with("/?") || target == "/" ? "" : "\n";
    const Response response = get(std::move(target));
    EXPECT_EQ(std::to_string(response.status) + " " + response.body, std::string(want) + line_end);
  }

  /// Status and part of the body of a GET that is refused with problem details.
  void refused(std::string target, int status, const std::string& part,
               std::source_location at = std::source_location::current()) const {
    const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
    const Response response = get(std::move(target));
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_THAT(response.body, HasSubstr("\"status\":" + std::to_string(status)));
    EXPECT_THAT(response.body, HasSubstr(part));
  }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  std::atomic<bool> stopping_ = false;
  std::uint8_t next_ = 1;
  Delivery newest_;
};

TEST_F(Api, KeepsTheFirstCustomersContract) {
  check("/?meterId=EE00027&date=01-01-2019",
        R"(200 {"meterId":"EE00027","date":"01-01-2019","sum":65})");
  check("/?date=02-01-2019&meterId=EE00027&other=1&other=2",
        R"(200 {"meterId":"EE00027","date":"02-01-2019","sum":2.4})");
  check("/?meterId=EE00027&date=03-01-2019",
        R"(200 {"meterId":"EE00027","date":"03-01-2019","sum":0})");
  check("/?meterId=nobody&date=01-01-2019",
        R"(200 {"meterId":"nobody","date":"01-01-2019","sum":0})");
}

TEST_F(Api, RefusesWhatTheFirstContractDoesNotTake) {
  check("/",
        R"(400 {"error":"meterId is missing: give both, like /?meterId=EE00027&date=01-01-2019"})");
  check("/?meterId=EE00027",
        R"(400 {"error":"date is missing: give both, like /?meterId=EE00027&date=01-01-2019"})");
  for (const std::string query :
       {"meterId=EE00027&date=2019-01-01", "meterId=EE00027&date=30-02-2019",
        "meterId=&date=", "meterId=a%20b&date=01-01-2019",
        "meterId=EE00027&date=01-01-2019&date=01-01-2019", "meterId=%&date=01-01-2019"}) {
    const Response response = get("/?" + query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_THAT(response.body, ::testing::StartsWith(R"({"error":")")) << query;
    EXPECT_EQ(response.content_type, "application/json");
  }
  EXPECT_EQ(ask(request_of("POST", "/")).status, 405);
}

TEST_F(Api, AnswersConsumption) {
  const std::string total =
      R"("sum":65,"readings":23,"expected":24,)"
      R"("quality":{"actual":23,"substituted":0,"estimated":0,"missing":1},)"
      R"("version":{"stated":"2019-02-01T05:46:41Z","received":"2019-02-01T05:46:41Z"})";
  check("/v1/meters/EE00027/consumption?from=2019-01-01&channel=consumption",
        R"(200 {"meter":"EE00027","from":"2019-01-01","to":"2019-01-01","resolution":"day",)"
        R"("asOf":null,"channels":[{"channel":"consumption","flow":"consumption","unit":"kWh",)" +
            total + R"(,"series":[{"start":"2019-01-01",)" + total + "}]}]}");
}

TEST_F(Api, TakesEveryParameterOfConsumption) {
  const std::string base = "/v1/meters/EE00027/consumption?from=2019-01-01&to=2019-01-02";
  EXPECT_THAT(get(base + "&channel=B1").body, HasSubstr(R"("channels":[{"channel":"B1")"));
  EXPECT_THAT(get(base + "&flow=consumption").body, ::testing::Not(HasSubstr("\"B1\"")));
  EXPECT_THAT(get(base + "&resolution=month").body, HasSubstr(R"("resolution":"month")"));
  EXPECT_THAT(get(base + "&resolution=hour").body, HasSubstr(R"("start":"2019-01-02T23:00:00")"));
  EXPECT_THAT(get(base + "&asOf=2019-02-01T06:46:00%2B01:00").body,
              HasSubstr(R"("asOf":"2019-02-01T05:46:00Z")"));
}

TEST_F(Api, RefusesBadQuestions) {
  const std::string base = "/v1/meters/EE00027/consumption";
  refused(base, 400, "from is missing");
  refused(base + "?from=01-01-2019", 400, "from: want a date like 2019-01-31");
  refused(base + "?from=2019-01-01&to=2019-02-30", 400, "to: want a date");
  refused(base + "?from=2019-01-02&to=2019-01-01", 400, "");
  refused(base + "?from=2019-01-01&resolution=decade", 400,
          "interval, hour, day, week, month, quarter or year");
  refused(base + "?from=2019-01-01&flow=up", 400, "flow: want");
  refused(base + "?from=2019-01-01&unit=J", 400, "unit: want Wh, kWh, MWh");
  refused(base + "?from=2019-01-01&channel=a%20b", 400, "channel: want");
  refused(base + "?from=2019-01-01&asOf=2019-02-01T06:46:00+01:00", 400, "write a + as %2B");
  refused(base + "?from=2019-01-01&until=2019-01-02", 400,
          "known are from, to, resolution, unit, channel, flow, asOf");
  refused(base + "?from=2019-01-01&from=2019-01-01", 400, "more than once");
  refused(base + "?from=%2", 400, "percent-encoding");
  refused("/v1/meters/nobody/consumption?from=2019-01-01", 404, "nobody");
  refused("/v1/meters/a%20b/consumption?from=2019-01-01", 404, "no meter");
  refused("/v1/portfolio?from=2019-01-01&resolution=hour", 400, "");
  refused("/v1/meters/EE00027/profile?from=2019-01-01&resolution=day", 400, "hours or intervals");
}

TEST_F(Api, TellsSumsInTheUnitThatIsAskedFor) {
  const auto of_meter = get("/v1/meters/EE00027/consumption?from=2019-01-01&unit=MWh");
  EXPECT_THAT(of_meter.body, HasSubstr(R"("flow":"consumption","unit":"MWh","sum":0.0)"));
  EXPECT_THAT(get("/v1/portfolio?from=2019-01-01&resolution=quarter&unit=wh").body,
              AllOf(HasSubstr(R"("resolution":"quarter")"), HasSubstr(R"("unit":"Wh","sum":)"),
                    HasSubstr(R"(000,"average":)")));
}

TEST_F(Api, ListsTheMetersThatUsedTheMost) {
  const auto highest = get("/v1/top?from=2019-01-01&to=2019-01-02&limit=1");
  EXPECT_THAT(highest.body, AllOf(HasSubstr(R"("order":"highest","asOf":null,"channels":[{)"),
                                  HasSubstr(R"("meters":2,"top":[{"meter":")")));
  const auto lowest = get("/v1/top?from=2019-01-01&to=2019-01-02&limit=1&order=lowest");
  EXPECT_NE(highest.body, lowest.body);
  refused("/v1/top?from=2019-01-01&order=up", 400, "order: want highest or lowest");
  refused("/v1/top?from=2019-01-01&limit=1001", 400, "limit: want");
}

TEST_F(Api, AnswersWithTheProfileOfADay) {
  EXPECT_THAT(get("/v1/meters/EE00027/profile?from=2019-01-01").body,
              AllOf(HasSubstr(R"("resolution":"hour")"), HasSubstr(R"("loadFactor":)"),
                    HasSubstr(R"("profile":[{"start":"00:00","weekday":{)")));
}

TEST_F(Api, AnswersThePortfolio) {
  const Response response = get("/v1/portfolio?from=2019-01-01&resolution=month");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body,
              HasSubstr(R"("sum":89,"average":44.5,"meters":2,"metersIncomplete":1,)"));
}

TEST_F(Api, TellsWhichMetersHaveGaps) {
  check("/v1/gaps?from=2019-01-01&to=2019-01-02&channel=consumption",
        R"(200 {"from":"2019-01-01","to":"2019-01-02","asOf":null,"absent":true,)"
        R"("total":{"meters":2,"metersWithGaps":2,"days":4,"stored":3,"complete":2},)"
        R"("meters":[{"meter":"EE00027","channels":[{"channel":"consumption",)"
        R"("flow":"consumption","unit":"kWh","days":2,"stored":2,"complete":1,)"
        R"("firstGap":"2019-01-01"}]},{"meter":"EE00028","channels":[)"
        R"({"channel":"consumption","flow":"consumption","unit":"kWh","days":2,"stored":1,)"
        R"("complete":1,"firstGap":"2019-01-02"}]}],"next":null})");
  EXPECT_EQ(get("/v1/gaps?date=2019-01-02").body,
            get("/v1/gaps?from=2019-01-02&to=2019-01-02").body);
  EXPECT_THAT(get("/v1/gaps?date=2019-01-02").body, HasSubstr(R"("metersWithGaps":1,)"));
  EXPECT_THAT(get("/v1/gaps?date=2019-01-02&absent=false").body,
              HasSubstr(R"("absent":false,"total":{"meters":1,"metersWithGaps":0,)"));
  EXPECT_THAT(get("/v1/gaps?date=2019-01-02&flow=generation&asOf=2019-01-31").body,
              HasSubstr(R"("total":{"meters":1,"metersWithGaps":1,"days":1,"stored":0,)"));
}

TEST_F(Api, ListsMetersWithGapsByPage) {
  const std::string query =
      "/v1/gaps?from=2019-01-01&to=2019-01-03&flow=consumption&asOf=2019-03-01T00:00:00Z";
  const Response first = get(query + "&absent=false&channel=consumption&limit=1");
  EXPECT_THAT(first.body, HasSubstr(R"("meters":[{"meter":"EE00027")"));
  EXPECT_THAT(first.body, HasSubstr(R"("next":"EE00027"})"));
  const std::string next =
      "/v1/gaps?from=2019-01-01&to=2019-01-03&channel=consumption&flow=consumption"
      "&asOf=2019-03-01T00%3A00%3A00Z&absent=false&limit=1&cursor=EE00027";
  EXPECT_EQ(first.headers.at("Link"), "<" + next + ">; rel=\"next\"");
  const Response second = get(next);
  EXPECT_THAT(second.body, HasSubstr(R"("metersWithGaps":2,)"));
  EXPECT_THAT(second.body, HasSubstr(R"("meters":[{"meter":"EE00028")"));
  EXPECT_THAT(second.body, HasSubstr(R"("next":null})"));
  EXPECT_FALSE(second.headers.contains("Link"));
}

TEST_F(Api, TellsWhichDaysAMeterLacks) {
  check("/v1/meters/EE00027/gaps?from=2018-12-30&to=2019-01-02&channel=consumption",
        R"(200 {"meter":"EE00027","from":"2018-12-30","to":"2019-01-02","asOf":null,)"
        R"("channels":[{"channel":"consumption","flow":"consumption","unit":"kWh",)"
        R"("days":4,"stored":2,"complete":1,"gaps":[)"
        R"({"kind":"missing","from":"2018-12-30","to":"2018-12-31","days":2,"readings":0,)"
        R"("expected":null},{"kind":"incomplete","from":"2019-01-01","to":"2019-01-01","days":1,)"
        R"("readings":23,"expected":24}]}]})");
  EXPECT_THAT(get("/v1/meters/EE00027/gaps?date=2019-01-01&flow=generation").body,
              HasSubstr(R"("channels":[{"channel":"B1","flow":"generation","unit":"kWh","days":1,)"
                        R"("stored":0,"complete":0,"gaps":[{"kind":"missing",)"));
}

TEST_F(Api, RefusesBadQuestionsForGaps) {
  for (const std::string base : {"/v1/gaps", "/v1/meters/EE00027/gaps"}) {
    refused(base, 400, "from is missing");
    refused(base + "?date=01-01-2019", 400, "date: want a date like 2019-01-31");
    refused(base + "?date=2019-01-01&to=2019-01-02", 400, "give either date, or from and to");
    refused(base + "?from=2019-01-02&to=2019-01-01", 400, "is before");
    refused(base + "?from=1900-01-01&to=1950-01-01", 400, "40 years");
    refused(base + "?date=2019-01-01&resolution=day", 400, "known are date, from, to");
  }
  refused("/v1/gaps?date=2019-01-01&absent=yes", 400, "absent: want true or false");
  refused("/v1/gaps?date=2019-01-01&limit=1001", 400, "1 to 1000");
  refused("/v1/gaps?date=2019-01-01&cursor=a%20b", 400, "cursor");
  refused("/v1/meters/EE00027/gaps?date=2019-01-01&limit=5", 400, "limit");
  refused("/v1/meters/nobody/gaps?date=2019-01-01", 404, "meter nobody is not known");
  refused("/v1/meters/a%20b/gaps?date=2019-01-01", 404, "no meter");
}

TEST_F(Api, TellsTheHistoryOfADay) {
  const auto answer = get("/v1/meters/EE00027/history?date=2019-01-01&flow=consumption");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body,
              HasSubstr(R"({"meter":"EE00027","date":"2019-01-01","channels":[)"
                        R"({"channel":"consumption","flow":"consumption","unit":"kWh",)"
                        R"("versions":[{"version":{"stated":"2019-02-01T05:46:41Z",)"
                        R"("received":"2019-02-01T05:46:41Z"},"origin":"source",)"
                        R"("delivery":{"id":"01000000000000000000000000000000",)"
                        R"("source":"/in/1.csv","state":"stored"},"counts":true,)"
                        R"("intervalMinutes":60,"zone":null,"sum":)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("changes":[{"start":"2019-01-01T0)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("before":null,"after":)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("qualityBefore":"missing","qualityAfter":"actual"})"));
  EXPECT_THAT(get("/v1/meters/EE00027/history?date=2017-01-01").body, HasSubstr("\"channels\":[]"));
  const std::string base = "/v1/meters/EE00027/history";
  refused(base, 400, "date is missing: want a date like 2019-01-31");
  refused(base + "?date=2019-01-32", 400, "date: want a date like 2019-01-31");
  refused(base + "?date=2019-01-01&asOf=2019-01-01", 400, "known are date, channel, flow");
  refused("/v1/meters/nobody/history?date=2019-01-01", 404, "meter nobody is not known");
}

TEST_F(Api, TellsWhatRegistersShowed) {
  const std::string base = "/v1/meters/REG1/registers";
  auto read = meterline::testing::read_of("REG1 2019-10-01T00:00:00+10:00 1234.50");
  read.previous = meterline::testing::read_of("REG1 2019-07-01T00:00:00+10:00 1200").current;
  read.previous->note = {.flag = "S", .method = "62", .reason_code = "", .reason_text = ""};
  read.previous->quality = Quality::substituted;
  read.counted = Decimal{.mantissa = 345, .exponent = -1};
  read.next_read = *Date::parse("2020-01-01");
  const auto delivery = delivery_of(1'549'000'000, 99, {}).delivery;
  ASSERT_TRUE(meterline::testing::load_reads(
      *store_, delivery,
      {read, meterline::testing::read_of("REG1 2019-10-02T00:00:00+10:00 5 41/generation/kWh")}));
  const std::string first =
      R"({"channel":"11","flow":"consumption","unit":"kWh","register":"1","serial":"M1",)"
      R"("time":"2019-10-01T00:00:00+10:00","value":1234.5,"quality":"actual",)"
      R"("previous":{"time":"2019-07-01T00:00:00+10:00","value":1200,"quality":"substituted",)"
      R"("note":{"flag":"S","method":"62","reasonCode":null,"reasonText":null}},)"
      R"("counted":34.5,"nextRead":"2020-01-01",)"
      R"("version":{"stated":"2019-02-01T05:46:40Z","received":"2019-02-01T05:46:40Z"},)"
      R"("delivery":"63000000000000000000000000000000"})";
  check(base + "?limit=1", R"(200 {"meter":"REG1","from":null,"to":null,"asOf":null,"reads":[)" +
                               first + R"(],"next":"2019-09-30T14:00:00Z"})");
  EXPECT_EQ(get(base + "?limit=1&asOf=2019-03-01T00:00:00Z").headers.at("Link"),
            "</v1/meters/REG1/registers?asOf=2019-03-01T00%3A00%3A00Z&limit=1&"
            "cursor=2019-09-30T14%3A00%3A00Z>; rel=\"next\"");
  check(base + "?from=2019-10-01&to=2019-10-01&channel=11&flow=consumption",
        R"(200 {"meter":"REG1","from":"2019-10-01","to":"2019-10-01","asOf":null,"reads":[)" +
            first + R"(],"next":null})");
  const auto second = get(base + "?limit=1&cursor=2019-09-30T14:00:00Z");
  EXPECT_THAT(second.body, HasSubstr(R"("reads":[{"channel":"41","flow":"generation",)"));
  EXPECT_THAT(second.body, HasSubstr(R"("previous":null,"counted":null,"nextRead":null,)"));
  EXPECT_EQ(second.headers.count("Link"), 0U);
  EXPECT_THAT(get(base + "?asOf=2019-01-01").body, HasSubstr(R"("reads":[],)"));
  EXPECT_THAT(get("/v1/meters/EE00027/registers").body, HasSubstr(R"("reads":[],"next":null})"));
  EXPECT_THAT(get("/v1/meters/REG1").body,
              HasSubstr(R"({"meter":"REG1","channels":[],"registerReads":true})"));
  refused(base + "?to=2019-10-01", 400, "from is missing");
  refused(base + "?from=2019-10-02&to=2019-10-01", 400, "is before");
  refused(base + "?cursor=x", 400, "cursor");
  refused(base + "?limit=0", 400, "1 to 1000");
  refused(base + "?resolution=day", 400, "known are from, to, channel, flow, asOf, limit, cursor");
  refused("/v1/meters/nobody/registers", 404, "meter nobody is not known");
  refused("/v1/meters/a%20b/registers", 404, "no meter");
}

TEST_F(Api, TellsWhatChanged) {
  load({"EE00028 2019-01-01 consumption/consumption/kWh 60 7x24"});
  const std::string base = "/v1/changes?since=2019-02-01T05:46:41Z";
  const auto answer = get(base);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body,
              HasSubstr(R"("meter":null,"from":null,"to":null,"days":[{"meter":"EE00028",)"
                        R"("channel":"consumption","flow":"consumption","unit":"kWh",)"
                        R"("date":"2019-01-01","readingsChanged":24,"before":{"sum":)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("after":{"sum":168,"readings":24,"expected":24,)"));
  EXPECT_THAT(answer.body, ::testing::EndsWith("\"next\":null}\n"));
  EXPECT_THAT(get("/v1/changes?since=1970-01-01").body, HasSubstr(R"("before":null,"after":{)"));
  const auto page = get("/v1/changes?since=1970-01-01T00:00:00Z&limit=1");
  EXPECT_THAT(page.body, HasSubstr(R"("next":"EE00027"})"));
  EXPECT_EQ(page.headers.at("Link"),
            "</v1/changes?since=1970-01-01T00%3A00%3A00Z&limit=1&cursor=EE00027>; rel=\"next\"");
  EXPECT_THAT(get(base + "&meter=EE00027").body, HasSubstr(R"("days":[])"));
  EXPECT_THAT(get(base + "&from=2019-01-02&to=2019-01-31").body, HasSubstr(R"("days":[])"));
  refused("/v1/changes", 400, "since is missing: want a date like 2019-01-31");
  refused(base + "&to=2019-01-31", 400, "from is missing");
  refused(base + "&asOf=2019-01-31", 400, "asOf");
}

TEST_F(Api, ListsMetersByPage) {
  EXPECT_THAT(get("/v1/meters").body, HasSubstr(R"("next":null})"));
  const Response first = get("/v1/meters?limit=1&prefix=EE");
  EXPECT_THAT(first.body, ::testing::StartsWith(R"({"meters":[{"meter":"EE00027")"));
  EXPECT_THAT(first.body, HasSubstr(R"("next":"EE00027"})"));
  EXPECT_EQ(first.headers.at("Link"),
            "</v1/meters?prefix=EE&limit=1&cursor=EE00027>; rel=\"next\"");
  check("/v1/meters?prefix=EE&limit=1&cursor=EE00027",
        R"(200 {"meters":[{"meter":"EE00028","channels":[{"channel":"consumption",)"
        R"("flow":"consumption","unit":"kWh","interval":60,)"
        R"("first":"2019-01-01","last":"2019-01-01","zone":null}]}],"next":null})");
  check("/v1/meters?prefix=X", R"(200 {"meters":[],"next":null})");
  refused("/v1/meters?limit=0", 400, "1 to 1000");
  refused("/v1/meters?cursor=a%20b", 400, "cursor");
}

TEST_F(Api, ShowsOneMeter) {
  EXPECT_THAT(get("/v1/meters/EE00028").body, ::testing::StartsWith(R"({"meter":"EE00028")"));
  refused("/v1/meters/nobody", 404, "/v1/meters lists");
  refused("/v1/meters/EE00028?x=1", 400, "it takes none");
}

TEST_F(Api, ListsAndShowsDeliveries) {
  load({"EE00029 2019-01-01 consumption/consumption/kWh 60 1x24"});
  const std::string id = newest_.id.text();
  const Response page = get("/v1/deliveries?limit=1");
  EXPECT_THAT(page.body, ::testing::StartsWith(R"({"deliveries":[{"id":")" + id));
  EXPECT_THAT(page.body, HasSubstr(R"("next":")" + id));
  const Response last = get("/v1/deliveries?cursor=" + id);
  EXPECT_THAT(last.body, HasSubstr(R"("next":null})"));
  EXPECT_THAT(get("/v1/deliveries/" + id).body, HasSubstr(R"("findings":[])"));
  EXPECT_THAT(get("/v1/deliveries/" + id + "/findings").body, HasSubstr(R"("findings":[])"));
  check("/v1/deliveries?source=elsewhere", R"(200 {"deliveries":[],"next":null})");
  refused("/v1/deliveries/" + std::string(32, '0'), 404, "no delivery");
  refused("/v1/deliveries/nonsense", 404, "no delivery");
  refused("/v1/deliveries/nonsense/findings", 404, "no delivery");
  refused("/v1/deliveries?cursor=nonsense", 400, "cursor");
}

TEST_F(Api, ListsMoreDeliveriesThanItReadsAtOnce) {
  for (int i = 0; i < 119; ++i) load({"M 2019-01-01 60 1x24"});
  const auto ids_in = [](std::string_view body) {
    std::size_t count = 0;
    for (auto at = body.find("{\"id\""); at != std::string_view::npos;
         at = body.find("{\"id\"", at + 1))
      ++count;
    return count;
  };
  EXPECT_EQ(ids_in(get("/v1/deliveries?limit=1000").body), 120);
  EXPECT_EQ(ids_in(get("/v1/deliveries").body), 100);
  EXPECT_EQ(ids_in(get("/v1/deliveries?limit=119").body), 119);
  EXPECT_THAT(get("/v1/deliveries?limit=120").body, HasSubstr(R"("next":null})"));
}

TEST_F(Api, StoresAnUpload) {
  DeliveryReport told;
  Context with_hook = context();
  with_hook.on_upload = [&](const DeliveryReport& report) { told = report; };
  const std::string target = "/v1/deliveries?source=jan+2019.csv&unit=kwh";
  const Response first = handle(upload(target, two_rows), with_hook);
  EXPECT_EQ(first.status, 422) << first.body;  // A grid of six hours is none.
  EXPECT_EQ(told.state, DeliveryState::refused);

  std::string rows = "Meter,Date";
  for (int hour = 0; hour < 24; ++hour) rows += "," + std::to_string(hour) + ":00";
  rows += "\nUP,2019-01-01";
  for (int hour = 0; hour < 24; ++hour) rows += ",1.5";
  const Response stored = handle(upload(target, rows + "\n"), with_hook);
  EXPECT_EQ(stored.status, 201) << stored.body;
  EXPECT_THAT(stored.body, HasSubstr(R"("source":"upload:jan 2019.csv","state":"stored")"));
  EXPECT_THAT(stored.body, HasSubstr(R"("deliveredAt":"2019-02-12T19:33:20Z")"));
  EXPECT_THAT(stored.body, HasSubstr(R"("unit":"kWh")"));
  EXPECT_THAT(stored.headers.at("Location"), ::testing::StartsWith("/v1/deliveries/"));
  EXPECT_EQ(told.readings.stored, 24);
  check("/?meterId=UP&date=01-01-2019", R"(200 {"meterId":"UP","date":"01-01-2019","sum":36})");
  EXPECT_EQ(get(stored.headers.at("Location")).body, stored.body);

  const Response again = ask(upload(target, rows + "\n"));
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(again.body, HasSubstr(R"("state":"skipped")"));
}

TEST_F(Api, AnUploadWithoutAUnitIsRefusedUntilTheStoreHasOne) {
  std::string rows = "Meter,Date,0:00,1:00\nUP,2019-01-01,1,2\n";
  const Response refused = ask(upload("/v1/deliveries?source=a", rows));
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("unit=kWh for an upload"));
  EXPECT_EQ(ask(upload("/v1/deliveries?source=a&unit=unknown", rows)).status, 201);
  const Response stored = ask(upload("/v1/deliveries?source=b", rows));
  EXPECT_EQ(stored.status, 201) << stored.body;
  EXPECT_THAT(stored.body, HasSubstr(R"("unit":null)"));
  const Response other = ask(upload("/v1/deliveries?source=c&unit=kWh", rows));
  EXPECT_EQ(other.status, 201) << other.body;
  EXPECT_THAT(other.body, HasSubstr(R"("findingCounts":{"unit_differs":1})"));
}

TEST_F(Api, AnUploadSaysWhenItWasDelivered) {
  std::string rows = "Meter,Date,0:00,1:00\nUP,2019-01-01,1,2\n";
  const auto target = [](const std::string& at) {
    return "/v1/deliveries?unit=kWh&deliveredAt=" + at;
  };
  const Response stored = ask(upload(target("2019-01-02T03:04:05Z"), rows));
  EXPECT_EQ(stored.status, 201) << stored.body;
  EXPECT_THAT(stored.body, HasSubstr(R"("deliveredAt":"2019-01-02T03:04:05Z")"));
  EXPECT_EQ(ask(upload(target("2019-01-02T03:04:05Z"), rows)).status, 200);
  EXPECT_EQ(ask(upload(target("2019-01-03"), rows)).status, 201) << "it is dated anew";
  auto in_time = context();
  in_time.ingest.now = in_time.now;
  const Response ahead = handle(upload(target("2100-01-01"), rows), in_time);
  EXPECT_THAT(ahead.body, HasSubstr(R"("deliveredAt":"2019-02-12T19:33:20Z")"));
  EXPECT_THAT(ahead.body, HasSubstr(R"("findingCounts":{"delivery_in_future":1})"));
  const Response refused = ask(upload(target("yesterday"), rows));
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("deliveredAt"));
}

TEST_F(Api, AnUploadOfWhichNoRowCouldBeStoredIsRefused) {
  const Response response =
      ask(upload("/v1/deliveries?source=x&unit=kWh",
                 "Meter,Date,0:00,1:00\nUP,01/02/2019,1,2\nUP,02/02/2019,1,2\n"));
  EXPECT_EQ(response.status, 422);
  EXPECT_THAT(response.body, HasSubstr(R"("state":"refused")"));
  EXPECT_THAT(response.body, HasSubstr("none of its rows could be stored (2 read: bad_date 2)"));
  EXPECT_THAT(response.body, HasSubstr(R"("findingCounts":{"bad_date":2})"));
}

TEST_F(Api, RefusesAnUploadThatIsNone) {
  EXPECT_EQ(ask(request_of("POST", "/v1/deliveries")).status, 400);
  EXPECT_EQ(ask(upload("/v1/deliveries", "")).status, 400);
  EXPECT_EQ(ask(upload("/v1/deliveries?unit=litre", two_rows)).status, 400);
  EXPECT_EQ(ask(upload("/v1/deliveries?source=", two_rows)).status, 400);
  EXPECT_EQ(ask(upload("/v1/deliveries?source=a%0Ab", two_rows)).status, 400);
  EXPECT_EQ(ask(upload("/v1/deliveries?source=" + std::string(256, 'a'), two_rows)).status, 400);
}

/// Before the body has come: 100 where it is wanted.
TEST_F(Api, DecidesByTheHeaderWhetherABodyIsWanted) {
  const auto status = [&](std::string target, std::uint64_t bytes = 0) {
    Request request = request_of("POST", std::move(target));
    request.body_is_to_come = true;
    request.body_bytes = bytes;
    return ask(request).status;
  };
  const std::string withdraw = "/v1/deliveries/" + newest_.id.text() + "/withdraw";
  EXPECT_EQ(status("/v1/deliveries?source=a.csv&unit=kWh", 1 << 30), 100);
  EXPECT_EQ(status("/v1/deliveries"), 100);
  EXPECT_EQ(status(withdraw, 100), 100);
  EXPECT_EQ(status(withdraw), 100);
  EXPECT_EQ(status(withdraw, 100'000), 400);
  EXPECT_EQ(status("/v1/deliveries?unit=litre"), 400);
  EXPECT_EQ(status("/v1/deliveries?nope=1"), 400);
  EXPECT_EQ(status("/v1/nothing"), 404);
  EXPECT_EQ(status("/v1/meters"), 405);
  EXPECT_EQ(status("/" + std::string(9000, 'a')), 414);
}

TEST_F(Api, QuestionsAboutAllMetersEndWhenTheyAreToldTo) {
  const std::atomic<bool> stop = true;
  for (const char* target :
       {"/v1/portfolio?from=2019-01-01&to=2019-12-31", "/v1/gaps?from=2019-01-01&to=2019-12-31",
        "/v1/portfolio?from=2019-01-01&to=2019-12-31&asOf=2030-01-01",
        "/v1/changes?since=2019-01-01"}) {
    Request request = request_of("GET", target);
    EXPECT_EQ(ask(request).status, 200) << target;
    request.stop = &stop;
    EXPECT_EQ(ask(request).status, 503) << target;
  }
}

TEST_F(Api, RefusesUploadsFromPagesOfOtherSites) {
  Request request = upload("/v1/deliveries?unit=litre", two_rows);
  request.headers = {{"host", "localhost:8080"}, {"origin", "http://elsewhere.example"}};
  EXPECT_EQ(ask(request).status, 403);
  request.headers["origin"] = "null";
  EXPECT_EQ(ask(request).status, 403);
  request.headers["origin"] = "http://localhost:8080";
  EXPECT_EQ(ask(request).status, 400);  // Only the unit is wrong now.
  for (const char* site : {"cross-site", "same-site"}) {
    request.headers["sec-fetch-site"] = site;
    EXPECT_EQ(ask(request).status, 403) << site;
  }
  for (const char* site : {"same-origin", "none"}) {
    request.headers["sec-fetch-site"] = site;
    EXPECT_EQ(ask(request).status, 400) << site;
  }
}

TEST_F(Api, AnswersNoPageOfAnotherSiteButALinkFromThere) {
  Request request = request_of("GET", "/v1/meters");
  request.headers = {{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "no-cors"}};
  EXPECT_EQ(ask(request).status, 403);
  request.headers["sec-fetch-mode"] = "cors";
  EXPECT_EQ(ask(request).status, 403);
  Request contract = request_of("GET", "/?meterId=A&date=01-01-2019");
  contract.headers = request.headers;
  EXPECT_EQ(ask(contract).status, 200) << "The first customer's contract stays as it was.";
  request.headers["sec-fetch-mode"] = "navigate";
  EXPECT_EQ(ask(request).status, 200);
  request.headers = {{"sec-fetch-site", "same-site"}, {"sec-fetch-mode", "cors"}};
  EXPECT_EQ(ask(request).status, 200);
}

TEST_F(Api, WithdrawsADeliveryAndBringsItBack) {
  const std::string path = "/v1/deliveries/" + newest_.id.text() + "/withdraw";
  const auto daily = [&](std::string_view sum) {
    check("/?meterId=EE00028&date=01-01-2019",
          R"(200 {"meterId":"EE00028","date":"01-01-2019","sum":)" + std::string(sum) + "}");
  };
  daily("24");
  const Response withdrawn = ask(upload(path, R"({"reason":"wrong meters","who":"ann"})"));
  EXPECT_EQ(withdrawn.status, 200) << withdrawn.body;
  EXPECT_THAT(withdrawn.body, HasSubstr(R"({"changed":true,"delivery":{"id":"01000000)"));
  EXPECT_THAT(withdrawn.body, HasSubstr(R"("state":"withdrawn")"));
  EXPECT_THAT(withdrawn.body, HasSubstr(R"("events":[{"kind":"withdrawn",)"
                                        R"("at":"2019-02-12T19:33:20Z","who":"ann",)"
                                        R"("reason":"wrong meters"}])"));
  daily("0");
  EXPECT_THAT(get("/v1/meters/EE00027/consumption?from=2019-01-01&asOf=2019-02-12T19:33:19Z").body,
              HasSubstr(R"("sum":65,)"));
  EXPECT_THAT(get("/v1/meters/EE00027/history?date=2019-01-01").body,
              HasSubstr(R"("state":"withdrawn","events":[{"kind":"withdrawn")"));
  EXPECT_THAT(get("/v1/deliveries?withdrawn=true").body, HasSubstr(R"("state":"withdrawn")"));
  EXPECT_THAT(ask(upload(path, R"({"reason":"again"})")).body, HasSubstr(R"({"changed":false,)"));

  const Response back = ask(request_of("DELETE", path + "?who=bob&reason=my%20mistake"));
  EXPECT_EQ(back.status, 200) << back.body;
  EXPECT_THAT(back.body, HasSubstr(R"({"kind":"restored","at":"2019-02-12T19:33:20.000001Z",)"
                                   R"("who":"bob","reason":"my mistake"}])"));
  EXPECT_EQ(back.headers.count("ETag"), 0U);
  daily("24");
  EXPECT_THAT(get("/v1/deliveries?withdrawn=true").body, HasSubstr(R"({"deliveries":[],)"));
  EXPECT_THAT(ask(request_of("DELETE", path)).body, HasSubstr(R"({"changed":false,)"));
}

TEST_F(Api, AnUploadOfWhatIsWithdrawnSaysSo) {
  const std::string rows = "Meter,Date,0:00,1:00\nUP,2019-01-01,1,2\n";
  const std::string target = "/v1/deliveries?source=x&unit=kWh";
  const std::string path = ask(upload(target, rows)).headers.at("Location") + "/withdraw";
  ASSERT_EQ(ask(upload(path, R"({"reason":"not ours","who":"ann"})")).status, 200);
  const Response again = ask(upload(target, rows));
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(again.body, HasSubstr(R"("state":"skipped","reason":"withdrawn )"));
  EXPECT_THAT(again.body, HasSubstr("by ann: not ours; `meterline withdraw "));
}

TEST_F(Api, RefusesAWithdrawalThatIsNone) {
  const std::string path = "/v1/deliveries/" + newest_.id.text() + "/withdraw";
  const auto refused_for = [&](const Request& request, int status, const std::string& part) {
    const Response response = ask(request);
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_THAT(response.body, HasSubstr(part));
  };
  const std::string said = R"({"reason":"x"})";
  refused_for(request_of("POST", path), 400, "there is none");
  refused_for(upload(path, "reason=x"), 400, "wanted JSON");
  refused_for(upload(path, "[]"), 400, "no object");
  refused_for(upload(path, R"({"reason":7})"), 400, R"(\"reason\")");
  refused_for(upload(path, R"({"reason":"x","whom":"ann"})"), 400, R"(\"whom\")");
  refused_for(upload(path, R"({"who":"ann"})"), 400, "reason: want 1 to 1000 bytes");
  refused_for(upload(path, R"({"reason":"x","who":"a\nb"})"), 400, "who: want 1 to 100 bytes");
  refused_for(upload(path, std::string(17 << 10, ' ')), 400, "at most 16384 are taken");
  refused_for(upload(path + "?reason=x", said), 400, "reason");
  refused_for(upload("/v1/deliveries/ab/withdraw", said), 404, "no delivery");
  refused_for(upload("/v1/deliveries/" + DeliveryId().text() + "/withdraw", said), 404,
              "no delivery");
  refused_for(request_of("GET", path), 405, "which takes POST, DELETE");
  refused_for(request_of("GET", "/v1/deliveries?withdrawn=no"), 400, "withdrawn: want true");
  for (const std::string method : {"POST", "DELETE"}) {
    Request request = upload(path, said);
    request.method = method;
    request.headers = {{"host", "localhost:8080"}, {"origin", "http://elsewhere.example"}};
    refused_for(request, 403, "Origin");
  }
  EXPECT_THAT(get("/v1/deliveries?withdrawn=true").body, HasSubstr(R"({"deliveries":[],)"));
}

TEST_F(Api, GivesJsonOrCsv) {
  Request request = request_of("GET", "/v1/meters?limit=1");
  const auto type_for = [&](const std::string& accept) {
    request.headers["accept"] = accept;
    const Response response = ask(request);
    return response.status == 200 ? response.content_type : std::to_string(response.status);
  };
  for (const char* accept :
       {"", "*/*", "application/json", "Application/JSON;q=0.5", "text/html, */*;q=0.8",
        "text/csv;q=0.5, application/*", "text/csv, application/json", "text/*;q=0.1, */*"})
    EXPECT_EQ(type_for(accept), "application/json") << accept;
  for (const char* accept : {"text/csv", "TEXT/CSV ; q=1", "text/*", "text/csv, */*;q=0.9",
                             "application/json;q=0.2,text/csv;q=0.25", "*/*, application/json;q=0"})
    EXPECT_EQ(type_for(accept), "text/csv; charset=utf-8") << accept;
  for (const char* accept : {"text/html", "text/csv;q=0", "image/*", "text/csv;q=x"})
    EXPECT_EQ(type_for(accept), "406") << accept;
}

TEST_F(Api, AnswersNotModifiedToAKnownTag) {
  Request request = request_of("GET", "/v1/meters");
  const std::string tag = ask(request).headers.at("ETag");
  for (const std::string& known : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    request.headers["if-none-match"] = known;
    const Response response = ask(request);
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.headers.at("ETag"), tag);
  }
  request.headers["if-none-match"] = "\"x\"";
  EXPECT_EQ(ask(request).status, 200);
  request.target = Target("/v1/meters?limit=1");
  request.headers["if-none-match"] = tag;
  EXPECT_EQ(ask(request).status, 200);
}

TEST_F(Api, LeadsABrowserToThePageAndNobodyElse) {
  const bool has_page = !page_files().empty();
  Request request = request_of("GET", "/");
  for (const char* accept : {"text/html", "text/html,application/xml;q=0.9,*/*;q=0.8"}) {
    request.headers["accept"] = accept;
    EXPECT_EQ(ask(request).status, has_page ? 307 : 400) << accept;
  }
  request.headers["accept"] = "text/html";
  EXPECT_EQ(ask(request).headers["Location"], has_page ? "ui/" : "");
  request.target = Target("/?meterId=EE00027&date=01-01-2019");
  EXPECT_EQ(ask(request).content_type, "application/json");
  request.target = Target("/");
  for (const char* accept : {"*/*", "application/json", "text/html;q=0", "text/*"}) {
    request.headers["accept"] = accept;
    EXPECT_EQ(ask(request).status, 400) << accept;
  }
  EXPECT_EQ(get("/ui").headers.at("Location"), "ui/");
}

TEST_F(Api, ServesThePagePackedForGoodAndAsItIs) {
  refused("/ui/other.js", 404, page_files().empty() ? "METERLINE_WEB" : "no file");
  for (const PageFile& file : page_files()) {
    Request request = request_of("GET", "/ui/" + std::string(file.name));
    request.headers["accept-encoding"] = "gzip";
    const Response packed = ask(request);
    EXPECT_EQ(packed.body, file.packed);
    EXPECT_EQ(packed.headers.at("ETag"), file.etag);
    EXPECT_EQ(packed.headers.at("Content-Encoding"), "gzip");
    EXPECT_EQ(packed.headers.at("Cache-Control"),
              file.name.empty() ? "no-cache" : "public, max-age=31536000, immutable");
    EXPECT_THAT(packed.headers.at("Content-Security-Policy"), HasSubstr("default-src 'none'"));
    request.headers["if-none-match"] = std::string(file.etag);
    EXPECT_EQ(ask(request).status, 304);
    request.headers = {};
    const Response plain = ask(request);
    EXPECT_EQ(plain.headers.count("Content-Encoding"), 0U);
    EXPECT_NE(plain.headers.at("ETag"), file.etag);
    EXPECT_GT(plain.body.size(), 0U);
  }
}

TEST_F(Api, KnowsItsRoutesAndMethods) {
  refused("/v1", 404, "nothing is at /v1");
  refused("/v1/meters/", 404, "no meter");
  refused("/v1/meters/a/b", 404, "nothing is at");
  refused("/v1/meters%2FEE00027", 404, "nothing is at");
  refused("/v1/%zz", 400, "percent-encoding");
  refused("/v1/meters?prefix=" + std::string(9000, 'a'), 414, "8192");
  const Response response = ask(request_of("DELETE", "/v1/deliveries"));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.at("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(ask(request_of("POST", "/v1/meters")).headers.at("Allow"), "GET, HEAD");
  EXPECT_EQ(ask(request_of("HEAD", "/v1/meters")).body, get("/v1/meters").body);
  EXPECT_EQ(get("http://localhost:8080/v1/meters").status, 200);
}

TEST_F(Api, NamesRoutesForMetrics) {
  const auto route = [](std::string target) {
    return std::string(Target(std::move(target)).name());
  };
  EXPECT_EQ(route("/?meterId=1"), "legacy");
  EXPECT_EQ(route("/v1/meters/x/consumption?from=1"), "consumption");
  EXPECT_EQ(route("/v1/deliveries/x/findings"), "findings");
  EXPECT_EQ(route("/v1/gaps?date=1"), "gaps");
  EXPECT_EQ(route("/v1/meters/x/gaps"), "meter_gaps");
  EXPECT_EQ(route("/v1/meters/x/history"), "history");
  EXPECT_EQ(route("/v1/meters/x/profile?from=1"), "profile");
  EXPECT_EQ(route("/v1/top?from=1"), "top");
  EXPECT_EQ(route("/v1/meters/x/registers?limit=1"), "registers");
  EXPECT_EQ(route("/healthz"), "health");
  EXPECT_EQ(route("/ui/"), "page");
  EXPECT_EQ(route("/ui/page-1.js"), "page");
  EXPECT_EQ(route("/favicon.ico"), "unknown");
  EXPECT_EQ(route("/%"), "unknown");
}

TEST_F(Api, TellsHealthAndReadiness) {
  check("/healthz", R"(200 {"status":"ok"})");
  check("/readyz", R"(200 {"status":"ready"})");
  stopping_ = true;
  check("/healthz", R"(200 {"status":"ok"})");
  refused("/readyz", 503, "stopping");
}

TEST_F(Api, TellsHowMuchAnAnswerReads) {
  const auto reads = [](std::string target) { return Target(std::move(target)).reads(); };
  for (const char* target : {"/healthz", "/nothing", "/%zz", "/metrics",
                             "/v1/export?table=readings&from=2019-01-01&wide=false"})
    EXPECT_EQ(reads(target), Reads::nothing) << target;
  for (const char* target : {"/?meterId=EE00027&date=01-01-2019", "/v1/meters/EE00027",
                             "/v1/meters/EE00027/consumption?from=2019-01-01"})
    EXPECT_EQ(reads(target), Reads::little) << target;
  for (const char* target :
       {"/readyz", "/v1/meters", "/v1/meters/EE00027/consumption?from=2019-01-01&to=2019-01-02",
        "/v1/deliveries", "/v1/meters/EE00027/gaps"})
    EXPECT_EQ(reads(target), Reads::some) << target;
  for (const char* target :
       {"/v1/portfolio?from=2019-01-01", "/v1/gaps", "/v1/changes",
        "/v1/export?table=readings&from=2019-01-01&wide=true",
        "/v1/meters/EE00027/consumption?from=2019-01-01&t%6f=2019-01-02",
        "/v1/meters/EE00027/consumption?from=2019-01-01&to=2019-01-02&resolution=interval",
        "/v1/meters/EE00027/consumption?from=2019-01-01&to=2019-01-02&resolution=hour"})
    EXPECT_EQ(reads(target), Reads::much) << target;
}

}  // namespace
}  // namespace meterline::api
