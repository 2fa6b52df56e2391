#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "source/byte_source.h"

namespace meterline::source {

inline constexpr std::size_t files_max = 10'000'000;  ///< In one listing.

/// All regular files that `paths` name: a file itself, a folder with all below it. Sorted by
/// path within each of `paths`, which keep their order; what is hidden (`.x`) or temporary
/// (`*.tmp`, `*.part`) inside folders is left out; a file named twice comes once. Links to files
/// are followed, and links to folders only where `paths` name them. A pipe or device is taken
/// where `paths` name it.
/// Errors: `not_found` for a path that is not there, `invalid_argument` for a folder without
/// files, `unavailable` for one that cannot be listed; the message names the path.
Result<std::vector<std::filesystem::path>> list_files(
    const std::vector<std::filesystem::path>& paths);

/// All regular files below a folder, sorted, relative to it; those that list_files() leaves out are
/// left out here, and the folders `left_out` of it as well. There may be none. Errors:
/// `unavailable` for a folder that cannot be listed, `too_large` for more than files_max files.
Result<std::vector<std::filesystem::path>> files_below(
    const std::filesystem::path& folder, const std::vector<std::filesystem::path>& left_out);

/// Whether the name of a file may be that of a link to another.
enum class Links {
  follow,
  refuse,  ///< Where others put files: they may not read what they can link to.
};

/// A file, delivered at its modification time; its source is the absolute path. What is no
/// regular file, such as a pipe, has no size and can be opened once.
Result<Incoming> file_delivery(const std::filesystem::path& path, Links links = Links::follow);

/// Standard input, delivered at `received`. It can be opened once.
Incoming stdin_delivery(Instant received);

}  // namespace meterline::source
