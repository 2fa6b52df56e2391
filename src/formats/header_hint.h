#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meterline::formats {

/// Lines of a file that are looked at for its header.
inline constexpr int header_hint_lines_max = 20;

/// What was seen of a file whose header was refused: which line was taken for it and by which
/// delimiter, which line and delimiter look more like one, and what comes nearest to `Meter`,
/// `Date` and times of day. Nothing is guessed from it: it is for people. Empty where the line has
/// all of them.
///
/// `text` begins with the line that was taken, number `line` of the file.
std::string header_hint(std::string_view text, std::int64_t line);

/// Whether a column of this name is that of the metered point, by how its name begins: `MPAN Core`.
bool is_meter_name(std::string_view name);

}  // namespace meterline::formats
