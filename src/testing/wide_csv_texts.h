#pragma once

#include <rapidcheck.h>

#include <string>

namespace meterline::testing {

/// Wide CSV files: a header of any interval, columns in any order, a few rows with good, odd and
/// bad fields, line ends of all kinds. Some are refused, most have good rows.
rc::Gen<std::string> wide_csv_text();

/// The same with a few bytes changed, put in, or taken out, and pieces cut, repeated or dropped.
rc::Gen<std::string> mutated_wide_csv_text();

}  // namespace meterline::testing
