#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/crc32c.h"
#include "core/try.h"
#include "store/backup/place.h"
#include "store/durable_files.h"

namespace meterline::store::backup {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "LOCK";
constexpr std::string_view part_ending = ".part";

/// Holds a lock on a file that is open.
class HeldLock {
 public:
  explicit HeldLock(int fd) : fd_(fd) {}
  ~HeldLock() { ::close(fd_); }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

 private:
  const int fd_;
};

class FolderPlace final : public Place {
 public:
  explicit FolderPlace(fs::path folder) : folder_(std::move(folder)) {}

  std::string text() const override { return folder_.string(); }

  Result<std::shared_ptr<const void>> use(PlaceUse how) override {
    const bool changes = how == PlaceUse::change;
    if (changes) METERLINE_CHECK(make_folder(folder_));
    METERLINE_CHECK(look_for_folder());
    const auto file = folder_ / lock_name;
    const int fd = changes ? ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)
                           : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    // A copy of a place need not have it.
    if (fd < 0 && !changes && errno == ENOENT) return std::shared_ptr<const void>();
    if (fd < 0) return os_error("open", file, errno);
    std::shared_ptr<const void> held = std::make_shared<HeldLock>(fd);
    if (::flock(fd, (changes ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0)
      return fail(Errc::unavailable,
                  fmt::format("another process uses the backups in {}; try again when it has ended",
                              text()));
    if (changes) METERLINE_CHECK(remove_parts());
    return held;
  }

  Result<std::vector<PlacedFile>> list() override {
    METERLINE_CHECK(look_for_folder());
    std::vector<PlacedFile> found;
    METERLINE_CHECK(each_file([&](const fs::directory_entry& entry) -> Result<void> {
      std::error_code error;
      const auto bytes = entry.file_size(error);
      if (error) return os_error("look at", entry.path(), error.value());
      auto name = entry.path().lexically_relative(folder_).string();
      if (name != lock_name && !name.ends_with(part_ending))
        found.push_back({.name = std::move(name), .bytes = bytes});
      return {};
    }));
    return found;
  }

  Result<void> put(const FileFacts& file, const fs::path& from) override {
    METERLINE_TRY(auto out, begin(file.name));
    std::uint32_t crc = 0;
    std::uint64_t bytes = 0;
    METERLINE_CHECK(read_pieces(from, [&](std::string_view piece) {
      crc = crc32c(piece, crc);
      bytes += piece.size();
      return out.append(piece);
    }));
    if (bytes != file.bytes || crc != file.crc32c)
      return fail(Errc::corrupt, fmt::format("{} is not as it was written", file.name));
    return out.finish();
  }

  Result<void> put_text(const std::string& name, std::string_view text) override {
    METERLINE_TRY(auto out, begin(name));
    METERLINE_CHECK(out.append(text));
    return out.finish();
  }

  Result<void> read(const std::string& name,
                    const std::function<Result<void>(std::string_view)>& visit) override {
    const auto file = folder_ / name;
    METERLINE_TRY(const bool found, is_there(file));
    if (!found) return fail(Errc::not_found, fmt::format("{} is not there", file.string()));
    return read_pieces(file, visit);
  }

  Result<void> remove(const std::string& name) override {
    METERLINE_CHECK(clear_away(folder_ / name));
    // The folder that is empty now; one that is not stays.
    const auto above = (folder_ / name).parent_path();
    if (above != folder_) ::rmdir(above.c_str());
    return {};
  }

 private:
  Result<void> look_for_folder() const {
    METERLINE_TRY(const bool found, is_there(folder_));
    if (!found) return fail(Errc::not_found, "there is no folder " + text());
    return {};
  }

  template <class Visit>
  Result<void> each_file(const Visit& visit) const {
    std::error_code error;
    fs::recursive_directory_iterator at(folder_, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      std::error_code looked;
      if (at->is_regular_file(looked)) METERLINE_CHECK(visit(*at));
    }
    if (error) return os_error("list", folder_, error.value());
    return {};
  }

  Result<void> remove_parts() const {
    std::vector<fs::path> parts;
    METERLINE_CHECK(each_file([&](const fs::directory_entry& entry) -> Result<void> {
      if (entry.path().string().ends_with(part_ending)) parts.push_back(entry.path());
      return {};
    }));
    for (const auto& part : parts) METERLINE_CHECK(clear_away(part));
    return {};
  }

  Result<FileInWriting> begin(const std::string& name) const {
    const auto file = folder_ / name;
    METERLINE_TRY(const bool found, is_there(file.parent_path()));
    if (!found) {
      METERLINE_CHECK(make_folder(file.parent_path()));
      METERLINE_CHECK(sync_folder(folder_));
    }
    return FileInWriting::begin(file);
  }

  const fs::path folder_;
};

}  // namespace

std::unique_ptr<Place> make_folder_place(fs::path folder) {
  return std::make_unique<FolderPlace>(std::move(folder));
}

}  // namespace meterline::store::backup
