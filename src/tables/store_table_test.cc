#include "tables/store_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::tables {
namespace {

using testing::delivery_of;
using ::testing::HasSubstr;

constexpr DateRange all_dates = {.from = Date::min(), .to = Date::max()};

std::string written(const store::Store& store, TableOf table, const TableSelection& selection) {
  std::string bytes;
  const auto writer =
      open_table(TableFormat::csv, columns_of(table), [&](std::string_view more) -> Result<void> {
        bytes += more;
        return {};
      });
  const auto summary = write_store_table(store, table, selection, **writer);
  EXPECT_TRUE(summary) << summary.error().message;
  EXPECT_TRUE((*writer)->finish());
  EXPECT_EQ(summary->rows + 1, std::count(bytes.begin(), bytes.end(), '\n'));
  return bytes;
}

std::unique_ptr<store::Store> stored(const std::vector<testing::TestDelivery>& deliveries) {
  auto store = store::make_memory_store();
  for (const auto& delivery : deliveries) EXPECT_TRUE(load(*store, delivery));
  return store;
}

TEST(StoreTable, HasAColumnForWhatIsKnownOfAReading) {
  auto first = delivery_of(1'700'000'000, 1,
                           {"A 2024-10-27 60 1.5 0.25e - 2x22 note:1-2:E/52/32/Meter_changed"});
  first.days.front().zone = TimeZone::of_offset(600);
  const auto store = stored({first, delivery_of(1'700'000'001, 2, {"B 2024-10-27 60 7x24"})});
  const auto text = written(
      *store, TableOf::readings,
      {.dates = all_dates, .meters = std::vector{*MeterId::parse("A"), *MeterId::parse("C")}});
  EXPECT_THAT(
      text,
      ::testing::StartsWith(
          "meter,channel,flow,unit,date,start,utc_offset,interval,value,quality,flag,method,"
          "reason_code,reason_text,stated,received\n"
          "A,consumption,consumption,kWh,2024-10-27,2024-10-27T00:00:00,600,60,1.5,actual,,,,,"
          "2023-11-14T22:13:20Z,2023-11-14T22:13:20Z\n"
          "A,consumption,consumption,kWh,2024-10-27,2024-10-27T01:00:00,600,60,0.25,estimated,E,"
          "52,32,Meter changed,2023-11-14T22:13:20Z,2023-11-14T22:13:20Z\n"
          "A,consumption,consumption,kWh,2024-10-27,2024-10-27T02:00:00,600,60,,missing,,,,,"
          "2023-11-14T22:13:20Z,2023-11-14T22:13:20Z\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\nB,")));
}

TEST(StoreTable, SumsDaysAndMonths) {
  const auto store =
      stored({delivery_of(1'700'000'000, 1,
                          {"A 2024-01-30 60 1x24", "A 2024-01-31 60 0.5x23 -",
                           "A 2024-02-01 60 -x24", "A 2024-02-01 X/generation/kWh 60 3ex24"})});
  const std::string stamps = ",2023-11-14T22:13:20Z,2023-11-14T22:13:20Z\n";
  const std::string header =
      "meter,channel,flow,unit,date,sum,readings,expected,actual,substituted,estimated,missing,"
      "stated,received\n";
  const std::string channel = "A,consumption,consumption,kWh,";
  EXPECT_EQ(written(*store, TableOf::days, {.dates = all_dates}),
            header + channel + "2024-01-30,24,24,24,24,0,0,0" + stamps + channel +
                "2024-01-31,11.5,23,24,23,0,0,1" + stamps +
                "A,X,generation,kWh,2024-02-01,72,24,24,0,0,24,0" + stamps + channel +
                "2024-02-01,,0,24,0,0,0,24" + stamps);
  EXPECT_EQ(written(*store, TableOf::months, {.dates = all_dates}),
            header + "A,X,generation,kWh,2024-02-01,72,24,24,0,0,24,0" + stamps + channel +
                "2024-01-01,35.5,47,48,47,0,0,1" + stamps + channel + "2024-02-01,,0,24,0,0,0,24" +
                stamps);
}

/// `2024-10-27T01:00:00+01:00`, of its two columns.
std::string label(const std::string& start, const std::string& offset) {
  if (offset.empty()) return start;
  const int minutes = std::stoi(offset);
  return minutes == 0 ? start + 'Z'
                      : fmt::format("{}{}{:02}:{:02}", start, minutes < 0 ? '-' : '+',
                                    std::abs(minutes) / 60, std::abs(minutes) % 60);
}

std::string said_of(const testing::NaiveDay& day, std::size_t slot) {
  const auto& reading = day.slots[slot];
  const auto note = day.notes[slot].value_or(Note());
  const auto minute = static_cast<int>(slot) * day.interval.minutes();
  constexpr int day_minutes = 24 * 60;
  const Date next = *Date::from_days(day.date.days() + minute / day_minutes);
  auto text = day.zone.is_known() ? day.zone.label(day.date, minute)
                                  : day.zone.label(next, minute % day_minutes);
  if (text.ends_with("+00:00")) text = text.substr(0, text.size() - 6) + 'Z';
  return fmt::format("{} {} {} {} {} {} {} {} {}", day.meter.text(), day.channel.name,
                     day.date.text(), text, day.interval.minutes(),
                     reading ? reading->value.text() : "",
                     reading ? text_of(reading->quality) : "missing", note.flag,
                     (reading ? reading->version : day.version).stated.text());
}

/// The fields of a line without quotes.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    const auto comma = std::min(line.find(','), line.size());
    fields.emplace_back(line.substr(0, comma));
    if (comma == line.size()) return fields;
    line.remove_prefix(comma + 1);
  }
}

RC_GTEST_PROP(StoreTable, ReadingsAreWhatCounts, ()) {
  const auto deliveries = *testing::any_deliveries();
  const auto store = stored(deliveries);
  std::vector<std::string> wanted;
  for (const auto& day : testing::naive_days(deliveries))
    for (std::size_t slot = 0; slot < day.slots.size(); ++slot)
      wanted.push_back(said_of(day, slot));
  std::vector<std::string> said;
  const auto text = written(*store, TableOf::readings, {.dates = all_dates});
  for (auto rest = std::string_view(text).substr(text.find('\n') + 1); !rest.empty();) {
    const auto end = rest.find('\n');
    const auto f = fields_of(rest.substr(0, end));
    said.push_back(fmt::format("{} {} {} {} {} {} {} {} {}", f[0], f[1], f[4], label(f[5], f[6]),
                               f[7], f[8], f[9], f[10], f[f.size() - 2]));
    rest.remove_prefix(end + 1);
  }
  RC_ASSERT(said == wanted);
}

TEST(StoreTable, ManyMetersAreAskedForInSteps) {
  std::vector<std::string> lines;
  for (int i = 0; i < 2001; ++i) lines.push_back(fmt::format("M{:04} 2024-01-01 60 1x24", i));
  const auto store = stored({delivery_of(1'700'000'000, 1, lines)});
  std::atomic<std::int64_t> meters = 0;
  std::int64_t bytes = 0;
  const auto writer = open_table(TableFormat::csv, columns_of(TableOf::readings),
                                 [&](std::string_view more) -> Result<void> {
                                   bytes += static_cast<std::int64_t>(more.size());
                                   return {};
                                 });
  const auto summary = write_store_table(*store, TableOf::readings, {.dates = all_dates}, **writer,
                                         {.meters = &meters});
  EXPECT_EQ(summary->meters, 2001);
  EXPECT_EQ(summary->rows, 2001 * 24);
  EXPECT_EQ(meters, 2001);
  EXPECT_GT(bytes, 0);
}

TEST(StoreTable, EndsWhenItIsToldTo) {
  const auto store = stored({delivery_of(1'700'000'000, 1, {"A 2024-01-01 60 1x24"})});
  const auto writer = open_table(TableFormat::csv, columns_of(TableOf::days),
                                 [](std::string_view) -> Result<void> { return {}; });
  const std::atomic<bool> stop = true;
  EXPECT_EQ(
      write_store_table(*store, TableOf::days, {.dates = all_dates}, **writer, {.stop = &stop})
          .error()
          .code,
      Errc::cancelled);
}

}  // namespace
}  // namespace meterline::tables
