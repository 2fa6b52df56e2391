#include "formats/fit_to_zone.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace meterline::formats {
namespace {

ReadingDay day_of(std::string_view zone, std::string_view date, int minutes) {
  ReadingDay day{.date = Date::parse(date).value(),
                 .interval = *IntervalLength::from_minutes(minutes),
                 .exponent = -3,
                 .zone = TimeZone::parse(zone).value()};
  for (int i = 0; i < day.interval.slots_per_day(); ++i) {
    day.mantissas.push_back(i + 1);
    day.qualities.push_back(Quality::actual);
  }
  return day;
}

TEST(FitToZone, OnlyDaysOnWhichTheClockChangesAreOdd) {
  EXPECT_TRUE(is_odd(day_of("Europe/London", "2024-03-31", 30)));
  EXPECT_TRUE(is_odd(day_of("Europe/London", "2024-10-27", 30)));
  EXPECT_FALSE(is_odd(day_of("Europe/London", "2024-10-28", 30)));
  EXPECT_FALSE(is_odd(day_of("+00:00", "2024-10-27", 30)));
}

TEST(FitToZone, TheNotesGoWithTheirReadings) {
  auto day = day_of("Europe/London", "2024-03-31", 60);
  day.mantissas[1] = 0;
  day.notes = {{0, 3, {"S"}}, {5, 6, {"E"}}};
  const auto fitted = fit_to_zone(day);
  EXPECT_EQ(fitted.day.notes, (Notes{{0, 2, {"S"}}, {4, 5, {"E"}}}));
}

TEST(FitToZone, ADayThatWasLeftOutIsRejected) {
  const auto fitted = fit_to_zone(day_of("Pacific/Apia", "2011-12-30", 60));
  EXPECT_TRUE(fitted.is_rejected);
  ASSERT_EQ(fitted.findings.size(), 1U);
  EXPECT_EQ(fitted.findings[0].code, FindingCode::other_zone);
  EXPECT_EQ(fitted.findings[0].text, "2011-12-30 has 0 minutes in Pacific/Apia");
}

TEST(FitToZone, WholeHoursDoNotFitAChangeOfHalfAnHour) {
  const auto fitted = fit_to_zone(day_of("Australia/Lord_Howe", "2024-10-06", 60));
  EXPECT_TRUE(fitted.is_rejected);
  ASSERT_EQ(fitted.findings.size(), 1U);
  EXPECT_EQ(fitted.findings[0].text,
            "the clock of Australia/Lord_Howe changes by 30 minutes on 2024-10-06, which intervals "
            "of 60 minutes do not fit");
}

/// Each reading stands where a label of the day shows its time, and nowhere else.
RC_GTEST_PROP(FitToZone, ReadingsStandWhereTheLabelsSay, ()) {
  using Odd = std::pair<std::string, std::string>;
  const auto [zone, date] =
      *rc::gen::elementOf(std::vector<Odd>{{"Europe/London", "2024-03-31"},
                                           {"Europe/London", "2024-10-27"},
                                           {"America/New_York", "2025-03-09"},
                                           {"America/New_York", "2025-11-02"},
                                           {"Australia/Lord_Howe", "2024-10-06"},
                                           {"Australia/Lord_Howe", "2025-04-06"},
                                           {"America/Sao_Paulo", "2018-11-04"},
                                           {"America/Havana", "2024-11-03"}});
  auto day = day_of(zone, date, *rc::gen::element(1, 5, 10, 15, 30, 60));
  for (std::size_t i = 0; i < day.mantissas.size(); ++i) {
    if (*rc::gen::inRange(0, 4) == 0) day.qualities[i] = Quality::missing;
    if (day.qualities[i] == Quality::missing || *rc::gen::inRange(0, 3) == 0) day.mantissas[i] = 0;
  }
  const int interval = day.interval.minutes();
  std::map<std::string, std::vector<std::size_t>> shown;  // By `HH:MM`.
  const auto slots =
      static_cast<std::size_t>(slots_in(day.zone.minutes_of(day.date), day.interval.minutes()));
  for (std::size_t slot = 0; slot < slots; ++slot)
    shown[day.zone.label(day.date, static_cast<int>(slot) * interval).substr(11, 5)].push_back(
        slot);

  const auto fitted = fit_to_zone(day);
  bool is_other = day.zone.minutes_of(day.date) % interval != 0;
  int rejected = 0;
  std::vector<Quality> qualities(slots, Quality::missing);
  std::vector<std::int64_t> mantissas(slots);
  for (std::size_t i = 0; i < day.mantissas.size(); ++i) {
    if (day.qualities[i] == Quality::missing) continue;
    const auto minute = static_cast<int>(i) * interval;
    const auto label = TimeZone().label(day.date, minute).substr(11, 5);
    const auto places = shown[label];
    if (places.empty() && day.mantissas[i] != 0) is_other = true;
    if (places.size() == 2) ++rejected;
    if (places.size() != 1) continue;
    qualities[places[0]] = Quality::actual;
    mantissas[places[0]] = day.mantissas[i];
  }
  RC_ASSERT(fitted.is_rejected == is_other);
  if (is_other) return;
  RC_ASSERT(fitted.rejected_readings == rejected);
  RC_ASSERT(fitted.day.qualities == qualities);
  RC_ASSERT(fitted.day.mantissas == mantissas);
}

}  // namespace
}  // namespace meterline::formats
