#include "access/small_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/try.h"

namespace meterline::access {

tl::unexpected<Error> file_fault(const std::filesystem::path& path, std::string_view what) {
  const int error = errno;
  return fail(error == ENOENT ? Errc::not_found : Errc::unavailable,
              fmt::format("{}: cannot {}: {}", path.string(), what,
                          std::generic_category().message(error)));
}

Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return file_fault(path, "read it");
  constexpr std::size_t first_bytes = 64 << 10;
  std::string text(std::min(bytes_max + 1, first_bytes), '\0');
  std::size_t filled = 0;
  while (filled <= bytes_max) {
    if (filled == text.size()) text.resize(std::min(bytes_max + 1, text.size() * 2));
    const auto count = read(file.number(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_fault(path, "read it");
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  if (filled > bytes_max)
    return fail(Errc::too_large,
                fmt::format("{} has more than {} bytes", path.string(), bytes_max));
  text.resize(filled);
  return text;
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path draft = path.string() + ".new";
  const Descriptor file(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                             S_IRUSR | S_IWUSR));
  if (!file) return file_fault(draft, "write it");
  if (fchmod(file.number(), S_IRUSR | S_IWUSR) != 0) return file_fault(draft, "protect it");
  METERLINE_CHECK(file.write_all(text, draft));
  if (fsync(file.number()) != 0) return file_fault(draft, "write it");
  if (rename(draft.c_str(), path.c_str()) != 0) return file_fault(path, "replace it");
  const auto folder = path.parent_path().empty() ? "." : path.parent_path();
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || fsync(opened.number()) != 0) return file_fault(folder, "keep its list of files");
  return {};
}

Result<Descriptor> lock_file(const std::filesystem::path& path) {
  Descriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!lock || flock(lock.number(), LOCK_EX) != 0) return file_fault(path, "lock it");
  return lock;
}

std::string file_mark(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "none";
  return fmt::format("{} {} {}.{} {}.{} {}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
                     status.st_mode);
}

}  // namespace meterline::access
