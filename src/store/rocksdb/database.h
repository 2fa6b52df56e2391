#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/options.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/rocksdb/beside.h"

namespace meterline::store::rocksdb {

class Failure;

/// The files of a database as RocksDB asks the system for them, with two differences:
/// - Once a write or sync of the MANIFEST has failed, no table is removed before the database is
///   opened again: RocksDB removes those that it was to name, and it may name them nevertheless.
/// - OPTIONS files are not synced, as nobody reads them: it would be two syncs for each opening,
///   and twelve for a new store.
std::unique_ptr<::rocksdb::Env> make_store_files(std::shared_ptr<const Failure> failure);

/// The checksums of whole files, as RocksDB's own factory of crc32c makes them.
std::shared_ptr<::rocksdb::FileChecksumGenFactory> make_file_checksums();

/// The CRC-32C of a table file, as the database noted it when that was written; empty for one of a
/// program that noted none.
std::optional<std::uint32_t> noted_crc(const ::rocksdb::LiveFileMetaData& table);

/// The families of an embedded store's database. docs/store.md says what stands in them.
enum class Family : std::size_t {
  days = 1,
  totals = 2,
  deliveries = 3,
  meters = 4,
  recent = 5,
  registers = 6,
};

/// The first error that a database could not pass over: from then on nothing is written until it is
/// opened again, as what then lies in its log may be a part of what was written.
///
/// Threads: every method may be called from many threads at once.
class Failure {
 public:
  bool is_set() const { return is_set_.load(std::memory_order_acquire); }
  /// Only where is_set().
  Error error() const;
  void set(const Error& error);

  /// Whether the MANIFEST was written in part: it may name tables that RocksDB takes for unused.
  bool is_of_manifest() const { return is_of_manifest_.load(std::memory_order_acquire); }
  void set_of_manifest() { is_of_manifest_.store(true, std::memory_order_release); }

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> is_of_manifest_ = false;
  std::atomic<bool> is_set_ = false;
  Error error_ = {};
};

enum class OpenAs : std::uint8_t {
  made,       ///< In a folder that has none.
  there,      ///< In a folder that has one; `corrupt` where it does not.
  read_only,  ///< The same, and writes nothing, not into its folder either.
  /// The same, while another process may be writing into it: all that was durable before open() is
  /// in it, and what becomes durable later may be.
  beside,
};

/// An open RocksDB database with its families.
class Database {
 public:
  /// Errors: `corrupt` where a log, the MANIFEST or a table file is damaged, with what can be done;
  /// beside an owner also where that one changes its files faster than they can be opened.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& folder,
                                                std::size_t cache_bytes, OpenAs as);
  /// A database of which these files were seen, for reading only; its tables are those on the disk.
  /// Errors: `corrupt` also where its owner has removed a table since.
  static Result<std::unique_ptr<Database>> open_seen(const std::filesystem::path& folder,
                                                     std::size_t cache_bytes, SeenFiles seen);
  /// Brings what only the log has into table files first, unless it has failed: then opening it
  /// again takes from the log what is whole.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// All of it or nothing. Any error of these three is final: see Failure.
  Result<void> write(std::string_view doing, ::rocksdb::WriteBatch& batch, bool durable);
  /// Brings what only the log has into table files: all families in one step, so that what one
  /// write gave is never in the log for one of them only.
  Result<void> flush();
  Result<void> take_in(const std::vector<::rocksdb::IngestExternalFileArg>& files);

  /// Whether all table files are, byte by byte, as they were written: `corrupt` otherwise.
  Result<void> verify_files() const;

  /// Whether the log held a record when it was opened.
  bool was_cut_off() const { return was_cut_off_; }
  const Failure& failure() const { return *failure_; }
  /// Refuses to write from now on.
  void fail_with(const Error& error) { failure_->set(error); }

  /// For the calling thread. RocksDB counts what it does for each thread unless it is told not to,
  /// which takes a sixth of a read by key.
  ::rocksdb::DB& db() const {
    ::rocksdb::SetPerfLevel(::rocksdb::PerfLevel::kDisable);
    return *db_;
  }
  ::rocksdb::ColumnFamilyHandle* family(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }
  const ::rocksdb::Options& options(Family family) const {
    return options_[static_cast<std::size_t>(family)];
  }

 private:
  Database() = default;

  static Result<std::unique_ptr<Database>> open_once(const std::filesystem::path& folder,
                                                     std::size_t cache_bytes, OpenAs as);
  Result<void> open_families(const std::filesystem::path& folder, std::size_t cache_bytes,
                             OpenAs as);
  Result<void> done(std::string_view doing, const ::rocksdb::Status& status);

  bool is_writable_ = true;
  bool was_cut_off_ = false;
  std::shared_ptr<Failure> failure_ = std::make_shared<Failure>();
  std::unique_ptr<::rocksdb::Env> files_ = make_store_files(failure_);
  std::vector<::rocksdb::Options> options_;
  std::vector<::rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<::rocksdb::DB> db_;
};

/// Whether an older program made the database, which knew fewer families: it has to be opened for
/// writing once. False, too, where that cannot be told.
bool lacks_families(const std::filesystem::path& folder);

/// An error for people out of RocksDB's; `doing` completes "cannot ...".
tl::unexpected<Error> database_error(std::string_view doing, const ::rocksdb::Status& status);

/// Of bytes of the database that make no sense.
tl::unexpected<Error> damaged_entry();
/// The error that an iterator ended with, if any.
Result<void> finished(const ::rocksdb::Iterator& iterator);

inline std::string_view view_of(const ::rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}
inline ::rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }

/// Table files of one family, ready to be taken into the database. Files that were not taken in
/// are removed with the object.
class SortedFiles {
 public:
  SortedFiles(const Database& database, Family family, std::filesystem::path folder);
  ~SortedFiles();
  SortedFiles(const SortedFiles&) = delete;
  SortedFiles& operator=(const SortedFiles&) = delete;

  /// Keys in strictly ascending order until finish_file().
  Result<void> merge(std::string_view key, std::string_view value);
  Result<void> put(std::string_view key, std::string_view value);
  Result<void> remove(std::string_view key);
  /// Closes the file; the next key may be any.
  Result<void> finish_file();

  Family family() const { return family_; }
  const std::vector<std::string>& files() const { return files_; }
  /// Of each finished file, as the database checks it.
  const std::vector<std::string>& checksums() const { return checksums_; }

 private:
  Result<::rocksdb::SstFileWriter*> writer();

  const Database& database_;
  Family family_;
  std::filesystem::path folder_;
  std::unique_ptr<::rocksdb::SstFileWriter> writer_;
  std::vector<std::string> files_;
  std::vector<std::string> checksums_;
};

/// Takes these files into the database in one step, all or none of them; closes them first.
Result<void> take_in(Database& database, std::initializer_list<SortedFiles*> sorted);

}  // namespace meterline::store::rocksdb
