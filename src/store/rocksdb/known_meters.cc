#include "store/rocksdb/known_meters.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace meterline::store {

bool KnownMeters::has(std::string_view entry) const {
  const std::shared_lock lock(mutex_);
  return entries_.contains(entry);
}

void KnownMeters::add(std::vector<std::string> entries) {
  const std::unique_lock lock(mutex_);
  for (auto& entry : entries) {
    if (entries_.size() >= entries_max) return;
    entries_.insert(std::move(entry));
  }
}

KnownMeters::Channels KnownMeters::channels() const {
  const std::shared_lock lock(mutex_);
  return channels_;
}

void KnownMeters::add_channels(std::span<const Channel> channels) {
  const std::unique_lock lock(mutex_);
  std::vector<Channel> all = *channels_;
  all.insert(all.end(), channels.begin(), channels.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  channels_ = std::make_shared<const std::vector<Channel>>(std::move(all));
}

}  // namespace meterline::store
