// What every Store must tell of which days are there.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "store/contract_test.h"
#include "testing/store_days.h"

namespace meterline::store {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::day_of;
using meterline::testing::delivery_of;
using meterline::testing::delivery_of_days;
using meterline::testing::load;
using meterline::testing::naive_days;
using meterline::testing::second;

class PresenceContract : public StoreContract {};

/// `A 2019-01-01 consumption/consumption/kWh incomplete`, sorted; a day told twice is in it twice.
/// Empty when a part says that a day is complete, but not that it is stored.
std::string presence_of(const Store& store, const TotalsQuery& query) {
  std::vector<std::string> lines;
  bool is_sound = true;
  const auto read = store.read_day_presence(query, [&](const DayPresence& part) -> Result<void> {
    is_sound = is_sound && part.stored != 0 && (part.complete & ~part.stored) == 0;
    for (int day = 0; day < 32; ++day) {
      if ((part.stored >> day & 1) == 0) continue;
      std::ostringstream channel;
      channel << part.channel;
      lines.push_back(fmt::format("{} {} {} {}", part.meter.text(),
                                  Date::from_days(part.first.days() + std::int64_t{day})->text(),
                                  channel.str(),
                                  (part.complete >> day & 1) != 0 ? "complete" : "incomplete"));
    }
    return {};
  });
  if (!read || !is_sound) return {};
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

/// Spans that lie side by side tell together what one question tells of all meters.
TEST_P(PresenceContract, SpansOfMetersTellTheirPart) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  const auto all = presence_of(*store, {.dates = ever()});
  for (const std::string_view end : {"A", "A.", "A0", "A1", "B", "Z", "0"}) {
    const auto to = *MeterId::parse(end);
    std::string first = presence_of(*store, {.dates = ever(), .span = {.to = to}});
    std::string second = presence_of(*store, {.dates = ever(), .span = {.after = to}});
    if (first == "\n") first.clear();
    if (second == "\n") second.clear();
    EXPECT_EQ(first + second, all) << end;
  }
  const auto only = presence_of(
      *store,
      {.dates = ever(), .span = {.after = *MeterId::parse("A"), .to = *MeterId::parse("A1")}});
  EXPECT_EQ(only,
            "A. 2019-01-01 B1/generation/Wh complete\n"
            "A1 2019-01-01 consumption/consumption/kWh complete\n");
}

TEST_P(PresenceContract, PresenceTellsWhichDaysAreStoredAndComplete) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  EXPECT_EQ(presence_of(*store, {.dates = ever()}),
            "A 2019-01-01 consumption/consumption/kWh incomplete\n"
            "A 2019-01-02 consumption/consumption/kWh complete\n"
            "A. 2019-01-01 B1/generation/Wh complete\n"
            "A1 2019-01-01 consumption/consumption/kWh complete\n"
            "B 1900-01-01 consumption/consumption/kWh complete\n"
            "B 2199-12-31 consumption/consumption/kWh complete\n");
  EXPECT_EQ(presence_of(*store, {.dates = ever(), .as_of = second(1)}),
            "A 2019-01-01 consumption/consumption/kWh incomplete\n"
            "A 2019-01-02 consumption/consumption/kWh complete\n"
            "A. 2019-01-01 B1/generation/Wh complete\n"
            "A1 2019-01-01 consumption/consumption/kWh complete\n");
  EXPECT_EQ(presence_of(*store, {.dates = ever(), .as_of = second(0)}), "\n");
}

TEST_P(PresenceContract, PresenceIsOfAllVersionsTogether) {
  const auto store = open();
  expect_loaded(*store, {delivery_of(1, 1,
                                     {"A 2019-01-01 60 1x23 -", "B 2019-01-01 60 1x24",
                                      "C 2019-01-01 60 -x24", "D 2019-01-01 60 1x24"})});
  const DateRange day{.from = date_of("2019-01-01"), .to = date_of("2019-01-01")};
  const auto told = [&](Instant as_of) {
    std::string kinds;
    std::istringstream lines(presence_of(*store, {.dates = day, .as_of = as_of}));
    for (std::string meter, date, channel, kind; lines >> meter >> date >> channel >> kind;)
      kinds += kind == "complete" ? meter : meter + '-';
    return kinds;
  };
  EXPECT_EQ(told(Instant::end_of_time()), "A-BC-D");
  expect_loaded(*store, {delivery_of(2, 2,
                                     {"A 2019-01-01 60 -x23 1", "B 2019-01-01 60 -x24",
                                      "C 2019-01-01 60 1x23 -", "D 2019-01-01 30 1x47 -"})});
  EXPECT_EQ(told(Instant::end_of_time()), "ABC-D-");
  EXPECT_EQ(told(second(1)), "A-BC-D");
}

TEST_P(PresenceContract, PresenceIsOfTheDaysAskedForOnly) {
  const auto store = open();
  std::vector<ReadingDay> days;
  for (const auto* meter : {"A", "B", "C"}) {
    ReadingDay day = day_of(fmt::format("{} 2018-12-15 60 1x24", meter));
    for (int i = 0; i < 80; ++i, day.date = day.date.next())
      if (i % 3 != 0 || *meter != 'B') days.push_back(day);
  }
  expect_loaded(*store, {delivery_of_days(1, 1, days)});
  for (const auto& [from, to] : {std::pair{"2018-12-31", "2019-02-01"},
                                 {"2019-01-01", "2019-01-31"},
                                 {"2019-01-31", "2019-01-31"},
                                 {"2018-12-01", "2019-03-31"},
                                 {"2019-02-01", "2019-01-31"},
                                 {"2018-11-01", "2018-12-14"}}) {
    const DateRange dates{.from = date_of(from), .to = date_of(to)};
    std::vector<std::string> lines;
    for (const auto& day : days)
      if (dates.contains(day.date))
        lines.push_back(fmt::format("{} {} consumption/consumption/kWh complete", day.meter.text(),
                                    day.date.text()));
    EXPECT_EQ(presence_of(*store, {.dates = dates}), fmt::format("{}\n", fmt::join(lines, "\n")));
  }
}

std::string naive_presence(const Deliveries& deliveries, const TotalsQuery& query) {
  std::vector<std::string> lines;
  for (const auto& day : naive_days(deliveries, query.as_of)) {
    if (!query.dates.contains(day.date)) continue;
    const bool is_complete = std::all_of(day.slots.begin(), day.slots.end(),
                                         [](const auto& slot) { return slot.has_value(); });
    std::ostringstream channel;
    channel << day.channel;
    lines.push_back(fmt::format("{} {} {} {}", day.meter.text(), day.date.text(), channel.str(),
                                is_complete ? "complete" : "incomplete"));
  }
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

TEST_P(PresenceContract, PresenceEqualsTheSlowReference) {
  expect_holds(GetParam(), [this] {
    const auto deliveries = *any_deliveries();
    const auto store = open();
    TotalsQuery part{.dates = {.from = date_of("2018-11-01"), .to = {}}};
    part.dates.from = *Date::from_days(part.dates.from.days() + *rc::gen::inRange(0, 120));
    part.dates.to = *Date::from_days(part.dates.from.days() + *rc::gen::inRange(0, 60));
    for (const auto& each : deliveries) {
      RC_ASSERT(load(*store, each).has_value());
      RC_ASSERT(presence_of(*store, part).ends_with('\n'));  // Whatever it keeps of it grows old.
    }
    RC_ASSERT(presence_of(*store, part) == naive_presence(deliveries, part));
    RC_ASSERT(presence_of(*store, {.dates = ever()}) ==
              naive_presence(deliveries, {.dates = ever()}));
    part.as_of = second(*rc::gen::inRange(0, 4));
    RC_ASSERT(presence_of(*store, part) == naive_presence(deliveries, part));
  });
}

INSTANTIATE_TEST_SUITE_P(All, PresenceContract, ::testing::ValuesIn(backends()), name_of);

}  // namespace
}  // namespace meterline::store
