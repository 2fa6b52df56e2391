#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/result.h"

namespace meterline::query {

/// Limits of a tariff's file.
inline constexpr std::size_t tariff_bytes_max = std::size_t{64} << 10;
inline constexpr std::size_t tariff_bands_max = 32;
inline constexpr std::size_t tariff_rules_max = 200;
inline constexpr std::size_t tariff_times_max = 24;  ///< Of one rule.
inline constexpr std::size_t tariff_seasons_max = 32;
inline constexpr std::size_t tariff_season_spans_max = 16;  ///< Of one season.
inline constexpr std::size_t tariff_holidays_max = 2000;
inline constexpr std::size_t tariff_name_chars_max = 32;  ///< Of bands and seasons as well.

/// Minutes of a day.
inline constexpr std::size_t clock_minutes = 24 * 60;

/// The band of each minute of a day, as the clock shows it: a place in Tariff::bands.
using DayBands = std::array<std::uint8_t, clock_minutes>;

/// Days of every year, as month * 100 + day; from 1101 to 331 is over the turn of the year.
struct YearSpan {
  int from = 0;
  int to = 0;  ///< both inclusive
  bool contains(int month_day) const {
    if (from <= to) return from <= month_day && month_day <= to;
    return month_day >= from || month_day <= to;
  }
};

/// Minutes of the day, as the clock shows them; from 1320 to 360 are those before 6 and from 22 on.
struct ClockSpan {
  std::size_t from = 0;
  std::size_t to = 0;  ///< Behind the last; another than `from`, at most clock_minutes.
};

/// What a rule calls the kinds of days: bit 0 is Monday.
inline constexpr std::uint8_t holiday_bit = 1 << 7;
inline constexpr std::uint8_t every_day = 0xff;

struct TariffRule {
  std::uint8_t band = 0;
  std::uint8_t days = every_day;  ///< Bits. A holiday is of its own bit only.
  std::vector<YearSpan> seasons;  ///< Empty: the whole year.
  std::vector<ClockSpan> times;   ///< Empty: the whole day.
};

/// Which time of which day is of which band: time of use. Each minute is of the first rule that has
/// it, else of the band `otherwise`. docs/use/tariffs.md describes the file.
///
/// Threads: immutable once made.
class Tariff {
 public:
  /// `name` is what it is called. Errors: `invalid_argument` with line and column, `too_large`
  /// beyond tariff_bytes_max.
  static Result<Tariff> parse(std::string_view toml, std::string_view name);

  const std::string& name() const { return name_; }
  /// In the order in which the rules name them; `otherwise` last, where no rule names it.
  const std::vector<std::string>& bands() const { return bands_; }
  bool is_holiday(Date date) const;
  DayBands bands_of(Date date) const;

 private:
  friend class TariffReader;

  std::string name_;
  std::vector<std::string> bands_;
  std::uint8_t otherwise_ = 0;
  std::vector<TariffRule> rules_;
  std::vector<Date> holidays_;        ///< Ascending.
  std::vector<int> yearly_holidays_;  ///< month * 100 + day, ascending.
};

/// By name.
using Tariffs = std::map<std::string, Tariff, std::less<>>;

/// 1 to tariff_name_chars_max characters of `A-Z a-z 0-9 _ - . :`.
bool is_tariff_name(std::string_view text);

}  // namespace meterline::query
