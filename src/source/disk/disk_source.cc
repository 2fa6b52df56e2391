#include "source/disk/disk_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "core/try.h"

namespace meterline::source {
namespace {

namespace fs = std::filesystem;

std::string reason_of(int error) { return std::generic_category().message(error); }

/// Reads a file descriptor and closes it at the end of its life.
class DescriptorSource : public ByteSource {
 public:
  DescriptorSource(int descriptor, std::string name)
      : descriptor_(descriptor), name_(std::move(name)) {}
  ~DescriptorSource() override { ::close(descriptor_); }
  DescriptorSource(const DescriptorSource&) = delete;
  DescriptorSource& operator=(const DescriptorSource&) = delete;

  Result<std::size_t> read(std::span<char> into) override {
    const ssize_t count = ::read(descriptor_, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    const int error = errno;
    if (error == EINTR) return fail(Errc::cancelled, "stopped by a signal");
    return fail(Errc::unavailable, fmt::format("cannot read {}: {}", name_, reason_of(error)));
  }

 private:
  int descriptor_;
  std::string name_;
};

Result<std::unique_ptr<ByteSource>> open_file(const fs::path& path, Links links) {
  const int descriptor =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | (links == Links::refuse ? O_NOFOLLOW : 0));
  const int error = errno;
  if (descriptor < 0) {
    return fail(error == ENOENT ? Errc::not_found : Errc::unavailable,
                fmt::format("cannot open {}: {}", path.string(), reason_of(error)));
  }
  // Only a hint: a pipe, for one, does not take it.
  static_cast<void>(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL));
  return std::make_unique<DescriptorSource>(descriptor, path.string());
}

Result<std::unique_ptr<ByteSource>> open_stdin() {
  const int descriptor = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  const int error = errno;
  if (descriptor < 0) {
    return fail(Errc::unavailable, fmt::format("cannot read standard input: {}", reason_of(error)));
  }
  return std::make_unique<DescriptorSource>(descriptor, "standard input");
}

using Open = std::function<Result<std::unique_ptr<ByteSource>>()>;

/// What comes through a pipe is gone once it is read: a second open must not look like an
/// empty file.
Open only_once(Open open, std::string name) {
  auto opened = std::make_shared<std::atomic<bool>>(false);
  return [open = std::move(open), name = std::move(name),
          opened = std::move(opened)]() -> Result<std::unique_ptr<ByteSource>> {
    if (opened->exchange(true))
      return fail(Errc::invalid_argument, name + " can be read once only");
    return open();
  };
}

Instant modified_at(const struct stat& status) {
  return {status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1'000};
}

/// Follows symbolic links. Errors: `not_found`, `unavailable`.
Result<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  const int error = errno;
  if (error == ENOENT || error == ENOTDIR) {
    return fail(Errc::not_found,
                fmt::format("{}: no such file or folder; check the path", path.string()));
  }
  return fail(Errc::unavailable, fmt::format("{}: {}", path.string(), reason_of(error)));
}

bool is_left_out(const fs::path& path) {
  const auto name = path.filename().string();
  return name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part");
}

/// The folder's name without links and `..`; the name as it stands where it has none (a pipe
/// in /dev/fd).
fs::path real_name(const fs::path& folder) {
  std::error_code error;
  auto real = fs::canonical(folder.empty() ? "." : folder, error);
  return error ? folder : real;
}

tl::unexpected<Error> too_many_files() {
  return fail(Errc::too_large, fmt::format("more than {} files, the most for one run; name fewer "
                                           "folders at a time",
                                           files_max));
}

/// Unsorted, relative to `top`. Links to files are followed, links to folders are not: they might
/// lead back.
Result<std::vector<fs::path>> unsorted_below(const fs::path& top,
                                             const std::vector<fs::path>& left_out) {
  std::vector<fs::path> files;
  std::vector<fs::path> folders = {""};
  while (!folders.empty()) {
    const auto folder = std::move(folders.back());
    folders.pop_back();
    std::error_code error;
    for (fs::directory_iterator at(top / folder, error), end; !error && at != end;
         at.increment(error)) {
      if (is_left_out(at->path())) continue;
      std::error_code vanished;  // Then it is neither: it went away while we looked.
      if (at->is_directory(vanished) && !at->is_symlink(vanished)) {
        auto below = folder / at->path().filename();
        if (std::ranges::find(left_out, below) == left_out.end()) folders.push_back(below);
      } else if (at->is_regular_file(vanished) && files.size() <= files_max)
        files.push_back(folder / at->path().filename());
    }
    if (error) {
      return fail(Errc::unavailable, fmt::format("cannot list the folder {}: {}",
                                                 (top / folder).string(), error.message()));
    }
  }
  return files;
}

/// What one call of list_files has found so far.
class Listing {
 public:
  Result<void> add(const fs::path& path) {
    METERLINE_TRY(const auto status, status_of(path));
    if (!S_ISDIR(status.st_mode)) return add_file(path, real_name(path.parent_path()));
    METERLINE_TRY(auto below, unsorted_below(path, {}));
    if (below.empty()) {
      return fail(Errc::invalid_argument,
                  fmt::format("{}: no files in this folder (hidden ones, *.tmp and *.part do not "
                              "count); name a folder with files, or a file",
                              path.string()));
    }
    std::ranges::sort(below);
    const auto real = real_name(path);
    for (const auto& file : below)
      METERLINE_CHECK(add_file(path / file, real / file.parent_path()));
    return {};
  }

  std::vector<fs::path> take() && { return std::move(files_); }

 private:
  Result<void> add_file(fs::path path, const fs::path& real_folder) {
    if (files_.size() == files_max) return too_many_files();
    if (names_.insert((real_folder / path.filename()).string()).second)
      files_.push_back(std::move(path));
    return {};
  }

  std::vector<fs::path> files_;
  std::unordered_set<std::string> names_;  ///< Of files_, without links in their folders.
};

}  // namespace

Result<std::vector<fs::path>> list_files(const std::vector<fs::path>& paths) {
  Listing listing;
  for (const auto& path : paths) METERLINE_CHECK(listing.add(path));
  return std::move(listing).take();
}

Result<std::vector<fs::path>> files_below(const fs::path& folder,
                                          const std::vector<fs::path>& left_out) {
  METERLINE_TRY(auto files, unsorted_below(folder, left_out));
  if (files.size() > files_max) return too_many_files();
  std::ranges::sort(files);
  return files;
}

Result<Incoming> file_delivery(const fs::path& path, Links links) {
  METERLINE_TRY(const auto status, status_of(path));
  if (S_ISDIR(status.st_mode)) {
    return fail(Errc::invalid_argument,
                fmt::format("{} is a folder, where a file is wanted", path.string()));
  }
  std::error_code error;
  auto source = fs::absolute(path, error).lexically_normal().string();
  if (error) return fail(Errc::unavailable, fmt::format("{}: {}", path.string(), error.message()));
  if (source.size() > source_bytes_max) {
    return fail(Errc::too_large, fmt::format("{}: a path of {} bytes; at most {} are taken",
                                             excerpt_of(source), source.size(), source_bytes_max));
  }
  Incoming incoming = {.source = std::move(source),
                       .delivered_at = modified_at(status),
                       .bytes = std::nullopt,
                       .open = [path, links] { return open_file(path, links); }};
  if (S_ISREG(status.st_mode))
    incoming.bytes = static_cast<std::uint64_t>(status.st_size);
  else
    incoming.open = only_once(std::move(incoming.open), incoming.source);
  return incoming;
}

Incoming stdin_delivery(Instant received) {
  return {.source = "stdin",
          .delivered_at = received,
          .bytes = std::nullopt,
          .open = only_once(open_stdin, "standard input")};
}

}  // namespace meterline::source
