#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/instant.h"
#include "core/meter_filter.h"
#include "core/result.h"

namespace meterline::access {

inline constexpr std::size_t groups_max = 1000;
inline constexpr std::size_t group_name_chars_max = 64;
/// Names and beginnings of one group.
inline constexpr std::size_t group_patterns_max = 1'000'000;
/// Above what so many of the longest take, each on a line.
inline constexpr std::size_t group_bytes_max = std::size_t{68} << 20;

/// A named list of meters.
struct Group {
  MeterFilter meters;  ///< One at least.
  Instant changed_at;
};

/// 1 to group_name_chars_max characters of `A-Z a-z 0-9 _ - . :`, the first of them no point.
bool is_group_name(std::string_view text);
inline constexpr std::string_view group_name_wanted =
    "1-64 characters of A-Z a-z 0-9 _ - . :, the first of them no point";

/// What names a group where a list of patterns is wanted: `@NAME`. The name; empty where it is
/// none.
std::string_view group_of_pattern(std::string_view pattern);

/// The meters of a text: a name like `EE00027` or a beginning like `EE0*` on each line. Empty
/// lines, what stands behind `#`, blanks and a byte order mark do not count.
/// Errors: `invalid_argument` names the line, or tells that there is none; `too_large`.
Result<MeterFilter> parse_group(std::string_view text);

/// The groups of a folder: each a file `NAME.txt`, as parse_group() reads it. They may change at
/// any time, by others as well; a folder that is not there has none.
///
/// Threads: every method may be called from many threads at once.
class Groups {
 public:
  explicit Groups(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Ascending. Errors: `unavailable`; `too_large` for more than groups_max.
  Result<std::vector<std::string>> names() const;

  /// A group as it is now. What was read is kept as long as its file is the same. Errors:
  /// `not_found`; `corrupt` where its file is none of a group; `refused` where anybody may write
  /// that; `unavailable`.
  Result<std::shared_ptr<const Group>> find(std::string_view name) const;

  /// Makes a group, or gives it other meters; durable when it returns. Errors: `invalid_argument`
  /// for what is no name; `too_large` where there are groups_max others; `unavailable`.
  Result<void> set(std::string_view name, const MeterFilter& meters) const;

  /// Errors: `not_found`, `unavailable`.
  Result<void> remove(std::string_view name) const;

 private:
  struct Read {
    std::string mark;  ///< Of the file.
    std::shared_ptr<const Group> group;
  };
  std::filesystem::path path_of(std::string_view name) const;
  void keep(std::string_view name, Read read) const;

  const std::filesystem::path folder_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Read, std::less<>> read_;
};

}  // namespace meterline::access
