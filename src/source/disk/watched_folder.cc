#include "source/disk/watched_folder.h"

#include <sys/stat.h>

#include <utility>

#include "core/try.h"
#include "source/disk/disk_source.h"

namespace meterline::source {

namespace fs = std::filesystem;

WatchedFolder::WatchedFolder(fs::path folder, std::chrono::milliseconds settle,
                             std::vector<fs::path> left_out)
    : folder_(std::move(folder)), settle_(settle), left_out_(std::move(left_out)) {}

Result<std::vector<fs::path>> WatchedFolder::complete(Clock::time_point now) {
  METERLINE_TRY(auto files, files_below(folder_, left_out_));
  std::map<fs::path, Seen> seen;
  std::vector<fs::path> complete;
  for (auto& file : files) {
    const auto stamp = stamp_of(file);
    if (!stamp) continue;
    auto known = seen_.extract(file);
    Seen state = known.empty() || known.mapped().stamp != *stamp
                     ? Seen{.stamp = *stamp, .since = now}
                     : known.mapped();
    if (!state.is_returned && now - state.since >= settle_) {
      state.is_returned = true;
      complete.push_back(file);
    }
    seen.emplace_hint(seen.end(), std::move(file), state);
  }
  seen_ = std::move(seen);
  return complete;
}

bool WatchedFolder::is_unchanged(const fs::path& file) const {
  const auto known = seen_.find(file);
  return known != seen_.end() && stamp_of(file) == known->second.stamp;
}

std::vector<fs::path> WatchedFolder::waiting() const {
  std::vector<fs::path> files;
  for (const auto& [file, state] : seen_)
    if (!state.is_returned) files.push_back(file);
  return files;
}

void WatchedFolder::again(const fs::path& file, Clock::time_point at) {
  const auto known = seen_.find(file);
  if (known == seen_.end()) return;
  known->second.since = at - settle_;
  known->second.is_returned = false;
}

/// Empty for what has gone, and for what is no file itself.
std::optional<WatchedFolder::Stamp> WatchedFolder::stamp_of(const fs::path& file) const {
  struct stat status {};
  if (::lstat((folder_ / file).c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  constexpr std::int64_t ns_in_s = 1'000'000'000;
  return Stamp{.number = status.st_ino,
               .bytes = status.st_size,
               .modified_ns = status.st_mtim.tv_sec * ns_in_s + status.st_mtim.tv_nsec};
}

}  // namespace meterline::source
