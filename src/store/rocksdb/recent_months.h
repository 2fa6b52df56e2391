#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/meter_id.h"
#include "core/result.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/entry_buffer.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/recent_block.h"

namespace meterline::store {

/// What small writes gave, in memory, by meter and month, until it is folded into `days` and
/// `totals`. Everything here is durable in family `recent`, block by block.
///
/// A question has to look here first, and into the database then: what was folded in between is
/// found twice, which changes nothing, as values are sets.
///
/// Threads: every method may be called from many threads at once.
class RecentMonths {
 public:
  /// So many values of one meter and month are too many to unite for each question.
  static constexpr std::size_t values_of_month_max = 64;

  /// `bytes_max`: of blocks, before they are to be folded; 0: each at once.
  explicit RecentMonths(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Errors: `corrupt`; nothing was added then.
  Result<void> add(std::uint64_t number, std::string block);
  /// Greater than any that was added or given before.
  std::uint64_t next_number() { return next_number_++; }
  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  bool is_full() const;

  /// Numbered blocks, ascending.
  using Blocks = std::vector<std::pair<std::uint64_t, std::shared_ptr<const std::string>>>;
  Blocks blocks() const;
  /// What these hold must be in `days` and `totals` by now.
  void remove(const Blocks& blocks);

  // Appends copies, in no order.

  /// Of one key in `days`.
  void find(std::string_view days_key, EntryBuffer& found) const;
  /// Of family `days` or `totals`, with its keys.
  void of_meter(Family family, const MeterId& meter, MonthRange months, EntryBuffer& found) const;
  void of_all_meters(Family family, MonthRange months, EntryBuffer& found) const;

 private:
  struct Value {
    RecentEntry entry;     ///< Points into a block.
    std::uint32_t before;  ///< Of the same meter and month; its own place if there is none.
  };
  /// Of one meter and month: its last value, and how many there are.
  struct Chain {
    std::uint32_t last = 0;
    std::uint32_t count = 0;
  };
  void note(const RecentEntry& entry);
  template <class Visit>
  void each_of(std::string_view meter_month, const Visit& visit) const;

  const std::size_t bytes_max_;
  std::atomic<std::uint64_t> next_number_ = 0;
  std::atomic<std::size_t> bytes_ = 0;

  mutable std::shared_mutex mutex_;
  Blocks blocks_;
  std::vector<Value> values_;
  std::unordered_map<std::string_view, Chain> chains_;  ///< By meter_month_of() their keys.
  std::size_t longest_ = 0;
  std::set<Month> months_;  ///< Of the values.
};

}  // namespace meterline::store
