#pragma once

#include "core/result.h"
#include "core/time_zone.h"
#include "formats/espi.h"

namespace meterline::formats::espi {

/// The zone whose clock LocalTimeParameters describe: `preferred` if it does, else an offset where
/// there is no daylight saving, else the first of a list of zones that changes its clock in every
/// year from 2012 to 2037 on the days and at the times of the rules, and on no other day. The name
/// stands for the clock, and not for a place.
/// Errors: `invalid_argument`, with the reason, where no known zone has that clock.
Result<TimeZone> zone_of(const LocalTime& local, TimeZone preferred);

}  // namespace meterline::formats::espi
