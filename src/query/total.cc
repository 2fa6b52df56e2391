#include "query/total.h"

#include <algorithm>
#include <array>

#include "core/try.h"

namespace meterline::query {
namespace {

__extension__ using UInt128 = unsigned __int128;
constexpr UInt128 int128_max = ~UInt128{0} >> 1;
constexpr int average_exponent = -6;

constexpr std::array<std::string_view, 5> names = {"interval", "hour", "day", "month", "year"};

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
  if (other.sum) {
    METERLINE_CHECK(add_sum(*other.sum));
    version = std::max(version, other.version);
  }
  add_counts(other.readings, other.expected, other.quality);
  return {};
}

void Total::add_missing(std::int64_t intervals) {
  expected += intervals;
  quality.missing += intervals;
}

Date span_start(Date date, Resolution resolution, Date from) {
  if (resolution != Resolution::month && resolution != Resolution::year) return date;
  CivilDay civil = date.civil();
  civil.day = 1;
  if (resolution == Resolution::year) civil.month = 1;
  return std::max(*Date::from_civil(civil), from);
}

bool is_wanted(const Channel& channel, const std::optional<std::string>& name,
               std::optional<Flow> flow) {
  return (!name || channel.name == *name) && (!flow || channel.flow == *flow);
}

Result<Sum> average_of(const Sum& sum, std::int64_t count) {
  const bool negative = sum.mantissa() < 0;
  const auto mantissa = static_cast<UInt128>(sum.mantissa());
  const UInt128 magnitude = negative ? 0 - mantissa : mantissa;
  int exponent = sum.exponent();
  auto divisor = static_cast<UInt128>(count);
  for (; exponent < average_exponent; ++exponent) divisor *= 10;

  UInt128 quotient = magnitude / divisor;
  UInt128 rest = magnitude % divisor;
  for (; exponent > average_exponent; --exponent) {
    if (quotient > int128_max / 10 - 1)
      return fail(Errc::too_large, "the average has more digits than an exact total can hold");
    quotient = quotient * 10 + rest * 10 / divisor;
    rest = rest * 10 % divisor;
  }
  const bool round_up = rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 == 1);
  const auto rounded = static_cast<Int128>(quotient + (round_up ? 1 : 0));
  return Sum(negative ? -rounded : rounded, average_exponent);
}

}  // namespace meterline::query
