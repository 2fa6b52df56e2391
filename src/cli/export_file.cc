#include "cli/export_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/try.h"

namespace meterline::cli {
namespace {

constexpr mode_t file_mode = 0666;  // Less what the umask takes away.

tl::unexpected<Error> exists(const std::string& path) {
  return fail(Errc::invalid_argument,
              fmt::format("{} exists; name another file, or add --force to replace it", path));
}

/// Syncs the folder, so that the file's name is durable, too.
int sync_folder(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  const int synced = fsync(descriptor);
  close(descriptor);
  return synced;
}

}  // namespace

ExportFile::ExportFile(std::string path, ExistingFile existing)
    : path_(std::move(path)),
      // Folders are loaded without files of this ending.
      temporary_(fmt::format("{}.{}.part", path_, getpid())),
      existing_(existing) {}

ExportFile::~ExportFile() {
  if (file_ >= 0) close(file_);
  if (is_temporary_there_) unlink(temporary_.c_str());
}

Result<std::unique_ptr<ExportFile>> ExportFile::create(const std::string& path,
                                                       ExistingFile existing) {
  struct stat there {};
  if (stat(path.c_str(), &there) == 0) {
    if (!S_ISREG(there.st_mode))
      return fail(Errc::invalid_argument,
                  fmt::format("{} is no file; name one, or - for standard output", path));
    if (existing == ExistingFile::refuse) return exists(path);
  }
  std::unique_ptr<ExportFile> file(new ExportFile(path, existing));
  METERLINE_CHECK(file->open());
  return file;
}

Result<void> ExportFile::open() {
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode);
  if (file_ < 0) return failed("make");
  is_temporary_there_ = true;
  return {};
}

Result<void> ExportFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(file_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> ExportFile::finish() {
  if (fsync(file_) != 0) return failed("write");
  const int closed = close(std::exchange(file_, -1));
  if (closed != 0) return failed("write");
  METERLINE_CHECK(rename());
  is_temporary_there_ = false;
  return sync_folder(path_) == 0 ? Result<void>() : failed("sync the folder of");
}

/// A file that came up meanwhile is not replaced either, where the file system can tell.
Result<void> ExportFile::rename() {
  if (existing_ == ExistingFile::refuse) {
    if (renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0)
      return {};
    if (errno == EEXIST) return exists(path_);
    if (errno != EINVAL && errno != ENOSYS) return failed("make");
  }
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return failed("make");
  return {};
}

tl::unexpected<Error> ExportFile::failed(std::string_view what) const {
  return fail(Errc::unavailable, fmt::format("cannot {} {}: {}", what, path_, strerror(errno)));
}

}  // namespace meterline::cli
