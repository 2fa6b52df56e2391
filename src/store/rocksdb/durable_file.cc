#include "store/rocksdb/durable_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace meterline::store {
namespace {

namespace fs = std::filesystem;

}  // namespace

tl::unexpected<Error> os_error(std::string_view what, const fs::path& path, int error) {
  const std::string reason =
      error == ENOSPC ? "the disk is full; free some space and try again" : std::strerror(error);
  return fail(Errc::unavailable, fmt::format("cannot {} {}: {}", what, path.string(), reason));
}

Result<void> write_durably(const fs::path& file, std::string_view text) {
  const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) return os_error("write", file, errno);
  int error = 0;
  while (error == 0 && !text.empty()) {
    const auto count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) error = errno;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
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

Result<std::string> read_whole_file(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return os_error("read", file, errno);
  std::string bytes;
  std::array<char, 65536> buffer;
  ssize_t count = 0;
  while ((count = ::read(fd, buffer.data(), buffer.size())) > 0)
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  const int error = count < 0 ? errno : 0;
  ::close(fd);
  if (error != 0) return os_error("read", file, error);
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

}  // namespace meterline::store
