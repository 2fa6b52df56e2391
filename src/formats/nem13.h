#pragma once

#include <string_view>

#include "core/result.h"
#include "formats/parser.h"

namespace meterline::formats {

/// NEM13, accumulated meter data of Australia's market: docs/formats/nem13.md. Records, one a line:
/// 250 gives a read of a register with the one before it; 100 and 900 begin and end the file, and
/// 550 is about orders and not about reads. Source: AEMO, Meter Data File Format Specification
/// NEM12 & NEM13 (MDFF), section 5.
///
/// A row, for counts, is a 250 record, or a line that is no record or stands where it cannot.
inline constexpr std::string_view nem13_name = "nem13";

/// What stands behind a 250 record belongs to it.
inline constexpr Cut nem13_cut = {.has_quotes = false, .first_row = "250,"};

/// A file that begins with a 100 record that says NEM13, or with a whole 250 record.
bool is_nem13(std::string_view head);

/// See Format::open. Never refuses what is_nem13() takes.
Result<Opened> open_nem13(const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
