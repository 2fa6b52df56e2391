#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/reading_day.h"
#include "core/register_read.h"
#include "formats/day_sink.h"
#include "formats/espi.h"
#include "formats/espi_series.h"

namespace meterline::formats::espi {

/// Cuts readings into days of their zone. Blocks of one series that follow each other fill one day
/// together, as long as none says anything twice; what is said again is a row of its own.
///
/// Threads: one at a time.
class DayCutter {
 public:
  /// Whose the readings of a block are.
  struct Owner {
    MeterId meter;
    Series series;
    TimeZone zone;  ///< Known.
    std::optional<Instant> stated;
    std::string name;         ///< Of the block, for people.
    std::string register_id;  ///< Of its MeterReading.
  };
  /// `lines_more` is added to lines of blocks.
  void add(const Owner& owner, const Block& block, DaySink& sink, std::int64_t lines_more);
  /// Gives out the day that is not full yet.
  void finish(DaySink& sink, std::int64_t lines_more);

 private:
  struct Span {
    std::int64_t start;
    std::int64_t end;
  };
  struct Cell {
    std::int64_t value = 0;
    std::uint8_t decimals = 0;
    std::uint8_t quality = no_quality;
    ValueState state = ValueState::absent;
    bool is_said = false;
  };

  void begin(const Owner& owner);
  void take(const Reading& reading, Span span, std::int64_t line);
  void take_interval(const Reading& reading, Span span, std::int64_t line);
  void take_read(const Reading& reading, Span span, std::int64_t line);
  bool open_day(std::int64_t start);
  void give_day();
  void fill(ReadingDay& day, int& rejected);
  void tell_rounding(std::int64_t line);
  void tell(FindingCode code, std::int64_t line, std::string text, const std::string& excerpt);

  Owner owner_;
  DaySink* sink_ = nullptr;  ///< During a call.
  std::int64_t lines_more_ = 0;

  bool has_day_ = false;
  std::int64_t line_ = 0;  ///< Of the day's first reading.
  Date date_;
  std::int64_t day_start_ = 0;  ///< Seconds since 1970, UTC; of the last day that was asked for.
  std::int64_t day_end_ = 0;
  std::vector<Cell> cells_;
  std::string day_name_;  ///< Of its first block.
  std::optional<Instant> day_stated_;
};

}  // namespace meterline::formats::espi
