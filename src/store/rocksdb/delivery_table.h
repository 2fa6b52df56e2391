#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/delivery.h"
#include "core/result.h"
#include "store/delivery_events.h"

namespace meterline::store::rocksdb {

/// A delivery's number is less.
inline constexpr std::uint32_t delivery_numbers_max = 100'000'000;

/// Numbers the deliveries of one store, so that a reading day names its delivery in one or two
/// bytes. A number belongs to a delivery at one delivery time and one receipt. Beside them the
/// events of the deliveries.
///
/// Threads: every method may be called from many threads at once.
class DeliveryTable {
 public:
  struct Entry {
    DeliveryId id;
    Version version;  ///< Of days that state no time of their own.
  };

  /// The delivery's number: the one it has, or the next one.
  std::uint32_t number_of(const Delivery& delivery);
  /// Null for a number that was never given; else valid as long as the table. Takes no lock: a
  /// question looks up each of its days.
  const Entry* find(std::uint32_t number) const {
    if (number >= size_.load(std::memory_order_acquire)) return nullptr;
    const auto& entry = *place_of(number);
    return entry ? &*entry : nullptr;
  }

  /// The stored form of an entry, and the way back, in ascending order of number.
  static std::string encode(const Entry& entry);
  Result<void> restore(std::uint32_t number, std::string_view bytes);

  /// Greater than any that was given.
  std::uint32_t next_number() const { return size_.load(std::memory_order_acquire); }
  /// Gives no number below this one from now on.
  Result<void> pass_over(std::uint32_t first);

  using Events = std::shared_ptr<const DeliveryEvents>;
  /// Of all deliveries; null where there are none, which costs a look.
  Events events() const;
  /// Once they are durable.
  void set_events(DeliveryEvents events);

 private:
  /// Entries stand in chunks that never move, each twice as long as the one before.
  static constexpr int first_chunk_bits = 6;
  static constexpr int chunks_max = 33 - first_chunk_bits;
  static int chunk_of(std::uint64_t at) {
    return static_cast<int>(std::bit_width(at)) - 1 - first_chunk_bits;
  }
  std::optional<Entry>* place_of(std::uint32_t number) const {
    const std::uint64_t at = number + (std::uint64_t{1} << first_chunk_bits);
    const int chunk = chunk_of(at);
    const auto begin = std::uint64_t{1} << (chunk + first_chunk_bits);
    return &chunks_[static_cast<std::size_t>(chunk)][at - begin];
  }
  /// Makes room for all numbers up to this one; locked.
  void make_room(std::uint32_t number);
  /// Makes it the entry of `number`, which is the last one then; locked.
  void put(std::uint32_t number, const Entry& entry);

  std::mutex mutex_;  ///< For what changes the table.
  std::map<std::pair<DeliveryId, Version>, std::uint32_t> numbers_;
  std::array<std::unique_ptr<std::optional<Entry>[]>, chunks_max> chunks_;
  std::atomic<std::uint32_t> size_ = 0;  ///< Entries below are never changed.

  std::atomic<bool> has_events_ = false;
  mutable std::mutex events_mutex_;
  Events events_;
};

}  // namespace meterline::store::rocksdb
