#include "ingest/row_record.h"

#include <algorithm>

namespace meterline::ingest {

std::uint16_t ChannelTable::number_of(const Channel& channel) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::find(channels_.begin(), channels_.end(), channel);
  const auto number = static_cast<std::uint16_t>(found - channels_.begin());
  if (found == channels_.end()) channels_.push_back(channel);
  return number;
}

std::vector<Channel> ChannelTable::all() const {
  const std::scoped_lock lock(mutex_);
  return channels_;
}

std::uint32_t PackedRows::number_of_next(std::string_view next) {
  const bool is_same = !meter_ends.empty() && meter(meter_ends.size() - 1) == next;
  if (!is_same) {
    meters += next;
    meter_ends.push_back(static_cast<std::uint32_t>(meters.size()));
  }
  return static_cast<std::uint32_t>(meter_ends.size() - 1);
}

}  // namespace meterline::ingest
