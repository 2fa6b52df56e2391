#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/channel.h"

namespace meterline::store {

/// What this process knows of the list of meters in family `meters`.
///
/// Threads: every method may be called from many threads at once.
class KnownMeters {
 public:
  static constexpr std::size_t entries_max = 100'000;
  /// Of a store with more channels than that, not all need be known.
  static constexpr std::size_t channels_max = 8;

  /// Whether it is known that the list has this entry (a meter's key and a channel's bytes), so
  /// that daily loads need not list it again. What is not known is listed once more, which changes
  /// nothing.
  bool has(std::string_view entry) const;
  /// Entries that are durable now. No more than entries_max are kept.
  void add(std::vector<std::string> entries);

  using Channels = std::shared_ptr<const std::vector<Channel>>;
  /// All channels that any meter has, ascending; or channels_max of them or more.
  Channels channels() const;
  /// Channels that are durable now.
  void add_channels(std::span<const Channel> channels);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  mutable std::shared_mutex mutex_;
  std::unordered_set<std::string, Hash, std::equal_to<>> entries_;
  Channels channels_ = std::make_shared<const std::vector<Channel>>();
};

}  // namespace meterline::store
