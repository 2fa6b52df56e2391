#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/stop.h"
#include "query/meter_spans.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// A gap is a day that is not complete: nothing of it is stored, or a reading of it is missing.

/// Meters and channels that are known, but have no stored day in the time asked for.
enum class Absent {
  listed,    ///< All their days are gaps. Takes a look at every meter of the store.
  left_out,  ///< Neither listed nor counted.
};

struct GapsQuestion {
  DateRange dates;
  std::optional<std::string> channel;  ///< Only channels of this name.
  std::optional<Flow> flow;            ///< Only channels of this flow.
  std::optional<Instant> as_of;        ///< Of days; which meters are known is asked of now.
  Absent absent = Absent::listed;
  MeterId after;            ///< Lists meters greater than this; default: from the first.
  std::size_t limit = 100;  ///< Of the list; the total is always that of all.
};

/// A channel that has a gap.
struct ChannelDays {
  Channel channel;
  std::int64_t stored = 0;    ///< Days of which something is stored.
  std::int64_t complete = 0;  ///< Of those, days of which no reading is missing.
  Date first_gap;
};

struct MeterDays {
  MeterId meter;
  std::vector<ChannelDays> channels;  ///< Those with a gap, ascending; at least one.
};

/// Days are those of each channel of each meter.
struct GapsTotal {
  std::int64_t meters = 0;
  std::int64_t meters_with_gaps = 0;
  std::int64_t days = 0;  ///< That there ought to be.
  std::int64_t stored = 0;
  std::int64_t complete = 0;
};

struct Gaps {
  GapsQuestion question;
  GapsTotal total;
  std::vector<MeterDays> meters;  ///< Ascending by meter.
  bool more = false;              ///< There are meters with gaps behind those listed.
};

/// Which meters have gaps. Keeps two bits a day for each channel of each meter, and about
/// `held_bytes` at most. Errors:
/// `invalid_argument` when `to` is before `from`, `too_large` beyond 40 years.
Result<Gaps> gaps(const store::Store& store, const GapsQuestion& question, StopFlag stop = nullptr,
                  std::size_t held_bytes = held_bytes_max);

struct MeterGapsQuestion {
  MeterId meter;
  DateRange dates;
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
};

/// Days of which nothing is stored, or one day that lacks readings.
struct Gap {
  DateRange dates;
  std::int64_t readings = 0;
  std::optional<std::int64_t> expected;  ///< Readings of that day; empty when nothing is stored.
  bool operator==(const Gap&) const = default;
};

/// `missing`, or `incomplete` for a day that lacks readings.
std::string_view kind_of(const Gap& gap);

struct ChannelGaps {
  Channel channel;
  std::int64_t stored = 0;
  std::int64_t complete = 0;
  std::vector<Gap> gaps;  ///< Ascending; those of missing days as long as can be.
};

struct MeterGaps {
  MeterGapsQuestion question;
  std::vector<ChannelGaps> channels;  ///< All that are known, ascending.
};

/// The gaps of one meter. Errors: those of gaps(), and `not_found` for an unknown meter.
Result<MeterGaps> meter_gaps(const store::Store& store, const MeterGapsQuestion& question);

}  // namespace meterline::query
