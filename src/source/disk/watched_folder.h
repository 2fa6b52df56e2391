#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "core/result.h"

namespace meterline::source {

/// A folder into which others put files while it is looked at again and again. A file is complete
/// once it has stood still: the same file, of the same size and modification time. Whoever writes
/// one in pauses gives it another name meanwhile: `.name`, `name.tmp`, `name.part`. Links are left
/// out. It asks the folder, and no notification of the system, which there is none of on network
/// drives.
///
/// Threads: used by one at a time.
class WatchedFolder {
 public:
  using Clock = std::chrono::steady_clock;

  /// Files are complete that stand still for `settle`; the folders `left_out` of it are not looked
  /// into.
  WatchedFolder(std::filesystem::path folder, std::chrono::milliseconds settle,
                std::vector<std::filesystem::path> left_out);

  /// Looks, and returns the files that are complete and were not returned as they are, relative to
  /// the folder and sorted. Errors: as of files_below().
  Result<std::vector<std::filesystem::path>> complete(Clock::time_point now);

  /// Whether a file is still as it was when complete() returned it.
  bool is_unchanged(const std::filesystem::path& file) const;

  /// The files of the last look that complete() is still to return.
  std::vector<std::filesystem::path> waiting() const;

  /// complete() returns the file again, not before `at`.
  void again(const std::filesystem::path& file, Clock::time_point at);

 private:
  struct Stamp {
    std::uint64_t number = 0;  ///< The inode: another file may have the same name.
    std::int64_t bytes = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Seen {
    Stamp stamp;
    Clock::time_point since;  ///< It was first seen so, or is to be taken as if.
    bool is_returned = false;
  };
  std::optional<Stamp> stamp_of(const std::filesystem::path& file) const;

  const std::filesystem::path folder_;
  const std::chrono::milliseconds settle_;
  const std::vector<std::filesystem::path> left_out_;
  std::map<std::filesystem::path, Seen> seen_;
};

}  // namespace meterline::source
