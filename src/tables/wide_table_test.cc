#include "tables/wide_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::tables {
namespace {

using testing::delivery_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr DateRange all_dates = {.from = Date::min(), .to = Date::max()};
constexpr std::string_view stamps = ",2023-11-14T22:13:20Z,2023-11-14T22:13:20Z\n";

/// Of days in a zone, with lines as for delivery_of.
std::unique_ptr<store::Store> stored(const std::vector<std::string>& lines,
                                     std::string_view zone = "") {
  auto store = store::make_memory_store();
  auto delivery = delivery_of(1'700'000'000, 1, lines);
  if (!zone.empty())
    for (auto& day : delivery.days) day.zone = TimeZone::parse(zone).value();
  EXPECT_TRUE(load(*store, delivery));
  return store;
}

Result<std::string> try_write(const store::Store& store, const TableSelection& selection) {
  std::string bytes;
  const auto layout = WideLayout::of(store, selection);
  if (!layout) return tl::unexpected(layout.error());
  const auto writer = open_table(TableFormat::csv, (*layout)->columns(),
                                 [&](std::string_view more) -> Result<void> {
                                   bytes += more;
                                   return {};
                                 })
                          .value();
  const auto summary = write_wide_table(store, **layout, selection, *writer);
  if (!summary) return tl::unexpected(summary.error());
  EXPECT_TRUE(writer->finish());
  EXPECT_EQ(summary->rows + 1, std::count(bytes.begin(), bytes.end(), '\n'));
  return bytes;
}

std::string written(const store::Store& store, const TableSelection& selection) {
  const auto text = try_write(store, selection);
  return text ? *text : text.error().message;
}

/// `,00:00,01:00,...,23:00`
std::string hours() {
  std::string names;
  for (int hour = 0; hour < 24; ++hour) names += fmt::format(",{:02}:00", hour);
  return names;
}

std::string header(std::string_view odd = "") {
  return fmt::format("meter,channel,flow,unit,date,interval{}{},quality,stated,received\n", hours(),
                     odd);
}

std::string repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(WideTable, HasARowForEachDayOfAChannel) {
  const auto store =
      stored({"A 2024-01-30 60 0.1 - 2s 0.25e 1x20", "A 2024-01-31 60 -x24",
              "A 2024-01-30 X/generation/kWh 60 -0.000000001x24", "B 2024-01-30 60 5x24"});
  EXPECT_EQ(written(*store, {.dates = all_dates, .meters = std::vector{*MeterId::parse("A")}}),
            header() + "A,X,generation,kWh,2024-01-30,60" + repeated(",-0.000000001", 24) + ',' +
                std::string(24, 'A') + std::string(stamps) +
                "A,consumption,consumption,kWh,2024-01-30,60,0.1,,2,0.25" + repeated(",1", 20) +
                ",AMSE" + std::string(20, 'A') + std::string(stamps) +
                "A,consumption,consumption,kWh,2024-01-31,60" + std::string(24, ',') + ',' +
                std::string(24, 'M') + std::string(stamps));
}

TEST(WideTable, TellsTheNewestVersionOfADay) {
  const auto store = stored({"A 2024-01-30 60 1x24"});
  ASSERT_TRUE(load(*store, delivery_of(1'700'000'100, 2, {"A 2024-01-30 60 - 2x22 -"})));
  EXPECT_THAT(written(*store, {.dates = all_dates}),
              ::testing::EndsWith(",60,1" + repeated(",2", 22) + ",1," + std::string(24, 'A') +
                                  ",2023-11-14T22:15:00Z,2023-11-14T22:15:00Z\n"));
}

/// 24 hours from 1 on, one of them left out or told twice.
TEST(WideTable, ADayOfAClockChangeHasItsOwnColumnsAndLacksOthers) {
  std::string longer = "A 2024-10-27 60";
  for (int hour = 1; hour <= 25; ++hour) longer += fmt::format(" {}", hour);
  const auto store =
      stored({"A 2024-03-31 60 1x23", "A 2024-07-01 60 1x24", longer}, "Europe/London");
  const std::string begin = "A,consumption,consumption,kWh,";
  std::string hours_of_longer = ",1,2";
  for (int hour = 4; hour <= 25; ++hour) hours_of_longer += fmt::format(",{}", hour);
  EXPECT_EQ(written(*store, {.dates = all_dates}),
            header(",01:00_2") + begin + "2024-03-31,60,1,," + repeated("1,", 22) + ",A-" +
                std::string(22, 'A') + '-' + std::string(stamps) + begin + "2024-07-01,60" +
                repeated(",1", 24) + ",," + std::string(24, 'A') + '-' + std::string(stamps) +
                begin + "2024-10-27,60" + hours_of_longer + ",3," + std::string(25, 'A') +
                std::string(stamps));
  // Where no day is longer, there is no column for it.
  const Date spring = *Date::parse("2024-03-31");
  EXPECT_THAT(written(*store, {.dates = {.from = spring, .to = spring}}), StartsWith(header()));
}

TEST(WideTable, HoursThatAClockShiftsByAPartHaveTheirOwnColumns) {
  std::string longer = "A 2024-04-07 60";
  for (int hour = 1; hour <= 25; ++hour) longer += fmt::format(" {}", hour);
  const auto text = written(*stored({longer}, "Australia/Lord_Howe"), {.dates = all_dates});
  const auto odd = text.substr(header().find(",quality"), 12);
  EXPECT_EQ(odd, ",01:30,02:30");
  const auto line = text.substr(text.find('\n') + 1);
  EXPECT_THAT(line, StartsWith("A,consumption,consumption,kWh,2024-04-07,60,1,2,,"));
  for (int hour = 1; hour <= 25; ++hour) EXPECT_THAT(line, HasSubstr(fmt::format(",{},", hour)));
}

TEST(WideTable, IsRefusedForReadingsOfSeveralLengths) {
  auto store = stored({"A 2024-01-30 60 1x24", "B 2024-02-01 30 1x48"});
  const auto both = try_write(*store, {.dates = all_dates}).error();
  EXPECT_EQ(both.code, Errc::invalid_argument);
  EXPECT_THAT(both.message, HasSubstr("those of A are of 60 minutes, and those of B of 30"));
  const Date first = *Date::parse("2024-01-30");
  EXPECT_THAT(written(*store, {.dates = {.from = first, .to = first}}), StartsWith(header()));

  // What the store knows of a channel is that of its last day.
  store = stored({"A 2024-01-30 30 1x48", "A 2024-01-31 60 1x24"});
  EXPECT_THAT(written(*store, {.dates = all_dates}),
              HasSubstr("A does not fit into the wide form on 2024-01-30: it has readings of 30 "
                        "minutes, and the columns are of 60"));
}

TEST(WideTable, IsRefusedForATimeThatHasNoColumn) {
  auto store = stored({"A 2024-10-27 60 1x25"}, "Europe/London");
  auto later = delivery_of(1'700'000'100, 2, {"A 2024-10-28 60 1x24"});
  later.days.front().zone = TimeZone::parse("UTC").value();
  ASSERT_TRUE(load(*store, later));
  EXPECT_THAT(written(*store, {.dates = all_dates}),
              HasSubstr("A does not fit into the wide form on 2024-10-27: there is no column "
                        "01:00_2 for it"));
}

TEST(WideTable, OfNothingThereIsAHeader) {
  const auto store = stored({"A 2024-01-30 60 1x24"});
  const Date day = *Date::parse("2023-01-01");
  EXPECT_EQ(written(*store, {.dates = {.from = day, .to = day}}),
            "meter,channel,flow,unit,date,interval,quality,stated,received\n");
}

TEST(WideTable, IsOfReadingsAsCsv) {
  EXPECT_TRUE(check_wide(TableFormat::csv, TableOf::readings));
  EXPECT_THAT(check_wide(TableFormat::csv, TableOf::days).error().message, HasSubstr("readings"));
  for (const auto format : {TableFormat::parquet, TableFormat::arrow})
    EXPECT_THAT(check_wide(format, TableOf::readings).error().message, HasSubstr("CSV only"));
}

}  // namespace
}  // namespace meterline::tables
