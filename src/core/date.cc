#include "core/date.h"

#include <fmt/core.h>

#include <cassert>

namespace meterline {
namespace {

constexpr int year_min = 1900;
constexpr int year_max = 2199;

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in_month(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/// Counts years from 1 March, so that the leap day is the last of its year.
constexpr std::int32_t days_from_civil(int year, int month, int day) {
  const int march_year = month <= 2 ? year - 1 : year;
  const int era = march_year / 400;
  const int year_of_era = march_year - era * 400;
  const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

static_assert(days_from_civil(year_min, 1, 1) == Date::min().days());
static_assert(days_from_civil(year_max, 12, 31) == Date::max().days());

/// Empty unless all of `text` is digits.
std::optional<int> parse_digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<Date> Date::from_civil(CivilDay civil) {
  const auto [year, month, day] = civil;
  if (year < year_min || year > year_max || month < 1 || month > 12) return std::nullopt;
  if (day < 1 || day > days_in_month(year, month)) return std::nullopt;
  return Date(days_from_civil(year, month, day));
}

std::optional<Date> Date::parse(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = parse_digits(text.substr(0, 4));
  const auto month = parse_digits(text.substr(5, 2));
  const auto day = parse_digits(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  return from_civil({.year = *year, .month = *month, .day = *day});
}

CivilDay Date::civil() const {
  const int shifted = days_ + 719468;
  const int era = shifted / 146097;
  const int day_of_era = shifted - era * 146097;
  const int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int march_month = (5 * day_of_year + 2) / 153;
  const int month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * march_month + 2) / 5 + 1};
}

std::string Date::text() const {
  const auto [year, month, day] = civil();
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

Month Month::of(Date date) {
  const auto civil = date.civil();
  return {.index = static_cast<std::uint16_t>((civil.year - year_min) * 12 + civil.month - 1)};
}

Date Month::first_day() const {
  const auto date =
      Date::from_civil({.year = year_min + index / 12, .month = index % 12 + 1, .day = 1});
  assert(date);
  return *date;
}

int Month::days() const { return days_in_month(year_min + index / 12, index % 12 + 1); }

}  // namespace meterline
