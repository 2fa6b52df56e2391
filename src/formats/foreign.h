#pragma once

#include <string>
#include <string_view>

namespace meterline::formats {

/// Why a file that begins with `head` (without byte order mark) is refused, when its first bytes
/// say that it is of a kind that is no CSV: its name, and what to do. Empty when it may be CSV.
std::string foreign_text(std::string_view head);

/// The same, of a layout of records that is read by a feed only.
std::string foreign_records(std::string_view head);

}  // namespace meterline::formats
