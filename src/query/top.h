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

enum class TopOrder : std::uint8_t { highest, lowest };

std::optional<TopOrder> parse_top_order(std::string_view text);
std::string_view text_of(TopOrder order);

struct TopQuestion {
  DateRange dates;
  TopOrder order = TopOrder::highest;
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
  std::optional<Unit> unit = {};  ///< Tell channels of its quantity in it, see told_unit().
  std::size_t limit = 10;         ///< Meters of each channel.
};

struct TopMeter {
  MeterId meter;
  std::optional<Sum> sum;
  std::int64_t readings = 0;  ///< That the sum rests on.
  std::int64_t days = 0;      ///< Of which all readings are there.
};

struct TopChannel {
  Channel channel;
  std::int64_t meters = 0;       ///< With at least one reading.
  std::vector<TopMeter> listed;  ///< In the order asked for; of equal sums by id.
};

struct Top {
  TopQuestion question;
  std::vector<TopChannel> channels;  ///< Ascending by channel.
};

/// The meters that used the most, or the least, of all that have a reading of the days; a meter
/// that lacks some is listed by what is there. Channels whose readings do not add up (adds_up) are
/// left out. Keeps about `held_bytes` of meters at most.
/// Errors: `invalid_argument` when `to` is before `from`, `too_large` beyond 40 years.
Result<Top> top(const store::Store& store, const TopQuestion& question, StopFlag stop = nullptr,
                std::size_t held_bytes = held_bytes_max);

}  // namespace meterline::query
