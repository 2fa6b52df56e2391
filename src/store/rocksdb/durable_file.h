#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::store {

// Files and names that a power cut does not take back. Errors: `unavailable` with path and reason.

Result<void> write_durably(const std::filesystem::path& file, std::string_view text);
/// Makes the names in it durable.
Result<void> sync_folder(const std::filesystem::path& folder);

Result<std::string> read_whole_file(const std::filesystem::path& file);
/// An error is none of "it is not there".
Result<bool> is_there(const std::filesystem::path& path);
/// With all that is in it; it may be absent.
Result<void> clear_away(const std::filesystem::path& path);
Result<void> move_name(const std::filesystem::path& from, const std::filesystem::path& to);
Result<void> make_folder(const std::filesystem::path& folder);

/// `what` completes "cannot ..."; `error` is one of errno's.
tl::unexpected<Error> os_error(std::string_view what, const std::filesystem::path& path, int error);

}  // namespace meterline::store
