#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/delivery.h"
#include "core/result.h"

namespace meterline::store {

/// Numbers the deliveries of one store, so that a reading day names its delivery in one or two
/// bytes. A number belongs to a delivery at one delivery time.
///
/// Threads: every method may be called from many threads at once.
class DeliveryTable {
 public:
  struct Entry {
    DeliveryId id;
    Version version;
  };

  /// The delivery's number: the one it has, or the next one.
  std::uint32_t number_of(const Delivery& delivery);
  /// Empty for a number that was never given.
  std::optional<Entry> find(std::uint32_t number) const;

  /// The stored form of an entry, and the way back, in ascending order of number.
  static std::string encode(const Entry& entry);
  Result<void> restore(std::uint32_t number, std::string_view bytes);

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::optional<Entry>> entries_;
  std::map<std::pair<DeliveryId, Instant>, std::uint32_t> numbers_;
};

}  // namespace meterline::store
