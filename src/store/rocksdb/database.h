#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/perf_level.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::store {

/// The families of an embedded store's database. docs/store.md says what stands in them.
enum class Family : std::size_t {
  days = 1,
  totals = 2,
  deliveries = 3,
  meters = 4,
  recent = 5,
  registers = 6,
};

/// An open RocksDB database with its families.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& folder,
                                                std::size_t cache_bytes);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// For the calling thread. RocksDB counts what it does for each thread unless it is told not to,
  /// which takes a sixth of a read by key.
  rocksdb::DB& db() const {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
    return *db_;
  }
  rocksdb::ColumnFamilyHandle* family(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }
  const rocksdb::Options& options(Family family) const {
    return options_[static_cast<std::size_t>(family)];
  }

 private:
  Database() = default;

  std::vector<rocksdb::Options> options_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

/// An error for people out of RocksDB's; `doing` completes "cannot ...".
tl::unexpected<Error> database_error(std::string_view doing, const rocksdb::Status& status);

inline std::string_view view_of(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}
inline rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace meterline::store
