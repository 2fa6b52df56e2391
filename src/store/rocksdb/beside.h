#pragma once

#include <rocksdb/env.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>

#include "core/result.h"

namespace meterline::store::rocksdb {

// How a database is read that another process writes.
//
// RocksDB reads the MANIFEST first and the write-ahead logs then. Where the owner moves what a log
// holds into tables in between, what was read has it in neither, and no error tells of it:
// acknowledged deliveries would be missing. So the logs are read here, before RocksDB is asked.
// What left a log by then is in a MANIFEST that is read later, and what is found in both is the
// same.

/// Files of a database as they were at one time, by their names.
using SeenFiles = std::map<std::string, std::string>;

/// A log that is removed meanwhile is left out: tables have what it held. Errors: `corrupt` where
/// one is damaged.
Result<SeenFiles> read_logs(const std::filesystem::path& database);

/// The logs, and then CURRENT and the MANIFEST that it names: with the tables that this one names,
/// they are a database. Errors: as above, and those of read_manifest().
Result<SeenFiles> read_logs_and_manifest(const std::filesystem::path& database);

/// The system's files, but that these are as they were seen, and that there are no other logs.
std::unique_ptr<::rocksdb::Env> make_seen_files(SeenFiles seen);

/// What changes with every change of the files that a database is made of, which its owner notes in
/// its MANIFEST before it removes any.
struct FilesMark {
  std::string current;      ///< What CURRENT says: the MANIFEST's name.
  std::uint64_t bytes = 0;  ///< Of the MANIFEST, which only grows.
  bool operator==(const FilesMark&) const = default;
};

/// Errors: `unavailable` where a file is not there, or cannot be looked at.
Result<FilesMark> files_mark(const std::filesystem::path& database);

/// Calls `open` until it succeeds, or fails while the owner changed nothing: a table may be gone
/// that the MANIFEST named when it was read. For 20 seconds at most.
template <class Open>
std::invoke_result_t<Open> open_beside(const std::filesystem::path& database, const Open& open) {
  constexpr std::chrono::seconds patience{20};
  constexpr std::chrono::milliseconds pause_max{100};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (std::chrono::milliseconds pause{1};; pause = std::min(2 * pause, pause_max)) {
    const auto before = files_mark(database);
    auto opened = open();
    if (opened || std::chrono::steady_clock::now() > deadline) return opened;
    const auto after = files_mark(database);
    const bool is_unchanged = before && after ? *before == *after : !before && !after;
    if (is_unchanged) return opened;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace meterline::store::rocksdb
