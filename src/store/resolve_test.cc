#include "store/resolve.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/packed_day.h"
#include "testing/store_days.h"

namespace meterline::store {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::day_of;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::naive_days;
using meterline::testing::naive_total;
using meterline::testing::NaiveDay;
using meterline::testing::second;

/// Feeds versions newest first: the last line is the oldest, of second 1.
ResolvedDay resolve(const std::vector<std::string>& newest_first) {
  DayResolver resolver;
  auto seconds = static_cast<std::int64_t>(newest_first.size());
  for (const auto& slots : newest_first) {
    const ReadingDay day = day_of("A 2019-01-01 " + slots);
    std::string packed;
    pack_day(day, packed);
    const Instant at = second(seconds--);
    EXPECT_TRUE(resolver.add({.channel = day.channel,
                              .date = day.date,
                              .version = {.stated = at, .received = at, .tie = 0},
                              .delivery = {},
                              .packed = packed}));
  }
  return resolver.day();
}

/// `60: 1@2 - 3s@1; @2`: each reading with its version's second, then the day's.
std::string text_of(const ResolvedDay& day) {
  const auto at = [](Version version) { return version.stated.micros / 1'000'000; };
  std::ostringstream out;
  out << day.interval.minutes() << ':';
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
    const bool missing = day.qualities[slot] == Quality::missing;
    out << ' ';
    if (missing) out << '-';
    if (!missing) out << day.reading(slot);
    if (!missing && day.qualities[slot] != Quality::actual)
      out << meterline::text_of(day.qualities[slot])[0];
    out << '@' << at(day.part(slot).version);
  }
  out << "; @" << at(day.main.version);
  if (day.zone.is_known()) out << ' ' << day.zone;
  for (const auto& run : day.notes) out << ' ' << run;
  return out.str();
}

struct Case {
  std::string says;
  std::vector<std::string> newest_first;
  std::string expected;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.says; }
};

class Resolve : public ::testing::TestWithParam<Case> {};

TEST_P(Resolve, EachReadingIsOfTheNewestVersionThatHasIt) {
  EXPECT_EQ(text_of(resolve(GetParam().newest_first)), GetParam().expected);
}

const Case cases[] = {
    {"one complete version", {"60 1 -2.5 3e"}, "60: 1@1 -2.5@1 3e@1; @1"},
    {"one version with a hole", {"60 1 - 3"}, "60: 1@1 -@1 3@1; @1"},
    {"the newest wins", {"60 7 8s", "60 1 2"}, "60: 7@2 8s@2; @2"},
    {"an older one completes", {"60 7 -", "60 1 2"}, "60: 7@2 2@1; @2"},
    {"three complete each other", {"60 - - 9", "60 - 5e -", "60 1 2 3"}, "60: 1@1 5e@2 9@3; @3"},
    {"exponents differ", {"60 0.25 -", "60 1 2.5"}, "60: 0.25@2 2.5@1; @2"},
    {"a newest without readings gives way", {"60 - -", "60 1 -"}, "60: 1@1 -@1; @1"},
    {"nothing but holes: the newest", {"30 - - -", "60 - -"}, "30: -@2 -@2 -@2; @2"},
    {"another interval completes nothing", {"60 7 -", "30 1 2"}, "60: 7@2 -@2; @2"},
    {"another length completes nothing", {"60 7 -", "60 1 2 3"}, "60: 7@2 -@2; @2"},
    {"the next of its shape does", {"60 7 -", "30 1 2", "60 3 4"}, "60: 7@3 4@1; @3"},
    {"holes do not set the interval", {"30 - -", "60 7 -", "60 3 4"}, "60: 7@2 4@1; @2"},
    {"zero is a reading", {"60 0 -", "60 5 0"}, "60: 0@2 0@1; @2"},
    {"a note stays", {"60 1 2 note:0-1:S/14//"}, "60: 1@1 2@1; @1 [0-1 S|14||]"},
    {"each reading keeps its own note",
     {"60 7 - - note:0-2:S/14//", "60 1 2 - note:0-2:E///", "60 1 2 3 note:0-3:F//9/so"},
     "60: 7@3 2@2 3@1; @3 [0-1 S|14||] [1-2 E|||] [2-3 F||9|so]"},
    {"what completes has no note",
     {"60 7 - - note:0-2:S///", "60 1 2 3"},
     "60: 7@2 2@1 3@1; @2 [0-1 S|||]"},
    {"what is completed has none",
     {"60 7 - 8", "60 1 2 3 note:0-3:E///"},
     "60: 7@2 2@1 8@2; @2 [1-2 E|||]"},
    {"of a missing reading the newest tells why",
     {"60 7 - note:1-2:N//79/outage", "60 1 - note:0-2:E///"},
     "60: 7@2 -@2; @2 [1-2 N||79|outage]"},
    {"notes of several versions that say the same are one",
     {"60 7 - note:0-1:S///", "60 1 2 note:0-2:S///"},
     "60: 7@2 2@1; @2 [0-2 S|||]"},
    {"a newest without readings gives way with its notes",
     {"60 - - note:0-2:N///", "60 1 -"},
     "60: 1@1 -@1; @1"},
};

INSTANTIATE_TEST_SUITE_P(Days, Resolve, ::testing::ValuesIn(cases));

TEST(Resolver, IsUsedAgainAfterClear) {
  DayResolver resolver;
  for (const std::string slots : {"60 1 2 3", "60 - -", "30 4"}) {
    const ReadingDay day = day_of("A 2019-01-01 " + slots);
    std::string packed;
    pack_day(day, packed);
    resolver.clear();
    EXPECT_TRUE(resolver.empty());
    ASSERT_TRUE(resolver.add({.channel = day.channel,
                              .date = day.date,
                              .version = {.stated = second(1), .tie = 0},
                              .delivery = {},
                              .packed = packed}));
    EXPECT_FALSE(resolver.empty());
    EXPECT_EQ(resolver.day().slots(), static_cast<std::int64_t>(day.mantissas.size()));
  }
  EXPECT_EQ(text_of(resolver.day()), "30: 4@1; @1");
}

TEST(Resolver, RefusesBytesThatAreNoDay) {
  DayResolver resolver;
  const Channel channel;
  const auto added = resolver.add(
      {.channel = channel, .date = {}, .version = {}, .delivery = {}, .packed = "nonsense"});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::corrupt);
}

TEST(TotalOf, SumsBeyond64BitsAndCountsQualities) {
  const auto day = resolve({"60 999999999999999999x20 -999999999999999999s 1e -"});
  const auto total = total_of(*MeterId::parse("A"), day);
  ASSERT_TRUE(total) << total.error().message;
  EXPECT_EQ(total->sum.text(), "18999999999999999982");
  EXPECT_EQ(meterline::testing::line_of(*total),
            "A 2019-01-01 consumption/consumption/kWh 18999999999999999982 of 22/23 a20 s1 e1 "
            "@1#0");
}

TEST(TotalOf, SumsMixedExponents) {
  const auto day = resolve({"60 1.20 - 0.5 -", "60 9 0.305 9 -"});
  const auto total = total_of(*MeterId::parse("A"), day);
  ASSERT_TRUE(total) << total.error().message;
  EXPECT_EQ(total->sum.text(), "2.005");
}

TEST(TotalOf, SaysWhenASumDoesNotFit) {
  ResolvedDay day;
  day.mantissas.assign(slots_max, std::numeric_limits<std::int64_t>::max());
  day.mantissas.back() = 1;
  day.qualities.assign(slots_max, Quality::actual);
  day.others.push_back({.version = {}, .exponent = -18});
  day.part_of_slot.assign(slots_max, 0);
  day.part_of_slot.back() = 1;
  const auto total = total_of(*MeterId::parse("A"), day);
  ASSERT_FALSE(total);
  EXPECT_EQ(total.error().code, Errc::too_large);
}

TEST(ReadResolved, AnErrorOfTheVisitorEndsTheReading) {
  const auto store = make_memory_store();
  ASSERT_TRUE(load(*store, delivery_of(1, 1, {"A 2019-01-01 60 1", "A 2019-01-02 60 2"})));
  int visits = 0;
  const auto read = read_resolved(
      *store, {.meter = *MeterId::parse("A"), .dates = {.from = Date::min(), .to = Date::max()}},
      [&](const ResolvedDay&) -> Result<void> {
        ++visits;
        return fail(Errc::cancelled, "enough");
      });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::cancelled);
  EXPECT_EQ(visits, 1);
}

std::vector<std::string> resolved_lines(const Store& store, const MeterId& meter, Instant as_of) {
  std::vector<std::string> lines;
  const DaysQuery query{
      .meter = meter, .dates = {.from = Date::min(), .to = Date::max()}, .as_of = as_of};
  const auto read = read_resolved(store, query, [&](const ResolvedDay& day) -> Result<void> {
    const auto total = total_of(meter, day);
    lines.push_back(text_of(day) + ' ' + (total ? meterline::testing::line_of(*total) : ""));
    return {};
  });
  EXPECT_TRUE(read);
  return lines;
}

/// Each slot a part of its own.
std::string naive_text(const NaiveDay& day) {
  ResolvedDay out;
  out.interval = day.interval;
  out.zone = day.zone;
  out.main.version = day.version;
  for (const auto& reading : day.slots) {
    out.mantissas.push_back(reading ? reading->value.mantissa : 0);
    out.qualities.push_back(reading ? reading->quality : Quality::missing);
    if (reading)
      out.others.push_back({.version = reading->version, .exponent = reading->value.exponent});
    out.part_of_slot.push_back(reading ? static_cast<std::uint16_t>(out.others.size()) : 0);
  }
  for (std::size_t slot = 0; slot < day.notes.size(); ++slot)
    if (day.notes[slot]) append(out.notes, slot, slot + 1, *day.notes[slot]);
  return text_of(out);
}

RC_GTEST_PROP(ReadResolved, EqualsTheSlowReading, ()) {
  const auto deliveries = *any_deliveries();
  const auto store = make_memory_store();
  for (const auto& each : deliveries) RC_ASSERT(load(*store, each).has_value());
  const Instant as_of = second(*rc::gen::inRange(0, 4));
  const auto days = naive_days(deliveries, as_of);
  for (const char* name : {"A", "A1", "A.", "A-b", "B"}) {
    std::vector<std::string> expected;
    for (const auto& day : days)
      if (day.meter.text() == name)
        expected.push_back(naive_text(day) + ' ' + meterline::testing::line_of(naive_total(day)));
    RC_ASSERT(resolved_lines(*store, *MeterId::parse(name), as_of) == expected);
  }
}

}  // namespace
}  // namespace meterline::store
