#include "store/durable_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/try.h"

namespace meterline::store {
namespace {

namespace fs = std::filesystem;

constexpr mode_t file_mode = 0644;

/// Returns errno; 0 when all is written.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

int open_to_write(const fs::path& file) {
  return ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, file_mode);
}

}  // namespace

tl::unexpected<Error> os_error(std::string_view what, const fs::path& path, int error) {
  const std::string reason =
      error == ENOSPC ? "the disk is full; free some space and try again" : std::strerror(error);
  return fail(Errc::unavailable, fmt::format("cannot {} {}: {}", what, path.string(), reason));
}

Result<void> write_durably(const fs::path& file, std::string_view text) {
  const int fd = open_to_write(file);
  if (fd < 0) return os_error("write", file, errno);
  int error = write_all(fd, text);
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  ::close(fd);
  if (error != 0) return os_error("write", file, error);
  return {};
}

Result<void> sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return os_error("open", folder, errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) return os_error("sync", folder, error);
  return {};
}

Result<void> read_pieces(const fs::path& file,
                         const std::function<Result<void>(std::string_view piece)>& visit) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 20;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return os_error("read", file, errno);
  std::string piece(piece_bytes, '\0');
  Result<void> visited;
  ssize_t count = 0;
  while (visited && (count = ::read(fd, piece.data(), piece.size())) > 0)
    visited = visit(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
  const int error = count < 0 ? errno : 0;
  ::close(fd);
  if (error != 0) return os_error("read", file, error);
  return visited;
}

Result<std::string> read_whole_file(const fs::path& file) {
  std::string bytes;
  METERLINE_CHECK(read_pieces(file, [&](std::string_view piece) -> Result<void> {
    bytes += piece;
    return {};
  }));
  return bytes;
}

Result<bool> is_there(const fs::path& path) {
  std::error_code error;
  const bool found = fs::exists(path, error);
  if (error) return os_error("look for", path, error.value());
  return found;
}

Result<void> clear_away(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return os_error("remove", path, error.value());
  return {};
}

Result<void> move_name(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return os_error("rename", from, error.value());
  return {};
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return os_error("make the folder", folder, error.value());
  return {};
}

Result<FileInWriting> FileInWriting::begin(const fs::path& file) {
  FileInWriting begun(file, -1);
  begun.fd_ = open_to_write(begun.part());
  if (begun.fd_ < 0) return os_error("write", begun.part(), errno);
  return begun;
}

FileInWriting::FileInWriting(FileInWriting&& other) noexcept
    : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)) {}

FileInWriting::~FileInWriting() {
  if (fd_ < 0) return;
  ::close(fd_);
  std::error_code ignored;
  fs::remove(part(), ignored);
}

fs::path FileInWriting::part() const { return file_.string() + ".part"; }

Result<void> FileInWriting::append(std::string_view bytes) {
  const int error = write_all(fd_, bytes);
  if (error != 0) return os_error("write", part(), error);
  return {};
}

Result<void> FileInWriting::finish() {
  if (::fsync(fd_) != 0) return os_error("write", part(), errno);
  METERLINE_CHECK(move_name(part(), file_));
  ::close(std::exchange(fd_, -1));
  return sync_folder(file_.parent_path());
}

}  // namespace meterline::store
