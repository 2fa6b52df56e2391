#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "formats/parser.h"

namespace meterline::formats {

/// NEM12 and NEM13 as spreadsheets and scripts write them: with fields in quotes, blanks before a
/// record, or semicolons or tabs for commas (docs/formats/nem12.md). Each line is written as MDFF
/// has it, and then read as such a file is, by its own lines.
inline constexpr std::string_view loose_mdff_name = "mdff-loose";
inline constexpr Cut loose_mdff_cut = {.has_quotes = false, .is_anywhere = true};

/// Whether a text that begins so is NEM12 or NEM13 once it is written as MDFF has it, and not
/// before.
bool is_loose_mdff(std::string_view head);

/// See Format::open. Never refuses; the parser tells what is not written as MDFF has it.
Result<Opened> open_loose_mdff(const Piece& first, const ReadOptions& options);

/// A line, without its end, as MDFF has it: its fields without quotes and the blanks around them,
/// and commas between. A comma in a field becomes a point between digits where the delimiter is a
/// semicolon, as it is a decimal one there, and a semicolon elsewhere. A field whose quotes are not
/// closed stays as it is.
std::string as_mdff(std::string_view line, char delimiter);

}  // namespace meterline::formats
