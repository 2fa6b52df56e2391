#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
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
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/united.h"

namespace meterline::store::rocksdb {

/// What a write gives for one month of one channel of one meter.
struct RecentEntry {
  std::string_view key;     ///< As in `days`.
  std::string_view days;    ///< A month block.
  std::string_view totals;  ///< A month of totals.
};

/// All days of one small write in one value, which costs the database one entry instead of two for
/// each meter:
///
///   value  | format, 1 byte | entry | entry | ...   keys ascending
///   entry  | size | key | size | days | size | totals |   sizes are varints
class RecentBlock {
 public:
  static constexpr unsigned char format = 1;

  /// Errors: `corrupt`, for a key that is none of `days`, too; never reads past the end, whatever
  /// the bytes are.
  static Result<RecentBlock> read(std::string bytes);

  /// Keys ascending.
  void add(const RecentEntry& entry);

  const std::string& bytes() const { return bytes_; }
  bool empty() const { return places_.empty(); }
  /// Views: valid until the next add().
  template <class Visit>
  Result<void> each(const Visit& visit) const {
    for (const auto& place : places_)
      if (auto visited = visit(at(place)); !visited) return visited;
    return {};
  }

 private:
  /// Begin and end of each part of an entry.
  struct Place {
    std::uint32_t key, key_end, days, days_end, totals, totals_end;
  };
  static_assert(sizeof(Place) == 24);
  RecentEntry at(const Place& place) const;

  std::string bytes_;
  std::vector<Place> places_;
};

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

  void add(std::uint64_t number, std::shared_ptr<const RecentBlock> block);
  /// Greater than any that was added or given before.
  std::uint64_t next_number() { return next_number_++; }
  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  bool is_full() const;

  /// Numbered blocks, ascending.
  using Blocks = std::vector<std::pair<std::uint64_t, std::shared_ptr<const RecentBlock>>>;
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
  void note(const RecentBlock& block);
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

/// What becomes of a recent block whose days are of a delivery without a record.
enum class RecentWithoutRecord : std::uint8_t { refused, dropped };

/// Brings all blocks of family `recent` back into memory, when a store is opened. Returns how many
/// were dropped. Errors: `corrupt` for a block that is refused.
Result<std::int64_t> load_recent(Database& database, const DeliveryTable& table,
                                 RecentWithoutRecord without_record, RecentMonths& recent);

/// Moves recent months into `days` and `totals`. Killed at any point, nothing is lost: what was
/// moved and not yet removed is found twice, which changes nothing.
///
/// Threads: every method may be called from many threads at once.
class RecentFold {
 public:
  /// `incoming` is for files on their way into the database.
  RecentFold(Database& database, RecentMonths& recent, std::filesystem::path incoming)
      : database_(database), recent_(recent), incoming_(std::move(incoming)) {}

  /// Folds when they are too many, so that there is room for more.
  Result<void> make_room();
  /// Folds all there are.
  Result<void> fold();

 private:
  Result<void> fold_locked();
  Result<void> move(const RecentMonths& months) const;
  Result<void> remove(const RecentMonths::Blocks& blocks) const;

  Database& database_;
  RecentMonths& recent_;
  const std::filesystem::path incoming_;
  std::mutex mutex_;
};

}  // namespace meterline::store::rocksdb
