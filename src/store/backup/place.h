#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace meterline::store::backup {

/// A file with what it holds: its CRC-32C, as core/crc32c.h makes it.
struct FileFacts {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;
  bool operator==(const FileFacts&) const = default;
};

struct PlacedFile {
  std::string name;
  std::uint64_t bytes = 0;
};

/// Whether others may be in a place meanwhile.
enum class PlaceUse : std::uint8_t {
  change,  ///< Nobody else, as far as the place can tell.
  read,    ///< Who reads, too.
};

/// Where backups lie: a folder, or what begins with a prefix in a bucket. Names of files in it are
/// of `A-Z a-z 0-9 . _ - /`.
///
/// Errors: `unavailable`, and those of AWS (aws/session.h), with the file's name.
/// Threads: one at a time.
class Place {
 public:
  virtual ~Place() = default;

  virtual std::string text() const = 0;  ///< As people name it.

  /// Uses the place until what this returns is destroyed. Errors: `unavailable` where another
  /// process changes it, `not_found` for reading what is not there.
  virtual Result<std::shared_ptr<const void>> use(PlaceUse how) = 0;
  /// All files, in any order. Errors: `not_found` where the place is not there.
  virtual Result<std::vector<PlacedFile>> list() = 0;
  /// A file with the bytes that `from` has, in the place of one that is there; whole and durable
  /// when this returns, and not there before. Errors: `corrupt` where these are not those of
  /// `file`.
  virtual Result<void> put(const FileFacts& file, const std::filesystem::path& from) = 0;
  virtual Result<void> put_text(const std::string& name, std::string_view text) = 0;
  /// Errors: `not_found`; those of the visitor.
  virtual Result<void> read(const std::string& name,
                            const std::function<Result<void>(std::string_view piece)>& visit) = 0;
  virtual Result<void> remove(const std::string& name) = 0;
};

/// A folder, made when it is first changed. What a process that was ended left half written goes
/// with the next change.
std::unique_ptr<Place> make_folder_place(std::filesystem::path folder);

}  // namespace meterline::store::backup
