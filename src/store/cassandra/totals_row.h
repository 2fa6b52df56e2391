#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/decimal.h"
#include "core/result.h"
#include "store/packed_day.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// What one delivery says of one day of a meter, for questions over all meters.
struct TotalEntry {
  std::string_view meter;
  Channel channel;
  /// Day of the month, 1-31; 0 in a row of a single day.
  int day = 0;
  enum class Kind : std::uint8_t {
    complete = 0,  ///< Every slot is actual: sum, exponent and slots say it all.
    partial = 1,   ///< The counts count too.
    unknown = 2,   ///< The sum does not fit: the readings themselves have to be asked.
  };
  Kind kind = Kind::unknown;
  GridInfo grid;  ///< Its interval is not kept.
  std::int64_t mantissa = 0;
  QualityCounts quality;  ///< Of a partial one; `missing` as well.
};

/// The bytes of a row of day_totals: entries of many meters, of one delivery and one day or month.
/// docs/operate/cassandra.md has the layout. The first byte is the format number.
class TotalsRowWriter {
 public:
  enum class Span { day, month };
  explicit TotalsRowWriter(Span span) : span_(span) {}

  /// By meter ascending.
  void add(const TotalEntry& entry);
  std::size_t bytes() const { return entries_.size() + tables_bytes_; }
  bool empty() const { return entries_.empty(); }
  const std::string& first_meter() const { return first_meter_; }
  const std::string& last_meter() const { return last_meter_; }
  /// The row; the writer is then empty again.
  std::string take();

 private:
  std::uint64_t channel_number(const Channel& channel);
  std::uint64_t grid_number(const GridInfo& grid);

  Span span_;
  std::string first_meter_;
  std::string last_meter_;
  std::vector<Channel> channels_;
  std::vector<GridInfo> grids_;
  std::size_t tables_bytes_ = 0;  ///< Of channels and grids.
  std::string entries_;
};

/// What the catalogue names among those of totals_kind: a partition of day_totals, which is a day
/// or a month, and a bucket; or the names of meters of which the days of a month have to be read,
/// all or those of a bucket.
struct TotalsPart {
  std::string name;  ///< As the catalogue has it.
  std::string period;
  std::int32_t bucket = 0;
  std::string names;  ///< The kind of names in the catalogue; empty for a partition of totals.

  bool is_month() const { return period.size() == 7; }
};
/// `2019-01-31/07`, `2019-01/07`, `2019-01/days/07`, or `2019-01/days` in a store of schema 3.
std::optional<TotalsPart> parse_totals_part(std::string_view name);

struct TotalsRow {
  TotalsRowWriter::Span span = TotalsRowWriter::Span::day;
  std::vector<TotalEntry> entries;  ///< Their meters point into `meters`.
  std::string meters;
};

/// Replaces what is in `row`. Errors: `corrupt`, for a row of a newer format as well; never reads
/// past the end, whatever the bytes are.
Result<void> read_totals_row(std::string_view bytes, TotalsRow& row);

}  // namespace meterline::store::cassandra
