#include "store/rocksdb/store_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/finding.h"
#include "core/try.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;

constexpr const char* format_file = "FORMAT";
constexpr const char* new_format_file = "FORMAT.new";
constexpr const char* owner_file = "OWNER";
constexpr const char* database_folder = "db";
constexpr const char* incoming_folder = "incoming";
constexpr std::string_view format_line = "meterline store format ";

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

Result<void> check_format(const fs::path& folder) {
  const auto line = first_line(folder / format_file);
  int format = 0;
  if (line.starts_with(format_line))
    std::from_chars(line.data() + format_line.size(), line.data() + line.size(), format);
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
                                         folder.string(), format_file, excerpt_of(line)));
}

/// Whether all there is in the folder is what a store that was never finished leaves behind.
Result<bool> is_unfinished(const fs::path& folder) {
  METERLINE_TRY(const bool was_begun, is_there(folder / new_format_file));
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename();
    const bool may_be = name == owner_file || name == new_format_file ||
                        (was_begun && (name == database_folder || name == incoming_folder));
    if (!may_be) return false;
  }
  if (error) return os_error("list", folder, error.value());
  return true;
}

tl::unexpected<OpenError> no_permission(std::string_view to, const fs::path& path, int error) {
  return tl::unexpected(OpenError(
      {.code = Errc::unavailable,
       .message = fmt::format("no permission to {} {} ({}); run this as a user who may, or have "
                              "the folder's owner allow it (chmod, chgrp)",
                              to, path.string(), std::strerror(error))},
      OpenFault::no_permission));
}

bool is_of_permission(int error) { return error == EACCES || error == EPERM || error == EROFS; }

tl::unexpected<OpenError> no_store(const fs::path& folder) {
  return tl::unexpected(OpenError(
      {.code = Errc::not_found,
       .message = fmt::format("there is no store in {}; load files first, e.g. `meterline ingest "
                              "FOLDER --store rocksdb:{}`, or name another with --store",
                              folder.string(), folder.string())},
      OpenFault::no_store));
}

/// Whether there is a store in the folder, of this format. A folder that may not be looked into is
/// none without a store.
Opening<bool> has_store(const fs::path& folder) {
  const auto file = folder / format_file;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const int error = fd < 0 ? errno : 0;
  if (fd >= 0) ::close(fd);
  if (is_of_permission(error)) return no_permission("read", file, error);
  if (error == ENOENT) return false;
  if (error != 0) return os_error("read", file, error);
  METERLINE_CHECK(check_format(folder));
  return true;
}

/// Makes a folder for a new store, unless it holds something else.
Opening<void> make_store_folder(const fs::path& folder) {
  METERLINE_TRY(const bool is_folder, is_there(folder));
  if (is_folder) {
    METERLINE_TRY(const bool unfinished, is_unfinished(folder));
    if (!unfinished)
      return fail(Errc::refused,
                  fmt::format("{} holds something else than a meterline store; name an empty or "
                              "new folder with --store rocksdb:DIR",
                              folder.string()));
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (is_of_permission(error.value()))
    return no_permission("make the folder", folder, error.value());
  if (error) return os_error("make the folder", folder, error.value());
  return {};
}

/// The innermost folder above this one that is there.
Result<fs::path> folder_above(const fs::path& folder) {
  std::error_code error;
  auto path = fs::absolute(folder, error).lexically_normal();
  if (error) return os_error("find", folder, error.value());
  if (!path.has_filename()) path = path.parent_path();
  for (;;) {
    path = path.parent_path();
    METERLINE_TRY(const bool found, is_there(path));
    if (found || !path.has_relative_path()) return path;
  }
}

Opening<int> lock(const fs::path& folder, const std::string& owner) {
  const fs::path file = folder / owner_file;
  const int fd = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0 && is_of_permission(errno)) return no_permission("change the store in", folder, errno);
  if (fd < 0) return os_error("open", file, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const auto line = first_line(file);
    ::close(fd);
    return tl::unexpected(OpenError(
        {.code = Errc::unavailable,
         .message =
             fmt::format("the store in {} is in use by {}; wait until it has ended or stop "
                         "that process, or use another store with --store rocksdb:DIR",
                         folder.string(), line.empty() ? "another process" : excerpt_of(line))},
        OpenFault::in_use));
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

Opening<fs::path> StoreFolder::database_to_read(const fs::path& folder) {
  METERLINE_TRY(const bool is_store, has_store(folder));
  if (!is_store) return no_store(folder);
  auto database = folder / database_folder;
  if (::access(database.c_str(), R_OK | X_OK) != 0 && is_of_permission(errno))
    return no_permission("read", database, errno);
  return database;
}

Opening<StoreFolder> StoreFolder::open(const fs::path& folder, bool create,
                                       const std::string& owner) {
  METERLINE_TRY(const bool was_store, has_store(folder));
  if (!was_store && !create) return no_store(folder);
  METERLINE_TRY(auto above, folder_above(folder));
  if (!was_store) METERLINE_CHECK(make_store_folder(folder));
  METERLINE_TRY(const int fd, lock(folder, owner));
  StoreFolder opened(folder, std::move(above), fd, !was_store);
  if (!was_store) {
    // Another process may have finished it in the meantime.
    METERLINE_TRY(const bool is_store, is_there(folder / format_file));
    opened.is_new_ = !is_store;
  }
  if (opened.is_new_) {
    METERLINE_CHECK(
        write_durably(folder / new_format_file, fmt::format("{}{}\n", format_line, store_format)));
    METERLINE_CHECK(clear_away(opened.database()));
  }
  METERLINE_CHECK(clear_away(opened.incoming()));
  METERLINE_CHECK(make_folder(opened.incoming()));
  return opened;
}

/// The file that says what it is gets its name last: a store that has it is whole.
Result<void> StoreFolder::finish() {
  if (!is_new_) return {};
  METERLINE_CHECK(sync_folder(folder_));
  METERLINE_CHECK(move_name(folder_ / new_format_file, folder_ / format_file));
  METERLINE_CHECK(sync_folder(folder_));
  std::error_code error;
  auto path = fs::absolute(folder_, error).lexically_normal();
  if (error) return os_error("find", folder_, error.value());
  if (!path.has_filename()) path = path.parent_path();
  while (path != above_ && path.has_relative_path()) {
    path = path.parent_path();
    METERLINE_CHECK(sync_folder(path));
  }
  is_new_ = false;
  return {};
}

Result<void> StoreFolder::try_to_write() const {
  constexpr std::size_t tried_bytes = 1 << 20;
  const auto file = incoming() / "try";
  auto written = write_durably(file, std::string(tried_bytes, '\1'));
  std::error_code ignored;
  fs::remove(file, ignored);
  return written;
}

StoreFolder::StoreFolder(StoreFolder&& other) noexcept
    : folder_(std::move(other.folder_)),
      above_(std::move(other.above_)),
      lock_(std::exchange(other.lock_, -1)),
      is_new_(other.is_new_) {}

StoreFolder::~StoreFolder() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace meterline::store::rocksdb
