#include "store/rocksdb/meter_list.h"

#include <algorithm>

#include "core/try.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meter_channels.h"

namespace meterline::store {
namespace {

constexpr std::size_t batch_bytes_max = 1 << 20;

}  // namespace

Result<void> MeterList::add(const MeterId& meter, const Channel& channel) {
  if (meter != meter_) {
    METERLINE_CHECK(flush_meter());
    meter_ = meter;
  }
  if (std::find(channels_.begin(), channels_.end(), channel) == channels_.end())
    channels_.push_back(channel);
  return {};
}

Result<void> MeterList::finish() {
  METERLINE_CHECK(flush_meter());
  return new_channels_.empty() ? Result<void>() : emit(all_meters_key, new_channels_);
}

/// The list of all channels is of use only while it is short.
void MeterList::note_channels() {
  const auto known = known_.channels();
  for (const auto& channel : channels_) {
    if (known->size() + new_channels_.size() >= KnownMeters::channels_max) return;
    if (std::binary_search(known->begin(), known->end(), channel)) continue;
    const auto at = std::lower_bound(new_channels_.begin(), new_channels_.end(), channel);
    if (at == new_channels_.end() || *at != channel) new_channels_.insert(at, channel);
  }
}

Result<void> MeterList::flush_meter() {
  std::erase_if(channels_, [&](const Channel& channel) {
    std::string entry = meters_key(meter_);
    put_channel(channel, entry);
    if (known_.has(entry)) return true;
    if (new_.size() < KnownMeters::entries_max) new_.push_back(std::move(entry));
    return false;
  });
  if (channels_.empty()) return {};
  std::sort(channels_.begin(), channels_.end());
  note_channels();
  auto emitted = emit(meters_key(meter_), channels_);
  channels_.clear();
  return emitted;
}

Result<void> MeterList::emit(std::string_view key, std::span<const Channel> channels) {
  std::string value;
  write_meter_channels(channels, value);
  if (uses_files_) return files_.merge(key, value);
  entries_.add(key, value);
  return entries_.bytes() < batch_bytes_max ? Result<void>() : move_to_files();
}

Result<void> MeterList::move_to_files() {
  uses_files_ = true;
  METERLINE_CHECK(entries_.each(
      [&](std::string_view key, std::string_view value) { return files_.merge(key, value); }));
  entries_.clear();
  return {};
}

void MeterList::committed() {
  known_.add(std::move(new_));
  if (!new_channels_.empty()) known_.add_channels(new_channels_);
}

}  // namespace meterline::store
