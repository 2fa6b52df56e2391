#include "ingest/united_day.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/decimal.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Rows on lines 1, 2, ..., each as for testing::day_of behind its meter and date.
UnitedDay united(const std::vector<std::string>& rows) {
  UnitedDay day;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto row = testing::day_of("M 2024-01-01 " + rows[i]);
    const auto line = static_cast<std::int64_t>(i) + 1;
    if (i == 0)
      day.start(std::move(row), line);
    else
      day.add(std::move(row), line);
  }
  return day;
}

ReadingDay day(const std::string& text) { return testing::day_of("M 2024-01-01 " + text); }

TEST(UnitedDay, TakesEachSlotFromTheRowThatHasIt) {
  const auto both = united({"60 1 - -", "60 - 2 -"});
  EXPECT_EQ(both.day(), day("60 1 2 -"));
  EXPECT_EQ(both.stored(), 2);
  EXPECT_THAT(both.outcomes(), IsEmpty());
}

TEST(UnitedDay, TheLastOfTwoReadingsStays) {
  const auto day_of_three = united({"60 1 7 -", "60 - 7 3", "60 2 - -"});
  EXPECT_EQ(day_of_three.day(), day("60 2 7 3"));
  EXPECT_EQ(day_of_three.stored(), 2);
  EXPECT_THAT(day_of_three.outcomes(),
              ElementsAre(RowOutcome{.line = 1, .kept_line = 3, .replaced = 1}));
  const auto partly = united({"60 1 7 -", "60 2 - -"});
  EXPECT_THAT(partly.outcomes(),
              ElementsAre(RowOutcome{.line = 1, .kept_line = 2, .is_stored = true, .replaced = 1}));
}

TEST(UnitedDay, ALaterStatedTimeWinsWhereverItStands) {
  for (const auto& rows : {std::vector<std::string>{"60 1 1 - stated:20", "60 2 - 2 stated:10"},
                           std::vector<std::string>{"60 2 - 2 stated:10", "60 1 1 - stated:20"}}) {
    const auto both = united(rows);
    EXPECT_EQ(both.day(), day("60 1 1 2 stated:20"));
    EXPECT_EQ(both.stored(), 2);
    ASSERT_EQ(both.outcomes().size(), 1U);
    EXPECT_TRUE(both.outcomes()[0].is_older);
    EXPECT_EQ(both.outcomes()[0].replaced, 0);
  }
  EXPECT_EQ(united({"60 1 1", "60 2 2 stated:5"}).day(), day("60 2 2 stated:5"));
  EXPECT_EQ(united({"60 2 2 stated:5", "60 1 1"}).day(), day("60 2 2 stated:5"));
}

TEST(UnitedDay, HasTheFactsOfTheRowThatStatesTheLatestTime) {
  EXPECT_EQ(united({"60 1 - device:M1", "60 - 2 device:M2"}).day(), day("60 1 2 device:M2"));
  EXPECT_EQ(united({"60 1 - device:M1", "60 - 2"}).day(), day("60 1 2 device:M1"));
  EXPECT_EQ(united({"60 1 - stated:9 device:M1", "60 - 2 stated:8 device:M2"}).day(),
            day("60 1 2 stated:9 device:M1"));
}

TEST(UnitedDay, BringsReadingsToOneExponent) {
  EXPECT_EQ(united({"60 1 - 5", "60 - 0.25 -"}).day(), day("60 1 0.25 5"));
  const auto no_room = united({"60 999999999999999999 -", "60 - 0.001"});
  EXPECT_EQ(no_room.day(), day("60 - 0.001"));
  EXPECT_THAT(no_room.outcomes(),
              ElementsAre(RowOutcome{.line = 1, .kept_line = 2, .is_unlike = true}));
}

TEST(UnitedDay, RowsOfOtherIntervalsAreNotUnited) {
  const auto later = united({"30 1 2", "60 5 -"});
  EXPECT_EQ(later.day(), day("60 5 -"));
  EXPECT_EQ(later.stored(), 1);
  const auto older = united({"30 1 2 stated:9", "60 5 - stated:8"});
  EXPECT_EQ(older.day(), day("30 1 2 stated:9"));
  EXPECT_THAT(
      older.outcomes(),
      ElementsAre(RowOutcome{.line = 2, .kept_line = 1, .is_unlike = true, .is_older = true}));
}

TEST(UnitedDay, ARowWithoutReadingsTakesNothingAway) {
  EXPECT_EQ(united({"60 1 2", "60 - -", "30 - - -"}).day(), day("60 1 2"));
  EXPECT_EQ(united({"30 - - -", "60 1 2"}).day(), day("60 1 2"));
  const auto empty = united({"60 - -", "60 - -"});
  EXPECT_EQ(empty.day(), day("60 - -"));
  EXPECT_EQ(empty.stored(), 1);
  EXPECT_THAT(empty.outcomes(), ElementsAre(RowOutcome{.line = 1, .kept_line = 2}));
}

TEST(UnitedDay, NotesComeWithTheirReadings) {
  const auto both = united({"60 1s 2s - note:0-2:S/14/32/_ note:2-3:N", "60 - 5 -"});
  EXPECT_EQ(both.day(), day("60 1s 5 - note:0-1:S/14/32/_ note:2-3:N"));
  EXPECT_FALSE(both.lost_notes());
}

TEST(UnitedDay, NotesThatAreTooLongTogetherAreLeftOut) {
  auto first = day("60 1x80 -x80");
  auto second = day("60 -x80 2x80");
  for (std::size_t slot = 0; slot < 160; ++slot) {
    auto& notes = (slot < 80 ? first : second).notes;
    append(notes, slot, slot + 1,
           {.reason_text = std::string(800, static_cast<char>('a' + slot % 2))});
  }
  UnitedDay both;
  both.start(first, 1);
  both.add(second, 2);
  EXPECT_TRUE(both.lost_notes());
  EXPECT_EQ(both.day(), day("60 1x80 2x80"));
}

TEST(UnitedDay, KeepsSoManyOutcomesOnly) {
  UnitedDay one;
  one.start(day("60 1"), 1);
  const auto rows = static_cast<std::int64_t>(UnitedDay::outcomes_max) + 5;
  for (std::int64_t line = 2; line <= rows; ++line) one.add(day("60 1"), line);
  EXPECT_EQ(one.rows(), rows);
  EXPECT_EQ(one.stored(), 1);
  EXPECT_EQ(one.outcomes().size(), UnitedDay::outcomes_max);
}

/// Each slot looks for its own row.
RC_GTEST_PROP(UnitedDay, IsWhatEachSlotFindsForItself, ()) {
  constexpr std::size_t slots = 5;
  const auto rows = *rc::gen::container<std::vector<ReadingDay>>(rc::gen::exec([] {
    ReadingDay row = day("60 -x5");
    row.exponent = static_cast<std::int8_t>(*rc::gen::inRange(-2, 1));
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if (*rc::gen::arbitrary<bool>()) continue;
      row.qualities[slot] = *rc::gen::element(Quality::actual, Quality::estimated);
      row.mantissas[slot] = *rc::gen::inRange(-3, 3);
      if (*rc::gen::inRange(0, 4) == 0) append(row.notes, slot, slot + 1, {.flag = "F"});
    }
    if (*rc::gen::arbitrary<bool>()) row.stated = testing::second(*rc::gen::inRange(1, 4));
    return row;
  }));
  RC_PRE(!rows.empty());

  UnitedDay all;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto line = static_cast<std::int64_t>(i) + 1;
    if (i == 0)
      all.start(rows[i], line);
    else
      all.add(rows[i], line);
  }
  std::map<std::size_t, std::int64_t> own;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const ReadingDay* best = nullptr;
    for (const auto& row : rows)
      if (row.qualities[slot] != Quality::missing &&
          (best == nullptr || row.stated >= best->stated))
        best = &row;
    RC_ASSERT(all.day().qualities[slot] ==
              (best == nullptr ? Quality::missing : best->qualities[slot]));
    if (best == nullptr) continue;
    ++own[static_cast<std::size_t>(best - rows.data())];
    RC_ASSERT((Decimal{all.day().mantissas[slot], all.day().exponent}) ==
              (Decimal{best->mantissas[slot], best->exponent}));
    const auto* note = note_at(best->notes, slot);
    const auto* kept = note_at(all.day().notes, slot);
    RC_ASSERT((note == nullptr) == (kept == nullptr));
  }
  RC_ASSERT(all.rows() == std::ssize(rows));
  RC_ASSERT(all.stored() == std::max<std::int64_t>(std::ssize(own), 1));
  for (const auto& outcome : all.outcomes())
    RC_ASSERT(own.empty() ||
              outcome.is_stored == own.contains(static_cast<std::size_t>(outcome.line) - 1));
}

}  // namespace
}  // namespace meterline::ingest
