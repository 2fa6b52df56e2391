#include "testing/syncs.h"

#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace meterline::testing {
namespace {

struct Watched {
  std::mutex mutex;
  bool is_on = false;
  int fail_at = 0;
  std::string part;
  std::vector<std::filesystem::path> synced;
};

Watched& watched() {
  static Watched one;
  return one;
}

/// As fsync() answers.
int note_sync(int fd) {
  auto& watch = watched();
  const std::scoped_lock lock(watch.mutex);
  if (!watch.is_on) return 0;
  std::error_code none;
  auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), none);
  if (path.string().find(watch.part) == std::string::npos) return 0;
  watch.synced.push_back(std::move(path));
  if (static_cast<int>(watch.synced.size()) != watch.fail_at) return 0;
  errno = EIO;
  return -1;
}

}  // namespace

SyncWatch::SyncWatch(int fail_at, std::string part) {
  auto& watch = watched();
  const std::scoped_lock lock(watch.mutex);
  watch.is_on = true;
  watch.fail_at = fail_at;
  watch.part = std::move(part);
  watch.synced.clear();
}

SyncWatch::~SyncWatch() {
  const std::scoped_lock lock(watched().mutex);
  watched().is_on = false;
}

std::vector<std::filesystem::path> SyncWatch::synced() const {
  const std::scoped_lock lock(watched().mutex);
  return watched().synced;
}

void use_quick_syncs() {}

}  // namespace meterline::testing

// In the place of the system's, for shared libraries, too.
extern "C" {
int fsync(int fd) { return meterline::testing::note_sync(fd); }
int fdatasync(int fd) { return meterline::testing::note_sync(fd); }
}
