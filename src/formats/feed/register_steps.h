#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/decimal.h"
#include "core/reading_day.h"

namespace meterline::formats {

/// What a register showed at a moment.
struct Shown {
  std::int64_t minute = 0;  ///< Since 1970, UTC.
  Decimal value = {};
  Decimal factor = {};  ///< That makes energy of it.
  Quality quality = Quality::actual;
  std::uint8_t note = 0;  ///< Of the caller's.
  std::int64_t line = 0;
};

/// The intervals between what registers showed, one row after the other. Rows of a register are in
/// order of time, upwards or downwards; those of several may take turns.
class RegisterSteps {
 public:
  enum class Kind {
    first,         ///< The first one of its register.
    step,          ///< An interval is between this one and the one before.
    gap,           ///< There is more than an interval between them.
    turned,        ///< A gap, and time has run the other way before.
    same,          ///< The one before is of the same moment, and says the same.
    differs,       ///< Of the same moment, and says something else: the one before stays.
    fell,          ///< The register went down, and did not just begin again at 0.
    other_factor,  ///< One unit of it was worth another energy before.
    too_large,     ///< The difference has too many digits.
  };
  struct Outcome {
    Kind kind = Kind::first;
    std::int64_t begin = 0;  ///< Of the interval, where there is one.
    Decimal difference = {};
    Quality quality = Quality::actual;  ///< The worse of both ends.
    std::uint8_t note = 0;              ///< Of that end.
    Shown before = {};
  };

  /// Intervals are of `step` minutes. A register of `digits` whole digits begins again at 0 behind
  /// all nines: a fall counts as that when it is then a rise of less than a tenth of its range.
  RegisterSteps(int step, int digits) : step_(step), digits_(digits) {}

  Outcome add(const std::string& series, const Shown& now);

  /// Series of which a single moment is known: no interval has both its ends.
  template <class Tell>
  void every_lone(Tell tell) const {
    for (const auto& [name, series] : series_)
      if (series.is_lone) tell(series.last);
  }

 private:
  struct Series {
    Shown last = {};
    int direction = 0;  ///< Of time: 1 upwards, -1 downwards, 0 not known yet.
    bool is_lone = true;
  };

  std::optional<Decimal> rise(const Shown& older, const Shown& newer, Kind& fault) const;

  int step_;
  int digits_;
  std::map<std::string, Series> series_;
};

}  // namespace meterline::formats
