#pragma once

#include <rocksdb/sst_file_writer.h>

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/rocksdb/database.h"

namespace meterline::store {

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
  Result<rocksdb::SstFileWriter*> writer();

  const Database& database_;
  Family family_;
  std::filesystem::path folder_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
  std::vector<std::string> files_;
  std::vector<std::string> checksums_;
};

/// Takes these files into the database in one step, all or none of them; closes them first.
Result<void> take_in(Database& database, std::initializer_list<SortedFiles*> sorted);

}  // namespace meterline::store
