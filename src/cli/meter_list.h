#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/meter_id.h"
#include "core/result.h"

namespace meterline::cli {

/// More meters than this in a list are refused; so many take less than 1 GB.
inline constexpr std::size_t listed_meters_max = 10'000'000;

/// The ids in a file, one on each line, in the order of the file; `-` is standard input. Empty
/// lines, blanks around an id and a byte order mark do not count. `option` is what names the file,
/// for errors.
///
/// Errors: `not_found` where the file cannot be read; `invalid_argument` names the line that is no
/// id, and where there is none at all; `too_large`.
Result<std::vector<MeterId>> read_meter_list(std::string_view option, const std::string& path);

}  // namespace meterline::cli
