#include "query/total.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/try.h"

namespace meterline::query {
namespace {

__extension__ using UInt128 = unsigned __int128;
constexpr UInt128 int128_max = ~UInt128{0} >> 1;
constexpr int average_exponent = -6;

constexpr std::array<std::string_view, 7> names = {"interval", "hour",    "day", "week",
                                                   "month",    "quarter", "year"};
constexpr int week_days = 7;
constexpr int quarter_months = 3;

tl::unexpected<Error> too_long() {
  return fail(Errc::too_large, "the average has more digits than an exact total can hold");
}

/// Rounded half to even to six decimals.
Result<Sum> quotient(const Sum& sum, UInt128 divisor) {
  const bool negative = sum.mantissa() < 0;
  const auto mantissa = static_cast<UInt128>(sum.mantissa());
  const UInt128 magnitude = negative ? 0 - mantissa : mantissa;
  int exponent = sum.exponent();
  for (; exponent < average_exponent; ++exponent)
    if (__builtin_mul_overflow(divisor, 10, &divisor)) return too_long();

  UInt128 quotient = magnitude / divisor;
  UInt128 rest = magnitude % divisor;
  for (; exponent > average_exponent; --exponent) {
    if (quotient > int128_max / 10 - 1 || rest > ~UInt128{0} / 10) return too_long();
    quotient = quotient * 10 + rest * 10 / divisor;
    rest = rest * 10 % divisor;
  }
  const bool round_up = rest > divisor - rest || (rest == divisor - rest && quotient % 2 == 1);
  const auto rounded = static_cast<Int128>(quotient + (round_up ? 1 : 0));
  return Sum(negative ? -rounded : rounded, average_exponent);
}

}  // namespace

std::optional<Resolution> parse_resolution(std::string_view text) {
  const auto* found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Resolution>(found - names.begin());
}

std::string_view text_of(Resolution resolution) {
  return names.at(static_cast<std::size_t>(resolution));
}

Result<void> Total::add(const Total& other) {
  if (other.sum) METERLINE_CHECK(add_sum(*other.sum));
  version = std::max(version, other.version);
  add_counts(other.readings, other.expected, other.quality);
  return {};
}

void Total::add_missing(std::int64_t intervals) {
  expected += intervals;
  quality.missing += intervals;
}

Date span_start(Date date, Resolution resolution, Date from) {
  if (resolution <= Resolution::day) return date;
  if (resolution == Resolution::week) {
    const int behind_monday = (date.days() - Date::min().days()) % week_days;  // Itself a Monday.
    return std::max(*Date::from_days(date.days() - behind_monday), from);
  }
  CivilDay civil = date.civil();
  civil.day = 1;
  if (resolution == Resolution::quarter) civil.month -= (civil.month - 1) % quarter_months;
  if (resolution == Resolution::year) civil.month = 1;
  return std::max(*Date::from_civil(civil), from);
}

std::int64_t spans_in(const DateRange& dates, Resolution resolution) {
  const auto number = [&](Date date) -> std::int64_t {
    if (resolution == Resolution::day) return date.days();
    if (resolution == Resolution::week) return (date.days() - Date::min().days()) / week_days;
    const int month = Month::of(date).index;
    if (resolution == Resolution::month) return month;
    return month / (resolution == Resolution::quarter ? quarter_months : 12);
  };
  return number(dates.to) - number(dates.from) + 1;
}

bool is_wanted(const Channel& channel, const std::optional<std::string>& name,
               std::optional<Flow> flow) {
  return (!name || channel.name == *name) && (!flow || channel.flow == *flow);
}

Unit told_unit(Unit kept, std::optional<Unit> asked) {
  return asked && kept_unit(*asked).kept == kept_unit(kept).kept ? *asked : kept;
}

Result<void> convert(std::optional<Sum>& sum, Unit from, Unit to) {
  if (!sum || from == to) return {};
  auto mantissa = sum->mantissa();
  int exponent = sum->exponent() + kept_unit(from).exponent - kept_unit(to).exponent;
  bool is_too_large = exponent < -decimal_digits_max;
  for (; exponent > 0; --exponent) is_too_large |= __builtin_mul_overflow(mantissa, 10, &mantissa);
  if (is_too_large)
    return fail(Errc::too_large, fmt::format("a sum has more digits in {} than an exact total can "
                                             "hold",
                                             text_of(to)));
  sum.emplace(mantissa, exponent);
  return {};
}

Result<Sum> average_of(const Sum& sum, std::int64_t count) {
  return quotient(sum, static_cast<UInt128>(count));
}

Result<Sum> ratio_of(const Sum& sum, const Sum& whole, std::int64_t count) {
  UInt128 divisor = 0;
  if (__builtin_mul_overflow(static_cast<UInt128>(whole.mantissa()), count, &divisor))
    return too_long();
  return quotient({sum.mantissa(), sum.exponent() - whole.exponent()}, divisor);
}

}  // namespace meterline::query
