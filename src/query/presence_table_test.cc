#include "query/presence_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>

namespace meterline::query {
namespace {

using ::testing::ElementsAre;

DateRange days_from(std::string_view from, int days) {
  const Date first = *Date::parse(from);
  return {.from = first, .to = *Date::from_days(first.days() + std::int64_t{days} - 1)};
}

/// `A 3/2 2019-01-02`: three days stored, two complete; the first gap, or `-`.
std::vector<std::string> lines_of(const PresenceTable& table, std::int64_t days) {
  std::vector<std::string> lines;
  for (const auto row : table.rows_in_order()) {
    const auto [stored, complete] = table.counts(row);
    lines.push_back(fmt::format("{} {}/{} {}", table.meter(row), stored, complete,
                                complete == days ? "-" : table.first_gap(row).text()));
  }
  return lines;
}

struct Part {
  std::string meter;
  std::string first;
  std::uint32_t stored;
  std::uint32_t complete;
};

std::vector<std::string> lines_of(DateRange dates, const std::vector<Part>& parts) {
  const Channel channel;
  PresenceTable table(dates);
  for (const auto& part : parts) {
    const MeterId meter = *MeterId::parse(part.meter);
    table.add({.meter = meter,
               .channel = channel,
               .first = *Date::parse(part.first),
               .stored = part.stored,
               .complete = part.complete});
  }
  return lines_of(table, dates.size());
}

TEST(PresenceTable, AMonthOfEachMeter) {
  EXPECT_THAT(lines_of(days_from("2019-02-01", 28), {{"A", "2019-02-01", 0xfffffff, 0xfffffff},
                                                     {"B", "2019-02-01", 0xffffffe, 0xffffffe},
                                                     {"C", "2019-02-01", 0xfffffff, 0x7}}),
              ElementsAre("A 28/28 -", "B 27/27 2019-02-01", "C 28/3 2019-02-04"));
}

TEST(PresenceTable, DaysOutsideOfTheRangeAreLeftOut) {
  EXPECT_THAT(lines_of(days_from("2019-01-30", 4), {{"A", "2019-01-01", 0x7fffffff, 0x5fffffff},
                                                    {"B", "2019-01-01", 0x1fffffff, 0x1fffffff},
                                                    {"A", "2019-02-01", 0xfffffff, 0xfffffff},
                                                    {"C", "2019-03-01", 1, 1},
                                                    {"C", "2018-10-01", ~0U, ~0U}}),
              ElementsAre("A 4/3 2019-01-30"));
}

TEST(PresenceTable, PartsThatCrossWordsAreJoined) {
  EXPECT_THAT(lines_of(days_from("2019-01-01", 129), {{"A", "2019-02-28", 0x7f, 0x7f},
                                                      {"A", "2019-01-01", ~0U, ~0U},
                                                      {"A", "2019-02-02", 0x3ffffff, 0x3ffffff},
                                                      {"A", "2019-05-09", 1, 1}}),
              ElementsAre("A 66/66 2019-03-07"));
}

TEST(PresenceTable, MetersInAnyOrderComeOutAscending) {
  EXPECT_THAT(lines_of(days_from("2019-01-01", 2), {{"B", "2019-01-01", 1, 1},
                                                    {"Aa", "2019-01-01", 3, 3},
                                                    {"C", "2019-01-01", 1, 0},
                                                    {"A", "2019-01-01", 1, 1},
                                                    {"B", "2019-01-02", 1, 1},
                                                    {"C", "2019-01-02", 1, 1},
                                                    {"A", "2019-01-02", 1, 0}}),
              ElementsAre("A 2/1 2019-01-02", "Aa 2/2 -", "B 2/2 -", "C 2/1 2019-01-01"));
}

// --- Against a slow reference ---------------------------------------------------------------

enum class Day : std::uint8_t { absent, stored, complete };
using Days = std::map<std::string, std::vector<Day>>;

Days any_days(std::size_t days) {
  Days all;
  for (const auto* meter : {"A", "A1", "A10", "AB", "Aa", "B", "B.", "B:"}) {
    if (*rc::gen::inRange(0, 3) == 0) continue;
    for (std::size_t i = 0; i < days; ++i)
      all[meter].push_back(static_cast<Day>(std::min(*rc::gen::inRange(0, 9), 2)));
  }
  return all;
}

/// The days of all meters, cut into parts at the same random days.
std::vector<Part> parts_of(const Days& all, DateRange dates) {
  std::vector<Part> parts;
  const auto days = static_cast<std::size_t>(dates.size());
  for (std::size_t begin = 0; begin < days;) {
    const auto width = *rc::gen::elementOf(std::vector<std::size_t>{1, 7, 28, 31, 32});
    for (const auto& [meter, own] : all) {
      Part part{
          .meter = meter,
          .first = Date::from_days(dates.from.days() + static_cast<std::int64_t>(begin))->text(),
          .stored = 0,
          .complete = 0};
      for (std::size_t i = 0; i < width && begin + i < days; ++i) {
        if (own[begin + i] != Day::absent) part.stored |= 1U << i;
        if (own[begin + i] == Day::complete) part.complete |= 1U << i;
      }
      if (part.stored != 0) parts.push_back(part);
    }
    begin += width;
  }
  return parts;
}

std::vector<std::string> naive_lines(const Days& all, DateRange dates) {
  std::vector<std::string> lines;
  for (const auto& [meter, own] : all) {
    const auto complete = std::count(own.begin(), own.end(), Day::complete);
    const auto stored = complete + std::count(own.begin(), own.end(), Day::stored);
    if (stored == 0) continue;
    std::string first_gap = "-";
    for (std::size_t i = own.size(); i-- > 0;)
      if (own[i] != Day::complete)
        first_gap = Date::from_days(dates.from.days() + static_cast<std::int64_t>(i))->text();
    lines.push_back(fmt::format("{} {}/{} {}", meter, stored, complete, first_gap));
  }
  return lines;
}

RC_GTEST_PROP(PresenceTable, EqualsTheSlowReferenceInAnyOrder, ()) {
  const auto dates = days_from("2019-01-05", *rc::gen::inRange(1, 150));
  const Days all = any_days(static_cast<std::size_t>(dates.size()));
  std::vector<Part> parts = parts_of(all, dates);
  const auto expected = naive_lines(all, dates);
  RC_ASSERT(lines_of(dates, parts) == expected);
  const auto by_meter = [](const Part& a, const Part& b) {
    return std::tie(a.meter, a.first) < std::tie(b.meter, b.first);
  };
  std::stable_sort(parts.begin(), parts.end(), by_meter);
  RC_ASSERT(lines_of(dates, parts) == expected);
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  for (std::size_t i = parts.size(); i > 1; --i)
    std::swap(parts[i - 1], parts[(seed * i * 2'654'435'761U >> 7) % i]);
  RC_ASSERT(lines_of(dates, parts) == expected);
}

}  // namespace
}  // namespace meterline::query
