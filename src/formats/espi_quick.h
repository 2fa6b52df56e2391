#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/espi.h"

namespace meterline::formats::espi {

/// Reads IntervalReadings that are plain: no attributes, no character or entity references, numbers
/// without blanks around them. It says of each what expat would have its reader say, or nothing.
class QuickReadings {
 public:
  /// Of elements that are named with `prefix`, which may be empty.
  explicit QuickReadings(std::string_view prefix);

  const std::string& prefix() const { return prefix_; }

  struct Taken {
    std::size_t bytes = 0;        ///< Whole elements.
    std::int64_t lines = 0;       ///< Line ends in them.
    std::size_t behind_line = 0;  ///< Bytes behind the last of these.
  };
  /// Takes the readings that `text` begins with, at most `readings_max`. `line` is that of the
  /// text, counted from the block's.
  Taken read(std::string_view text, std::int64_t line, std::size_t readings_max,
             Block& block) const;

 private:
  std::string prefix_;
  std::string tag_;  ///< `<espi:`
  std::string end_;  ///< `</espi:`
};

}  // namespace meterline::formats::espi
