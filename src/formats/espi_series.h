#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/channel.h"
#include "core/reading_day.h"
#include "core/result.h"
#include "formats/espi.h"
#include "formats/espi_links.h"

namespace meterline::formats::espi {

/// What becomes of the readings of a block.
struct Series {
  enum class Shape {
    days,            ///< Intervals of days.
    counted,         ///< Longer than an hour: what a register counted between two times.
    register_state,  ///< What a register showed.
  };
  Channel channel;
  Shape shape = Shape::days;
  std::int64_t step = 0;  ///< Seconds of each reading; 0: each says its own.
  int multiplier = 0;     ///< The power of ten that readings are multiplied with.
  int default_quality = no_quality;
  /// What a warning is to be made of; empty where there is nothing to tell.
  std::string remark;
};

/// How readings are taken that the type describes. ESPI, ReadingType and its codes.
/// Errors: `refused`, with the reason, where they are left out.
Result<Series> series_of(const ReadingType& type, const Point& point, const Block& block);

/// Whether two types describe the same readings, in whatever unit's multiples.
bool are_same_quantity(const ReadingType& a, const ReadingType& b);

/// The meter of a point: what stands behind `UsagePoint` in its path. That is no name by itself
/// where it has less than four characters, as it then counts the points of a customer: the path
/// before it, behind `resource`, comes along with `:` for `/`. Where there is no path, the title. A
/// character that no meter id may have is written as `.` and two hexadecimal digits. May be no
/// meter id all the same: too long, or empty.
std::string meter_text_of(const Point& point);

/// The class of a quality code. ESPI, QualityOfReading.
Quality quality_of(std::uint8_t code);

}  // namespace meterline::formats::espi
