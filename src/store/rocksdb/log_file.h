#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace meterline::store::rocksdb {

// The files that RocksDB appends records to, its write-ahead logs and its MANIFEST: blocks of
// 32,768 bytes, in which pieces of records stand, each behind a checksum (crc32c, masked), a size
// and a kind. https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format
//
// RocksDB itself forgives a log that ends too early, and takes a damaged size for such an end.

/// Bytes of a log that are no whole records.
struct LogDamage {
  std::uint64_t at = 0;  ///< The piece that is not what was written.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< Here the next whole record begins, or the file ends.
  std::string_view reason;
};

struct LogVisitor {
  std::function<void(std::string_view record)> record;
  std::function<void(const LogDamage& damage)> damage;
};

/// Visits all there is, in order. A log that ends within its last record, as a process or a machine
/// leaves it that stops while it writes, is not damaged: nobody was told that record was durable.
void read_log(std::string_view log, const LogVisitor& visit);

/// What stands in damaged bytes, as if what stands before each piece were true: the records that
/// begin there, of which nothing can be trusted.
std::vector<std::string> read_damaged(std::string_view log, const LogDamage& damage);

/// A log that holds these records.
std::string write_log(std::span<const std::string> records);

/// The write-ahead logs of a database (`*.log`), ascending; none of a folder that is not there.
Result<std::vector<std::filesystem::path>> log_files(const std::filesystem::path& database);

/// The MANIFEST that a database goes by.
struct Manifest {
  std::string current;  ///< What CURRENT says: its name, and a line end.
  std::string name;
  std::string bytes;
};
/// Errors: `corrupt` with the file, the byte and what can be done, where it is damaged, or CURRENT,
/// which names it.
Result<Manifest> read_manifest(const std::filesystem::path& database);

/// Whether a log with these bytes holds a record. Errors: `corrupt` as above.
Result<bool> check_log_of(const std::filesystem::path& file, std::string_view bytes);

/// Whether any log holds a record, which the database then does not hold elsewhere: its process did
/// not end in order. Errors: `corrupt` as above, where a log is damaged.
Result<bool> check_logs(const std::filesystem::path& database);

}  // namespace meterline::store::rocksdb
