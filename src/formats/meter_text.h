#pragma once

#include <optional>
#include <string_view>

#include "core/finding.h"

namespace meterline::formats {

/// Why a field is not taken for a meter id.
struct MeterObjection {
  FindingCode code;
  std::string_view wanted;
};

/// Whether a text that may be an allowed id is none all the same: the name of a sum of rows
/// (`Total`), or a number that a spreadsheet or a data frame made of an id (`7.22E13`,
/// `9900000000017.0`).
bool is_no_meter(std::string_view text);

/// Empty when `text` is a meter id that can be taken.
std::optional<MeterObjection> objection_to_meter(std::string_view text);

}  // namespace meterline::formats
