#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/date.h"
#include "core/meter_id.h"

namespace meterline::ingest {

/// Numbers the channels of files that are loaded together.
///
/// Threads: may be called from many threads at once.
class ChannelTable {
 public:
  std::uint16_t number_of(const Channel& channel);
  std::vector<Channel> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Channel> channels_;
};

/// Slots of a row by what became of them.
struct SlotCounts {
  std::uint16_t slots = 0;
  std::uint16_t missing = 0;
  std::uint16_t rejected = 0;
};

/// A good row on its way from the parser to the store.
struct RowRecord {
  std::string_view meter;
  Date date;
  std::uint16_t channel = 0;  ///< In the group's ChannelTable.
  std::uint32_t file = 0;     ///< In the group of files that are loaded together.
  std::int64_t line = 0;
  SlotCounts slots;
  std::optional<std::int64_t> plain_total;
  std::string_view packed;
};

/// Records as bytes, one after another. Their keys order, byte by byte, as (meter, date, channel,
/// file, line) do; the bytes stay within one process, so they need no format number.
void append_record(const RowRecord& record, std::string& out);
/// The record at `at`, which must be one that append_record wrote.
RowRecord read_record(const char* at);
std::size_t record_bytes(const char* at);            ///< Of the whole record.
inline constexpr std::size_t record_head_bytes = 4;  ///< Enough for record_bytes().

std::string_view record_key(const char* at);
/// The key without the line: equal for rows that say the same thing twice.
std::string_view record_day_key(const char* at);
void move_record_line(char* at, std::int64_t lines);  ///< Adds `lines` to its line.

}  // namespace meterline::ingest
