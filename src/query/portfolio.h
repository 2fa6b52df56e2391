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

struct PortfolioQuestion {
  DateRange dates;
  Resolution resolution = Resolution::day;  ///< a day or coarser
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
  std::optional<Unit> unit = {};  ///< Tell channels of its quantity in it, see told_unit().
};

/// All meters together. A meter counts in `meters` with one reading or more; one that has no
/// stored day in the span is expected all the same.
struct PortfolioTotal {
  Total total;
  std::int64_t meters = 0;             ///< With at least one reading.
  std::int64_t meters_incomplete = 0;  ///< Known in the question's dates, some reading missing.
  /// sum / meters, rounded half to even to six decimals; empty when there is no meter.
  std::optional<Sum> average;
};

struct PortfolioPoint {
  Date day;
  PortfolioTotal total;
};

struct PortfolioChannel {
  Channel channel;
  PortfolioTotal total;
  std::vector<PortfolioPoint> series;  ///< Without holes, ascending.
};

struct Portfolio {
  PortfolioQuestion question;
  std::vector<PortfolioChannel> channels;  ///< Ascending by channel.
};

/// What all meters used; without sums where readings do not add up (adds_up). Keeps about
/// `held_bytes` of meters at most, and of a single day nothing of any. Errors:
/// `invalid_argument` when `to` is before `from` or the resolution is finer than a day, `too_large`
/// beyond 40 years.
Result<Portfolio> portfolio(const store::Store& store, const PortfolioQuestion& question,
                            StopFlag stop = nullptr, std::size_t held_bytes = held_bytes_max);

}  // namespace meterline::query
