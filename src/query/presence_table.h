#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/store.h"

namespace meterline::query {

/// How many of the days asked for a channel of a meter has.
struct DayCounts {
  std::int64_t stored = 0;    ///< Days of which something is stored.
  std::int64_t complete = 0;  ///< Of those, days of which no reading is missing.
};

/// Which days each meter has of one channel: two bits a day, and the meter's name. Takes what
/// Store::read_day_presence() tells in whatever order it comes; meters ascending, time after time,
/// is the fast one.
class PresenceTable {
 public:
  /// At least one day.
  explicit PresenceTable(DateRange dates);

  /// Days outside of the range are left out; the channel is up to the caller.
  void add(const store::DayPresence& part);

  std::size_t size() const { return rows_.size(); }
  /// The numbers of all rows, ascending by meter. A row is a meter that has a day.
  std::vector<std::uint32_t> rows_in_order() const;

  std::string_view meter(std::size_t row) const {
    return {names_.data() + rows_[row].name, rows_[row].name_chars};
  }
  DayCounts counts(std::size_t row) const;
  /// The first day that is not complete; one of them must not be.
  Date first_gap(std::size_t row) const;

 private:
  struct Row {
    std::size_t name;  ///< Where it starts in names_.
    std::size_t name_chars;
  };

  std::size_t row_of(const std::string& meter);
  std::size_t append(const std::string& meter);
  const std::uint64_t* stored(std::size_t row) const { return &bits_[row * 2 * words_]; }
  const std::uint64_t* complete(std::size_t row) const { return stored(row) + words_; }

  DateRange dates_;
  std::size_t words_;  ///< For a bit of each day.
  std::string names_;  ///< One behind the other.
  std::vector<Row> rows_;
  std::vector<std::uint64_t> bits_;  ///< For each row: days stored, days complete.
  std::size_t last_ = 0;             ///< The row that was added to last.
  std::size_t ascending_ = 0;        ///< Rows before this one ascend.
  std::unordered_map<std::string, std::size_t> late_;  ///< The others, by meter.
};

}  // namespace meterline::query
