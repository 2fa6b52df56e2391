#pragma once

#include <rapidcheck.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/delivery.h"
#include "core/register_read.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::testing {

/// A register read from one line: `METER TIME VALUE [CHANNEL/FLOW/UNIT]`, the time as RFC 3339 with
/// an offset, which becomes that of the clock. The channel is 11/consumption/kWh when none is
/// given; register and serial number are `1` and `M1`. Throws when the line is wrong.
RegisterRead read_of(std::string_view line);

/// Of few meters, channels, registers and times, with everything that a read may have.
rc::Gen<RegisterRead> any_read();
/// As a writer takes them; of equal place the last one.
std::vector<RegisterRead> in_order(std::vector<RegisterRead> reads);

/// Writes the reads, sorted, and commits.
Result<void> load_reads(store::Store& store, const Delivery& delivery,
                        std::vector<RegisterRead> reads);

/// Every version of all reads of a meter, a line each: the read, its version and whether it is
/// withdrawn.
std::vector<std::string> reads_of(const store::Store& store, const MeterId& meter,
                                  Instant as_of = Instant::end_of_time());

}  // namespace meterline::testing
