#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/reading_day.h"

namespace meterline::ingest {

/// What became of a row that lost something to another one of its day.
struct RowOutcome {
  std::int64_t line = 0;
  std::int64_t kept_line = 0;  ///< Of the row that it lost to, the last time.
  bool is_stored = false;      ///< Some slot of the day is its own.
  /// That one is of another interval, or its numbers have no place beside this one's.
  bool is_unlike = false;
  bool is_older = false;      ///< That one states a later time.
  std::int64_t replaced = 0;  ///< Slots for which a row of the same stated time says otherwise.

  bool operator==(const RowOutcome&) const = default;
};

/// The day that rows of one file make together. A slot has the reading of the row that states the
/// latest time, and of those that of the last, among all rows that have one; where none has, it is
/// missing. That is what a store would answer, had each row come in a delivery of its own. The day
/// states the latest time of the rows that are in it, and has the facts of the last of those that
/// state it, if that has any.
///
/// Rows of different intervals or numbers of slots are not united, and neither are those whose
/// numbers do not fit into 64 bits with as many decimals as the others have: of them, the day is
/// the one that states the latest time, or the last.
class UnitedDay {
 public:
  void start(ReadingDay day, std::int64_t line);
  /// A row of the same meter, channel and day that stands below those before.
  void add(ReadingDay day, std::int64_t line);

  const ReadingDay& day() const { return day_; }
  std::int64_t rows() const { return rows_; }
  /// The rows of which the day has something, at least one.
  std::int64_t stored() const { return rows_ - gone_; }
  bool lost_notes() const { return lost_notes_; }  ///< Those of the rows were too long together.
  /// Of the rows that lost something. Of those that are not stored, the first outcomes_max.
  std::vector<RowOutcome> outcomes() const;

  static constexpr std::size_t outcomes_max = 10'000;

 private:
  struct Part {
    RowOutcome outcome;
    std::optional<Instant> stated;
    std::size_t slots = 0;  ///< That are its own; a part without any stands for no row.
  };

  std::size_t new_part(std::int64_t line, const ReadingDay& day);
  void end(Part& part);
  void replace(ReadingDay day, std::int64_t line, bool is_unlike);
  void lose_to_day(std::int64_t line, const ReadingDay& day, bool is_unlike);
  void unite(const ReadingDay& day, std::int64_t line);
  void unite_notes(const Notes& notes, std::size_t part);

  ReadingDay day_;
  std::vector<Part> parts_;             ///< No more than slots that live at a time.
  std::vector<std::size_t> free_;       ///< Parts without a row.
  std::vector<std::uint16_t> part_of_;  ///< Of each slot, if it has a reading.
  std::vector<RowOutcome> lost_;        ///< Rows that are not stored: the first of them.
  std::int64_t rows_ = 0;
  std::int64_t gone_ = 0;  ///< Rows that are not stored.
  bool lost_notes_ = false;
};

}  // namespace meterline::ingest
