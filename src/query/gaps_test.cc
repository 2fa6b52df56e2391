#include "query/gaps.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::second;
using meterline::testing::TestDelivery;
using ::testing::ElementsAre;

std::unique_ptr<store::Store> store_of(const std::vector<TestDelivery>& deliveries) {
  auto store = store::make_memory_store();
  for (const auto& each : deliveries)
    if (!load(*store, each)) throw std::runtime_error("load");
  return store;
}

DateRange dates(std::string_view from, std::string_view to) {
  return {.from = *Date::parse(from), .to = *Date::parse(to)};
}

GapsQuestion all_meters(std::string_view from, std::string_view to,
                        Absent absent = Absent::listed) {
  return {.dates = dates(from, to),
          .channel = {},
          .flow = {},
          .as_of = {},
          .absent = absent,
          .after = {}};
}

std::string line_of(const MeterId& meter, const ChannelDays& days) {
  return fmt::format("{} {}/{}: {} stored, {} complete, first gap {}", meter.text(),
                     days.channel.name, text_of(days.channel.unit), days.stored, days.complete,
                     days.first_gap.text());
}

std::string line_of(const GapsTotal& total) {
  return fmt::format("{} of {} meters; {} days, {} stored, {} complete", total.meters_with_gaps,
                     total.meters, total.days, total.stored, total.complete);
}

/// The total, then a line for each channel, then `...` when there is more.
std::vector<std::string> lines_of(const Result<Gaps>& answer) {
  if (!answer) return {answer.error().message};
  std::vector<std::string> lines = {line_of(answer->total)};
  for (const auto& [meter, channels] : answer->meters)
    for (const auto& channel : channels) lines.push_back(line_of(meter, channel));
  if (answer->more) lines.emplace_back("...");
  return lines;
}

const std::vector<std::string> some_days = {
    "A 2019-01-01 60 1x24",        "A 2019-01-02 60 1x24", "A 2019-01-03 60 1x24",
    "B 2019-01-01 60 1x24",        "B 2019-01-03 60 1x24", "C 2019-01-01 60 1x24",
    "C 2019-01-02 60 1x23 -",      "C 2019-01-03 60 -x24", "D 2018-12-31 60 1x24",
    "E 2019-01-02 E1/other/ 60 1", "E 2019-01-04 60 1x24"};

TEST(GapsOfAllMeters, AreThoseOfMissingAndOfIncompleteDays) {
  const auto store = store_of({delivery_of(7, 1, some_days)});
  EXPECT_THAT(lines_of(gaps(*store, all_meters("2019-01-01", "2019-01-03"))),
              ElementsAre("4 of 5 meters; 18 days, 9 stored, 7 complete",
                          "B consumption/kWh: 2 stored, 2 complete, first gap 2019-01-02",
                          "C consumption/kWh: 3 stored, 1 complete, first gap 2019-01-02",
                          "D consumption/kWh: 0 stored, 0 complete, first gap 2019-01-01",
                          "E E1/: 1 stored, 1 complete, first gap 2019-01-01",
                          "E consumption/kWh: 0 stored, 0 complete, first gap 2019-01-01"));
}

TEST(GapsOfAllMeters, AbsentMetersAndChannelsCanBeLeftOut) {
  const auto store = store_of({delivery_of(7, 1, some_days)});
  EXPECT_THAT(lines_of(gaps(*store, all_meters("2019-01-01", "2019-01-03", Absent::left_out))),
              ElementsAre("3 of 4 meters; 12 days, 9 stored, 7 complete",
                          "B consumption/kWh: 2 stored, 2 complete, first gap 2019-01-02",
                          "C consumption/kWh: 3 stored, 1 complete, first gap 2019-01-02",
                          "E E1/: 1 stored, 1 complete, first gap 2019-01-01"));
}

TEST(GapsOfAllMeters, AreListedInPagesUnderTheTotalOfAll) {
  const auto store = store_of({delivery_of(7, 1, some_days)});
  auto question = all_meters("2019-01-02", "2019-01-02");
  question.limit = 2;
  const std::string total = "4 of 5 meters; 6 days, 3 stored, 2 complete";
  EXPECT_THAT(lines_of(gaps(*store, question)),
              ElementsAre(total, "B consumption/kWh: 0 stored, 0 complete, first gap 2019-01-02",
                          "C consumption/kWh: 1 stored, 0 complete, first gap 2019-01-02", "..."));
  question.after = *MeterId::parse("C");
  EXPECT_THAT(lines_of(gaps(*store, question)),
              ElementsAre(total, "D consumption/kWh: 0 stored, 0 complete, first gap 2019-01-02",
                          "E consumption/kWh: 0 stored, 0 complete, first gap 2019-01-02"));
  question.after = *MeterId::parse("E");
  EXPECT_THAT(lines_of(gaps(*store, question)), ElementsAre(total));
}

TEST(GapsOfAllMeters, ChannelsAreFilteredByNameAndFlow) {
  const auto store = store_of({delivery_of(7, 1, some_days)});
  auto question = all_meters("2019-01-01", "2019-01-04");
  question.channel = "E1";
  const auto only = ElementsAre("1 of 1 meters; 4 days, 1 stored, 1 complete",
                                "E E1/: 1 stored, 1 complete, first gap 2019-01-01");
  EXPECT_THAT(lines_of(gaps(*store, question)), only);
  question.channel.reset();
  question.flow = Flow::other;
  EXPECT_THAT(lines_of(gaps(*store, question)), only);
  question.channel = "consumption";
  EXPECT_THAT(lines_of(gaps(*store, question)),
              ElementsAre("0 of 0 meters; 0 days, 0 stored, 0 complete"));
}

TEST(GapsOfAllMeters, AreToldAsOfATime) {
  const auto store = store_of({delivery_of(7, 1, {"A 2019-01-01 60 1x23 -"}),
                               delivery_of(9, 2, {"A 2019-01-01 60 -x23 1"})});
  auto question = all_meters("2019-01-01", "2019-01-01");
  EXPECT_EQ(lines_of(gaps(*store, question)).front(),
            "0 of 1 meters; 1 days, 1 stored, 1 complete");
  question.as_of = second(8);
  EXPECT_EQ(lines_of(gaps(*store, question)).front(),
            "1 of 1 meters; 1 days, 1 stored, 0 complete");
  question.as_of = second(6);
  EXPECT_EQ(lines_of(gaps(*store, question)).front(),
            "1 of 1 meters; 1 days, 0 stored, 0 complete");
  question.absent = Absent::left_out;
  EXPECT_EQ(lines_of(gaps(*store, question)).front(),
            "0 of 0 meters; 0 days, 0 stored, 0 complete");
}

TEST(GapsOfAllMeters, MoreMetersThanAPageOfThemAreAllSeen) {
  std::vector<std::string> days;
  for (int meter = 0; meter < 2000; ++meter)
    days.push_back(fmt::format("M{:04} 2019-01-{:02} 60 1", meter, 1 + meter % 2));
  const auto store = store_of({delivery_of(7, 1, days)});
  auto question = all_meters("2019-01-02", "2019-01-02");
  question.limit = 1;
  EXPECT_THAT(
      lines_of(gaps(*store, question)),
      ElementsAre("1000 of 2000 meters; 2000 days, 1000 stored, 1000 complete",
                  "M0000 consumption/kWh: 0 stored, 0 complete, first gap 2019-01-02", "..."));
}

template <class Ask>
void expect_refusals(const Ask& ask) {
  EXPECT_EQ(ask("2019-01-01", "2019-01-01"), std::nullopt);
  EXPECT_EQ(ask("2019-01-02", "2019-01-01"), Errc::invalid_argument);
  EXPECT_EQ(ask("1999-01-01", "2038-12-31"), std::nullopt);
  EXPECT_EQ(ask("1999-01-01", "2039-01-01"), Errc::too_large);
}

TEST(Gaps, RefuseWhatCannotBeAnswered) {
  const auto store = store_of({delivery_of(7, 1, {"A 2019-01-01 60 1"})});
  expect_refusals([&](const char* from, const char* to) {
    const auto answer = gaps(*store, all_meters(from, to));
    return answer ? std::nullopt : std::optional(answer.error().code);
  });
  expect_refusals([&](const char* from, const char* to) {
    const auto answer =
        meter_gaps(*store, {.meter = *MeterId::parse("A"), .dates = dates(from, to)});
    return answer ? std::nullopt : std::optional(answer.error().code);
  });
}

// --- One meter ------------------------------------------------------------------------------

/// `consumption: missing 2019-01-01 to 2019-01-02, 0 of ?`
std::vector<std::string> lines_of(const Result<MeterGaps>& answer) {
  if (!answer) return {answer.error().message};
  std::vector<std::string> lines;
  for (const auto& channel : answer->channels) {
    lines.push_back(fmt::format("{}/{}: {} stored, {} complete", channel.channel.name,
                                text_of(channel.channel.unit), channel.stored, channel.complete));
    for (const auto& gap : channel.gaps)
      lines.push_back(fmt::format("{} {} to {}, {} of {}", kind_of(gap), gap.dates.from.text(),
                                  gap.dates.to.text(), gap.readings,
                                  gap.expected ? std::to_string(*gap.expected) : "?"));
  }
  return lines;
}

TEST(GapsOfAMeter, AreRunsOfMissingDaysAndIncompleteDays) {
  const auto store = store_of(
      {delivery_of(7, 1,
                   {"A 2019-01-02 60 1x24", "A 2019-01-05 60 1x23 -", "A 2019-01-06 30 -x48",
                    "A 2019-01-07 60 1x24", "A 2018-01-01 B1/other/ 60 1"})});
  MeterGapsQuestion question{.meter = *MeterId::parse("A"),
                             .dates = dates("2018-12-30", "2019-01-09")};
  EXPECT_THAT(lines_of(meter_gaps(*store, question)),
              ElementsAre("B1/: 0 stored, 0 complete", "missing 2018-12-30 to 2019-01-09, 0 of ?",
                          "consumption/kWh: 4 stored, 2 complete",
                          "missing 2018-12-30 to 2019-01-01, 0 of ?",
                          "missing 2019-01-03 to 2019-01-04, 0 of ?",
                          "incomplete 2019-01-05 to 2019-01-05, 23 of 24",
                          "incomplete 2019-01-06 to 2019-01-06, 0 of 48",
                          "missing 2019-01-08 to 2019-01-09, 0 of ?"));
  question.flow = Flow::consumption;
  question.dates = dates("2019-01-07", "2019-01-07");
  EXPECT_THAT(lines_of(meter_gaps(*store, question)),
              ElementsAre("consumption/kWh: 1 stored, 1 complete"));
  question.dates = dates("2199-12-30", "2199-12-31");
  question.channel = "consumption";
  EXPECT_THAT(lines_of(meter_gaps(*store, question)),
              ElementsAre("consumption/kWh: 0 stored, 0 complete",
                          "missing 2199-12-30 to 2199-12-31, 0 of ?"));
}

TEST(GapsOfAMeter, AnUnknownMeterIsNotFound) {
  const auto store = store_of({delivery_of(7, 1, some_days)});
  const auto answer = meter_gaps(
      *store, {.meter = *MeterId::parse("Z"), .dates = dates("2019-01-01", "2019-01-01")});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::not_found);
  EXPECT_EQ(answer.error().message, "meter Z is not known: no file loaded so far has a day of it");
}

TEST(Gaps, OfWithdrawnDaysAreAsOfDaysThatNeverCame) {
  const auto kept = delivery_of(1, 1, {"A 2019-01-01 60 1x24"});
  const auto gone = delivery_of(
      2, 2,
      {"A 2019-01-02 60 1x24", "A 2019-01-01 B1/generation/Wh 60 1x24", "B 2019-01-01 60 1x24"});
  const auto store = store_of({kept, gone});
  const auto alone = store_of({kept});
  ASSERT_TRUE(store->add_event(gone.delivery.id, {.at = second(5), .who = "ann", .reason = "no"}));
  const auto span = dates("2019-01-01", "2019-01-02");
  for (const auto absent : {Absent::listed, Absent::left_out}) {
    const auto question = all_meters("2019-01-01", "2019-01-02", absent);
    const auto found = gaps(*store, question).value();
    const auto wanted = gaps(*alone, question).value();
    EXPECT_EQ(line_of(found.total), line_of(wanted.total));
    EXPECT_EQ(found.meters.size(), wanted.meters.size());
  }
  const auto of_meter = [&](std::string_view meter, std::optional<Instant> as_of) {
    return meter_gaps(*store, {.meter = *MeterId::parse(meter), .dates = span, .as_of = as_of});
  };
  EXPECT_EQ(of_meter("A", {}).value().channels.size(), 1U);
  EXPECT_EQ(of_meter("A", {}).value().channels.at(0).stored, 1);
  EXPECT_EQ(of_meter("A", second(4)).value().channels.size(), 2U);
  EXPECT_EQ(of_meter("B", {}).error().code, Errc::not_found);
  EXPECT_EQ(of_meter("B", second(4)).value().channels.at(0).stored, 1) << "it counted then";
}

}  // namespace
}  // namespace meterline::query
