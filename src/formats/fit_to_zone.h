#pragma once

#include <vector>

#include "core/finding.h"
#include "core/reading_day.h"

namespace meterline::formats {

/// A day on which the clock changes, made of a row that has a reading for each time of 24 hours.
struct FittedDay {
  ReadingDay day;                 ///< With the slots of that day in its zone.
  int rejected_readings = 0;      ///< Of times that come twice: nobody knows which is meant.
  bool is_rejected = false;       ///< The row as a whole: it is of another clock.
  std::vector<Finding> findings;  ///< Without lines; the column is the interval's number, from 1.
};

/// Whether the day has not 24 hours in its zone.
bool is_odd(const ReadingDay& day);

/// Reads `day`, of 24 hours, as what the clock of its zone showed. Each reading goes where its time
/// is in that day. A time that the clock left out has none: a zero there is dropped, and any other
/// reading says that the row is of another clock. A time that comes twice has two places, and
/// neither gets the reading.
FittedDay fit_to_zone(const ReadingDay& day);

}  // namespace meterline::formats
