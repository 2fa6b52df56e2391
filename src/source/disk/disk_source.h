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

/// A file, delivered at its modification time; its source is the absolute path. What is no
/// regular file, such as a pipe, has no size and can be opened once.
Result<Incoming> file_delivery(const std::filesystem::path& path);

/// Standard input, delivered at `received`. It can be opened once.
Incoming stdin_delivery(Instant received);

}  // namespace meterline::source
