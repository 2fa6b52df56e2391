#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/api.h"
#include "query/tariff.h"
#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::api {
namespace {

using meterline::testing::delivery_of;
using meterline::testing::must;
using ::testing::HasSubstr;

const std::string stated =
    R"("version":{"stated":"2019-02-01T05:46:41Z","received":"2019-02-01T05:46:41Z"})";

std::string actual(int readings, int expected) {
  return fmt::format(
      R"("readings":{},"expected":{},"quality":{{"actual":{},"substituted":0,"estimated":0,)"
      R"("missing":{}}},)",
      readings, expected, readings, expected - readings);
}

class Questions : public ::testing::Test {
 protected:
  Questions() {
    must(meterline::testing::load(
        *store_, delivery_of(1'549'000'001, 1,
                             {"A 2019-01-01 60 1x24", "A 2018-01-01 60 1.5x23 -",
                              "B 2019-01-01 60 2x24", "B 2019-01-03 B1/generation/kWh 60 1x24"})));
    tariffs_.emplace("nights", must(query::Tariff::parse("otherwise = 'night'\n"
                                                         "[[rule]]\n"
                                                         "band = 'day'\n"
                                                         "times = '07:00-23:00'\n",
                                                         "nights")));
  }

  Response get(const std::string& target, const std::string& accept = "") const {
    Request request{.method = "GET", .target = target, .headers = {}, .body = {}};
    if (!accept.empty()) request.headers["accept"] = accept;
    return handle(request, {.store = *store_,
                            .ingest = {},
                            .now = [] { return Instant{}; },
                            .on_upload = {},
                            .tariffs = &tariffs_});
  }
  void check(const std::string& target, const std::string& want) const {
    const auto response = get(target);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.body, want + "\n");
  }
  void check_csv(const std::string& target, const std::string& want) const {
    EXPECT_EQ(get(target, "text/csv").body, want);
  }
  void refused(const std::string& target, int status, const std::string& part) const {
    const auto response = get(target);
    EXPECT_EQ(response.status, status) << target;
    EXPECT_THAT(response.body, HasSubstr(part));
  }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  query::Tariffs tariffs_;
};

TEST_F(Questions, ComparesTwoPeriodsOfAMeter) {
  const std::string asked = "/v1/meters/A/compare?from=2019-01-01";
  check(asked, R"({"meter":"A","from":"2019-01-01","to":"2019-01-01",)"
               R"("against":{"from":"2018-01-01","to":"2018-01-01"},"asOf":null,)"
               R"("channels":[{"channel":"consumption","flow":"consumption","unit":"kWh",)"
               R"("sum":24,)" +
                   actual(24, 24) + stated + R"(,"against":{"sum":34.5,)" + actual(23, 24) +
                   stated + R"(},"difference":-10.5,"percent":-30.434783}]})");
  check_csv(asked + "&against=52-weeks-before&unit=MWh",
            "meter,channel,flow,unit,sum,readings,expected,againstSum,againstReadings,"
            "againstExpected,difference,percent\n"
            "A,consumption,consumption,MWh,0.024,24,24,,0,24,,\n");
  EXPECT_EQ(get(asked + "&againstFrom=2018-01-01").body, get(asked + "&against=year-before").body);
  EXPECT_THAT(get(asked + "&against=period-before").body,
              HasSubstr(R"("against":{"from":"2018-12-31","to":"2018-12-31"})"));
  EXPECT_THAT(get(asked + "&asOf=2019-01-15&flow=consumption&channel=consumption").body,
              HasSubstr(R"("asOf":"2019-01-15T23:59:59.999999Z")"));
  EXPECT_THAT(get(asked + "&channel=B1").body, HasSubstr(R"("channels":[])"));
}

TEST_F(Questions, ComparesTwoPeriodsOfAllMeters) {
  const std::string asked = "/v1/compare?from=2019-01-01&flow=consumption";
  check(asked, R"({"from":"2019-01-01","to":"2019-01-01",)"
               R"("against":{"from":"2018-01-01","to":"2018-01-01"},"asOf":null,)"
               R"("channels":[{"channel":"consumption","flow":"consumption","unit":"kWh",)"
               R"("sum":72,"average":36,"meters":2,"metersIncomplete":0,)" +
                   actual(48, 48) + stated +
                   R"(,"against":{"sum":34.5,"average":34.5,"meters":1,"metersIncomplete":1,)" +
                   actual(23, 24) + stated + R"(},"difference":37.5,"percent":108.695652}]})");
  check_csv(asked,
            "channel,flow,unit,sum,readings,expected,meters,againstSum,againstReadings,"
            "againstExpected,againstMeters,difference,percent\n"
            "consumption,consumption,kWh,72,48,48,2,34.5,23,24,1,37.5,108.695652\n");
}

TEST_F(Questions, RefusesWrongComparisons) {
  const std::string asked = "/v1/meters/A/compare?from=2019-01-01";
  refused("/v1/meters/A/compare", 400, "from is missing");
  refused(asked + "&against=last-year", 400,
          "against: want year-before, 52-weeks-before or period-before, got \\\"last-year\\\"");
  refused(asked + "&against=year-before&againstFrom=2018-01-01", 400, "not both");
  refused(asked + "&againstTo=2018-01-01", 400, "againstFrom is missing");
  refused(asked + "&againstFrom=2018-01-02&againstTo=2018-01-01", 400, "is before `from`");
  refused(asked + "&to=2018-01-01", 400, "is before `from`");
  refused(asked + "&resolution=day", 400, "unknown parameter");
  refused("/v1/meters/nobody/compare?from=2019-01-01", 404, "meter nobody is not known");
  refused("/v1/compare?from=1900-01-01", 400, "would begin before 1900-01-01");
  EXPECT_EQ(get("/v1/compare?from=2019-01-01", "image/png").status, 406);
}

TEST_F(Questions, SumsByTimeOfUse) {
  const std::string asked = "/v1/meters/A/time-of-use?from=2019-01-01&tariff=nights";
  const auto bands = [](const std::string& day, const std::string& night) {
    return R"("bands":[{"band":"day",)" + day + R"("straddling":0},{"band":"night",)" + night +
           R"("straddling":0}])";
  };
  const auto both = bands(R"("sum":16,)" + actual(16, 16) + stated + ",",
                          R"("sum":8,)" + actual(8, 8) + stated + ",");
  const std::string head =
      R"({"meter":"A","from":"2019-01-01","to":"2019-01-01","tariff":"nights","resolution":)";
  const std::string channel =
      R"(,"asOf":null,"channels":[{"channel":"consumption","flow":"consumption","unit":"kWh",)"
      R"("sum":24,)" +
      actual(24, 24) + stated + "," + both;
  check(asked,
        head + R"("month")" + channel + R"(,"series":[{"start":"2019-01-01",)" + both + "}]}]}");
  check(asked + "&resolution=total", head + R"("total")" + channel + R"(,"series":[]}]})");
  const std::string rows =
      "meter,channel,flow,unit,start,band,sum,straddling,readings,expected,actual,substituted,"
      "estimated,missing,stated,received\n"
      "A,consumption,consumption,kWh,2019-01-01,day,16,0,16,16,16,0,0,0,2019-02-01T05:46:41Z,"
      "2019-02-01T05:46:41Z\n"
      "A,consumption,consumption,kWh,2019-01-01,night,8,0,8,8,8,0,0,0,2019-02-01T05:46:41Z,"
      "2019-02-01T05:46:41Z\n";
  check_csv(asked, rows);
  check_csv(asked + "&resolution=total", rows);
  EXPECT_THAT(get(asked + "&unit=MWh&asOf=2020-01-01&flow=consumption&channel=consumption").body,
              HasSubstr(R"("sum":0.016)"));
}

TEST_F(Questions, RefusesUnknownTariffs) {
  const std::string asked = "/v1/meters/A/time-of-use?from=2019-01-01";
  refused(asked, 400, "tariff is missing: want one of nights");
  refused(asked + "&tariff=days", 400, "tariff: want one of nights, got \\\"days\\\"");
  refused(asked + "&tariff=../nights", 400, "tariff: want one of nights");
  for (int i = 10; i < 40; ++i)
    tariffs_.emplace(fmt::format("t{}", i), query::Tariff::parse("otherwise = 'o'", "t").value());
  refused(asked + "&tariff=days", 400, "t27, t28, ..., got \\\"days\\\"");
  refused(asked + "&tariff=nights&resolution=hour", 400,
          "resolution: want day, week, month, quarter, year or total, got \\\"hour\\\"");
  refused("/v1/meters/nobody/time-of-use?from=2019-01-01&tariff=nights", 404, "is not known");
  const auto without =
      handle({.method = "GET", .target = asked + "&tariff=nights", .headers = {}, .body = {}},
             {.store = *store_, .ingest = {}, .now = [] { return Instant{}; }, .on_upload = {}});
  EXPECT_EQ(without.status, 400);
  EXPECT_THAT(without.body, HasSubstr("this server knows none"));
}

TEST_F(Questions, TellsTheBaseLoad) {
  const std::string asked = "/v1/meters/A/base-load?from=2019-01-01&to=2019-01-02";
  check(asked, R"({"meter":"A","from":"2019-01-01","to":"2019-01-02","asOf":null,)"
               R"("channels":[{"channel":"consumption","flow":"consumption","unit":"kWh",)"
               R"("base":1,"baseUnit":"kW","days":2,"complete":1,"intervals":24}]})");
  check_csv(asked,
            "meter,channel,flow,unit,base,baseUnit,days,complete,intervals\n"
            "A,consumption,consumption,kWh,1,kW,2,1,24\n");
  EXPECT_THAT(get(asked + "&asOf=2019-01-01").body, HasSubstr(R"("base":null)"));
  refused("/v1/meters/nobody/base-load?from=2019-01-01", 404, "is not known");
  refused(asked + "&unit=MWh", 400, "unknown parameter");
}

TEST_F(Questions, TellsWhichMetersAreLate) {
  check("/v1/late?since=2019-01-03",
        R"({"since":"2019-01-03","by":"day","meters":[{"meter":"A","channels":[)"
        R"({"channel":"consumption","flow":"consumption","unit":"kWh","last":"2019-01-01"}]}],)"
        R"("next":null})");
  check_csv("/v1/late?since=2019-01-04",
            "meter,channel,flow,unit,last\n"
            "A,consumption,consumption,kWh,2019-01-01\n"
            "B,B1,generation,kWh,2019-01-03\n"
            "B,consumption,consumption,kWh,2019-01-01\n");
  check("/v1/late?since=2019-02-01T00:00:00Z&by=receipt",
        R"({"since":"2019-02-01T00:00:00Z","by":"receipt","meters":[],"next":null})");
  EXPECT_THAT(get("/v1/late?since=2019-02-01&by=receipt").body,
              HasSubstr(R"({"meter":"A","channels")"));
}

TEST_F(Questions, PagesOfLateMetersFollowEachOther) {
  const auto first = get("/v1/late?since=2019-01-04&limit=1&flow=consumption");
  EXPECT_THAT(first.body, HasSubstr(R"("next":"A")"));
  EXPECT_EQ(first.headers.at("Link"),
            "</v1/late?since=2019-01-04&by=day&flow=consumption&limit=1&cursor=A>; rel=\"next\"");
  const auto second = get("/v1/late?since=2019-01-04&by=day&flow=consumption&limit=1&cursor=A");
  EXPECT_THAT(second.body, HasSubstr(R"("meter":"B")"));
  EXPECT_FALSE(second.headers.contains("Link"));
  EXPECT_EQ(get("/v1/late?since=2019-02-01T08:00:00%2B01:00&by=receipt&limit=1&channel=B1")
                .headers.contains("Link"),
            false);
}

TEST_F(Questions, RefusesWrongQuestionsForLateMeters) {
  refused("/v1/late", 400, "since is missing: want a day like 2019-01-31");
  refused("/v1/late?since=2019-02-01T00:00:00Z", 400, "since: want a day like 2019-01-31");
  refused("/v1/late?since=2019-02-30&by=receipt", 400, "since: want a day like 2019-01-31");
  refused("/v1/late?since=2019-02-01&by=file", 400, "by: want day or receipt");
  refused("/v1/late?since=2019-02-01&limit=0", 400, "limit: want a number from 1 to 1000");
  refused("/v1/late?since=2019-02-01&asOf=2019-02-01", 400, "unknown parameter");
}

}  // namespace
}  // namespace meterline::api
