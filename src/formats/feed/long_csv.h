#pragma once

#include <string_view>

#include "core/result.h"
#include "formats/parser.h"

namespace meterline::formats {

/// Long CSV, docs/formats/long-csv.md: a reading a row, in columns whose names tell what they are,
/// in any case and order.
inline constexpr std::string_view long_csv_name = "long-csv";

/// Whether the first line names a time and a value, and no times of day.
bool is_long_csv(std::string_view head);

/// See Format::open.
Result<Opened> open_long_csv(const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
