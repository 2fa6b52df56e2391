#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/durable_files.h"
#include "store/open_error.h"

namespace meterline::store::rocksdb {

/// The number of the layout of an embedded store's folder that this program writes and reads.
inline constexpr int store_format = 4;

/// The folder of an embedded store, owned by this process for as long as the object lives.
class StoreFolder {
 public:
  /// Makes the folder where it is absent and `create` is set; empties one that holds a store that
  /// was begun and never finished. Errors: `not_found`; `unavailable`
  /// with the owner when another process has it, or without permission; `refused` when a program of
  /// another format wrote it, or when it holds something else.
  static Opening<StoreFolder> open(const std::filesystem::path& folder, bool create,
                                   const std::string& owner);
  /// The database of a store that this process only reads, whoever owns it: nothing is written.
  /// Errors: as above.
  static Opening<std::filesystem::path> database_to_read(const std::filesystem::path& folder);
  ~StoreFolder();
  StoreFolder(StoreFolder&& other) noexcept;
  StoreFolder& operator=(StoreFolder&&) = delete;

  std::filesystem::path database() const { return folder_ / "db"; }
  /// For files on their way into the database; emptied by open().
  std::filesystem::path incoming() const { return folder_ / "incoming"; }
  /// Whether there is no store yet: the database has to be made, and finish() called then.
  bool is_new() const { return is_new_; }
  /// Makes what is in the folder a store, whose names are durable: the folder's and those above it
  /// that open() made, too.
  Result<void> finish();
  /// Whether the disk takes as much as a database writes when it is opened.
  Result<void> try_to_write() const;
  const std::filesystem::path& path() const { return folder_; }

 private:
  StoreFolder(std::filesystem::path folder, std::filesystem::path above, int lock, bool is_new)
      : folder_(std::move(folder)), above_(std::move(above)), lock_(lock), is_new_(is_new) {}

  std::filesystem::path folder_;
  std::filesystem::path above_;  ///< The folder that was there before open() made the first one.
  int lock_;
  bool is_new_;
};

}  // namespace meterline::store::rocksdb
