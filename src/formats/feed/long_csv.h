#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "formats/feed/feed_layout.h"
#include "formats/parser.h"

namespace meterline::formats {

/// Long CSV, docs/formats/long-csv.md: a reading a row, in columns whose names tell what they are,
/// in any case and order.
inline constexpr std::string_view long_csv_name = "long-csv";

/// What a column holds, by its name.
enum class LongRole : std::uint8_t {
  none,
  meter,
  stamp,
  start,
  end,
  date,
  time,
  value,
  unit,
  channel,
  flag,
  stated,
};
LongRole long_role(std::string_view name);

/// What texts in a channel column, and in a quality column, mean.
std::vector<ChannelOf> long_channels();
std::vector<FlagClass> long_flags();

/// Whether the first line names a time and a value, and no times of day.
bool is_long_csv(std::string_view head);

/// See Format::open.
Result<Opened> open_long_csv(const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
