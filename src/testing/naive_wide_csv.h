#pragma once

#include <string_view>

#include "core/channel.h"
#include "core/result.h"
#include "formats/day_sink.h"

namespace meterline::testing {

/// Parses a whole wide CSV file (expanded, in memory), slowly and one rule at a time: the
/// reference that the fast parser in formats/ must agree with. Shares no code with it but what
/// names of columns mean (formats/column_kind.h). The `text` of a finding is the code's name only.
/// Errors: `refused`, as recognise() and open_wide_csv() refuse a file.
Result<void> parse_naive_wide_csv(std::string_view file, Unit unit, formats::DaySink& sink);

}  // namespace meterline::testing
