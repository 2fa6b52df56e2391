#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/decimal.h"
#include "core/finding.h"
#include "core/reading_day.h"
#include "formats/day_sink.h"

namespace meterline::formats {

/// A reading day that is put together of readings in any order.
class GatheredDay {
 public:
  enum class Put {
    done,
    taken,      ///< The slot has another reading.
    too_large,  ///< It does not fit beside the others, or their sum does not.
  };
  enum class Same { refuse, add };

  struct Frame {
    Date date;
    IntervalLength interval;
    int slots = 0;
    TimeZone zone;
  };
  /// Begins another day, whose slots are all missing. The memory of the one before is used again.
  /// `row` is the first that says something of it.
  void start(const MeterId& meter, const Channel& channel, const Frame& frame, const Row& row);

  const ReadingDay& day() const { return day_; }
  bool is_of(std::string_view meter, const Channel& channel, Date date) const {
    return day_.date == date && day_.meter.text() == meter && day_.channel == channel;
  }
  ReadingDay& changed() { return day_; }
  const Row& row() const { return row_; }
  int readings() const { return readings_; }  ///< Slots that are not missing.

  Put put(std::size_t slot, Decimal value, Quality quality, Same same);
  /// All readings of the day at once: actual, and all of `exponent`.
  void put_all(std::span<const std::int64_t> mantissas, int exponent);
  /// The slot is missing, and that was said.
  void put_missing(std::size_t slot);
  /// What is said of a slot: a number of the caller's, from 1 to 255.
  void put_note(std::size_t slot, std::uint8_t note) {
    notes_[slot] = note;
    has_notes_ = true;
  }
  /// Told of just before the day.
  void find(Finding finding) { findings_.push_back(std::move(finding)); }
  void reject_reading() { ++rejected_; }

  /// Gives the day away, with the notes that the numbers stand for.
  void give(const std::vector<Note>& notes, DaySink& sink);

 private:
  bool scale_to(int exponent);

  ReadingDay day_;
  Row row_;
  std::vector<std::uint8_t> notes_;
  std::vector<Finding> findings_;
  int rejected_ = 0;
  int readings_ = 0;
  bool has_notes_ = false;
};

}  // namespace meterline::formats
