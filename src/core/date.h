#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace meterline {

struct CivilDay {
  int year;
  int month;  ///< 1-12
  int day;    ///< 1-31
  auto operator<=>(const CivilDay&) const = default;
};

/// A calendar day, proleptic Gregorian, without time zone: 1900-01-01 to 2199-12-31, both
/// inclusive. A value outside that range cannot be made.
class Date {
 public:
  constexpr Date() = default;  ///< 1970-01-01

  /// Empty when the day does not exist (2019-02-30) or lies outside the range.
  static std::optional<Date> from_civil(CivilDay civil);
  /// `days` counted from 1970-01-01. Empty when outside the range.
  static constexpr std::optional<Date> from_days(std::int64_t days) {
    if (days < days_min || days > days_max) return std::nullopt;
    return Date(static_cast<std::int32_t>(days));
  }
  /// `yyyy-MM-dd` and nothing else: no blanks, no other separators, four digits of year.
  static std::optional<Date> parse(std::string_view text);

  static constexpr Date min() { return Date(days_min); }
  static constexpr Date max() { return Date(days_max); }

  constexpr std::int32_t days() const { return days_; }  ///< Since 1970-01-01; negative before.
  CivilDay civil() const;
  std::string text() const;  ///< `yyyy-MM-dd`

  /// The next day. Must not be called on max().
  Date next() const { return Date(days_ + 1); }

  auto operator<=>(const Date&) const = default;
  friend std::ostream& operator<<(std::ostream& out, Date date) { return out << date.text(); }

 private:
  static constexpr std::int32_t days_min = -25'567;  ///< 1900-01-01
  static constexpr std::int32_t days_max = 84'005;   ///< 2199-12-31

  explicit constexpr Date(std::int32_t days) : days_(days) {}
  std::int32_t days_ = 0;
};

/// A month as counted from January 1900, the first month of the range: 0-3599.
struct Month {
  std::uint16_t index = 0;

  static Month of(Date date);
  Date first_day() const;
  int days() const;  ///< 28-31
  auto operator<=>(const Month&) const = default;
};

struct DateRange {
  Date from;
  Date to;  ///< both inclusive

  /// Days in the range, at least 0.
  std::int64_t size() const { return to < from ? 0 : to.days() - from.days() + 1; }
  bool contains(Date date) const { return from <= date && date <= to; }
  bool operator==(const DateRange&) const = default;
};

}  // namespace meterline
