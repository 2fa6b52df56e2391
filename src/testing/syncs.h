#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace meterline::testing {

/// In programs that use a TempFolder, fsync() and fdatasync() do not wait for the disk: no test
/// cuts the power. While one of these lives, it knows of them.
///
/// Threads: for one at a time; syncs may be made by any thread.
class SyncWatch {
 public:
  /// Of syncs of what has `part` in its path. `fail_at`: that one fails with EIO, from 1; 0: none.
  explicit SyncWatch(int fail_at = 0, std::string part = "");
  ~SyncWatch();
  SyncWatch(const SyncWatch&) = delete;
  SyncWatch& operator=(const SyncWatch&) = delete;

  /// What was synced, in turn.
  std::vector<std::filesystem::path> synced() const;
};

/// Makes the program use it.
void use_quick_syncs();

}  // namespace meterline::testing
