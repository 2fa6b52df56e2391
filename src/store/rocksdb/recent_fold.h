#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <utility>

#include "core/result.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/recent_months.h"

namespace meterline::store {

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

}  // namespace meterline::store
