#include "store/rocksdb/store_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/instant.h"
#include "core/try.h"

namespace meterline::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* format_file = "FORMAT";
constexpr const char* new_format_file = "FORMAT.new";
constexpr const char* owner_file = "OWNER";
constexpr std::string_view format_line = "meterline store format ";

tl::unexpected<Error> os_error(std::string_view what, const fs::path& path, int error) {
  const std::string reason =
      error == ENOSPC ? "the disk is full; free some space and try again" : std::strerror(error);
  return fail(Errc::unavailable, fmt::format("cannot {} {}: {}", what, path.string(), reason));
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

Result<void> write_durably(const fs::path& file, const std::string& text) {
  const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) return os_error("write", file, errno);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!written) return os_error("write", file, error);
  return {};
}

/// Renamed when it is whole: a full disk must not leave an empty one behind.
Result<void> write_format(const fs::path& folder) {
  const auto unfinished = folder / new_format_file;
  METERLINE_CHECK(write_durably(unfinished, fmt::format("{}{}\n", format_line, store_format)));
  std::error_code error;
  fs::rename(unfinished, folder / format_file, error);
  if (error) return os_error("rename", unfinished, error.value());
  return {};
}

Result<void> check_format(const fs::path& folder) {
  const auto line = first_line(folder / format_file);
  int format = 0;
  if (line.starts_with(format_line)) format = std::atoi(line.c_str() + format_line.size());
  if (format == store_format) return {};
  if (format > store_format)
    return fail(Errc::refused,
                fmt::format("the store in {} has format {}, written by a newer meterline; this one "
                            "reads format {}: use the newer program",
                            folder.string(), format, store_format));
  if (format > 0)
    return fail(
        Errc::refused,
        fmt::format(
            "the store in {} has format {}, written by an older meterline; this one "
            "reads format {}: remove that folder or name another one, and load the files again",
            folder.string(), format, store_format));
  return fail(Errc::refused, fmt::format("{} holds no meterline store (its {} file says `{}`)",
                                         folder.string(), format_file, line));
}

/// Whether all there is in the folder is what a store that was never finished leaves behind.
bool is_unfinished(const fs::path& folder) {
  std::error_code error;
  return std::all_of(fs::directory_iterator(folder, error), fs::directory_iterator(),
                     [](const fs::directory_entry& entry) {
                       const auto name = entry.path().filename();
                       return name == owner_file || name == new_format_file;
                     }) &&
         !error;
}

/// Makes sure that the folder holds a store of this format, or is new.
Result<void> prepare(const fs::path& folder, bool create) {
  std::error_code error;
  if (fs::exists(folder / format_file, error)) return check_format(folder);
  if (!create)
    return fail(Errc::not_found,
                fmt::format("there is no store in {}; load files first, e.g. `meterline ingest "
                            "FOLDER --store rocksdb:{}`, or name another with --store",
                            folder.string(), folder.string()));
  if (fs::exists(folder, error) && !is_unfinished(folder))
    return fail(Errc::refused,
                fmt::format("{} holds something else than a meterline store; name an empty or "
                            "new folder with --store rocksdb:DIR",
                            folder.string()));
  fs::create_directories(folder, error);
  if (error) return os_error("make the folder", folder, error.value());
  return {};
}

Result<int> lock(const fs::path& folder, const std::string& owner) {
  const fs::path file = folder / owner_file;
  const int fd = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0) return os_error("open", file, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const auto line = first_line(file);
    ::close(fd);
    return fail(Errc::unavailable,
                fmt::format("the store in {} is in use by {}; stop that process, or use another "
                            "store with --store rocksdb:DIR",
                            folder.string(), line.empty() ? "another process" : line));
  }
  const auto line = fmt::format("process {} ({})\n", ::getpid(), owner);
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    const int error = errno;
    ::close(fd);
    return os_error("write", file, error);
  }
  return fd;
}

}  // namespace

Result<StoreFolder> StoreFolder::open(const fs::path& folder, bool create,
                                      const std::string& owner) {
  METERLINE_CHECK(prepare(folder, create));
  METERLINE_TRY(const int fd, lock(folder, owner));
  StoreFolder opened(folder, fd);
  std::error_code error;
  if (!fs::exists(folder / format_file, error)) METERLINE_CHECK(write_format(folder));
  fs::remove_all(opened.incoming(), error);
  fs::create_directories(opened.incoming(), error);
  if (error) return os_error("make the folder", opened.incoming(), error.value());
  return opened;
}

StoreFolder::StoreFolder(StoreFolder&& other) noexcept
    : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)) {}

StoreFolder::~StoreFolder() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace meterline::store
