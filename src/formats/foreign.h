#pragma once

#include <string>
#include <string_view>

namespace meterline::formats {

/// Why a file that begins with `head` (without byte order mark) is refused, when its first bytes
/// say that it is of a kind that is no CSV, or of a layout of records that is known and not read:
/// its name, and what to do. Empty when it may be CSV.
std::string foreign_text(std::string_view head);

}  // namespace meterline::formats
