#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/decimal.h"
#include "core/try.h"
#include "store/store.h"

namespace meterline::query {

/// A sum and what it rests on.
struct Total {
  std::optional<Sum> sum;          ///< Empty when no reading is known, or readings do not add up.
  std::int64_t readings = 0;       ///< That the sum rests on.
  std::int64_t expected = 0;       ///< Intervals of the time asked for.
  store::QualityCounts quality;    ///< missing = expected - readings
  std::optional<Version> version;  ///< The newest that gave a reading.

  /// `too_large` when the sum would overflow; nothing is changed then.
  Result<void> add(const store::DayTotal& day) {
    if (day.readings > 0) {
      METERLINE_CHECK(add_sum(day.sum));
      if (!version || *version < day.version) version = day.version;
    }
    add_counts(day.readings, day.expected, day.quality);
    return {};
  }
  Result<void> add(const Total& other);
  /// Intervals of which nothing is stored.
  void add_missing(std::int64_t intervals);

  bool operator==(const Total&) const = default;

 private:
  Result<void> add_sum(const Sum& more) {
    if (sum) return sum->add(more);
    sum = more;
    return {};
  }
  void add_counts(std::int64_t given, std::int64_t wanted, const store::QualityCounts& counts) {
    readings += given;
    expected += wanted;
    quality.actual += counts.actual;
    quality.substituted += counts.substituted;
    quality.estimated += counts.estimated;
    quality.missing += counts.missing;
  }
};

/// The span of one point of a series. Weeks begin on Mondays (ISO 8601), quarters in January,
/// April, July and October.
enum class Resolution : std::uint8_t { interval, hour, day, week, month, quarter, year };

std::optional<Resolution> parse_resolution(std::string_view text);
std::string_view text_of(Resolution resolution);
inline constexpr std::string_view resolution_names =
    "interval, hour, day, week, month, quarter or year";

/// Of all meters together.
inline constexpr std::string_view long_resolution_names = "day, week, month, quarter or year";

/// Where the span that `date` lies in starts, for day and coarser: cut off at `from`.
Date span_start(Date date, Resolution resolution, Date from);

/// Spans that hold one of the dates or more, which are one or more; for day and coarser.
std::int64_t spans_in(const DateRange& dates, Resolution resolution);

/// What is not given does not filter.
bool is_wanted(const Channel& channel, const std::optional<std::string>& name,
               std::optional<Flow> flow);

/// What `asked` is to a channel kept in `kept`: the same where both are of one quantity (kWh and
/// MWh), else `kept`, as energy is told in no unit of volume.
Unit told_unit(Unit kept, std::optional<Unit> asked);

/// Makes it the same amount in another unit of its quantity, exactly. `too_large` when that has
/// more digits than a Sum holds.
Result<void> convert(std::optional<Sum>& sum, Unit from, Unit to);

/// sum / count, rounded half to even to six decimals; `count` is above 0. `too_large` when the
/// quotient has more digits than a Sum holds.
Result<Sum> average_of(const Sum& sum, std::int64_t count);

/// sum / (whole * count), likewise; both are above 0.
Result<Sum> ratio_of(const Sum& sum, const Sum& whole, std::int64_t count);

}  // namespace meterline::query
