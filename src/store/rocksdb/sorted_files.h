#pragma once

#include <rocksdb/sst_file_writer.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/rocksdb/database.h"

namespace meterline::store {

/// Keys and values in memory, in the order in which they came.
class EntryBuffer {
 public:
  void add(std::string_view key, std::string_view value);
  void sort();  ///< By key; equal keys keep their order.
  void clear();
  std::size_t bytes() const { return bytes_.size(); }

  template <class Visit>
  Result<void> each(const Visit& visit) const {
    for (const auto& entry : entries_) {
      const std::string_view bytes = bytes_;
      auto done = visit(bytes.substr(entry.at, entry.key_bytes),
                        bytes.substr(entry.at + entry.key_bytes, entry.value_bytes));
      if (!done) return done;
    }
    return {};
  }

 private:
  struct Entry {
    std::size_t at;
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

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

 private:
  Result<rocksdb::SstFileWriter*> writer();

  const Database& database_;
  Family family_;
  std::filesystem::path folder_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
  std::vector<std::string> files_;
};

}  // namespace meterline::store
