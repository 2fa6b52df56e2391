#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "formats/parser.h"

namespace meterline::formats {

/// NEM12, interval meter data of Australia's market: docs/formats/nem12.md. Records, one a line:
/// 200 says whose readings follow, 300 gives a day, 400 the quality of parts of the day before it;
/// 100 and 900 begin and end the file, and 500 is about orders and not about readings. Source:
/// AEMO, Meter Data File Format Specification NEM12 & NEM13 (MDFF), section 4.
///
/// A row, for counts, is a 300 record, or a line that is no record or stands where it cannot.
inline constexpr std::string_view nem12_name = "nem12";

/// Later rows need their 200 record.
inline constexpr Cut nem12_cut = {.has_quotes = false, .first_row = "200,"};

/// A file that begins with a 100 record that says NEM12, or with a 200 record that a 300 follows.
bool is_nem12(std::string_view head);

/// See Format::open. Never refuses what is_nem12() takes.
Result<Opened> open_nem12(const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
