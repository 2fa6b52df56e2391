#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "access/descriptor.h"
#include "core/result.h"

namespace meterline::access {

// Files that are read and replaced whole, while others may do the same.

/// Reads a file whole. Errors: `not_found`, `too_large`, `unavailable`.
Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t bytes_max);

/// Writes a file whole, in the place of one that is there; only its owner may read it. It is
/// durable when this returns.
Result<void> replace_file(const std::filesystem::path& path, std::string_view text);

/// Waits until no other process holds the file, which is made where it is not there. It is held
/// until what this returns is destroyed.
Result<Descriptor> lock_file(const std::filesystem::path& path);

/// A short text that is another one where the file was replaced or written to.
std::string file_mark(const std::filesystem::path& path);

/// What went wrong with a file, from errno: `not_found` or `unavailable`.
tl::unexpected<Error> file_fault(const std::filesystem::path& path, std::string_view what);

}  // namespace meterline::access
