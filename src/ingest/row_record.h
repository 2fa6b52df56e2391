#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/channel.h"
#include "core/date.h"

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

/// What a row has of formats::Row::labels, as bytes.
inline constexpr std::size_t label_bytes = sizeof(std::uint64_t);

// A row in memory and in the sorter's files: | RowHead, 40 bytes | packed day | labels, 8 bytes
// each |

/// A good row on its way from the parser to the store, without its packed day and its labels.
struct RowHead {
  std::int64_t line = 0;
  std::int64_t plain_total = 0;  ///< If has_plain_total.
  std::uint32_t meter = 0;       ///< A number that stands for it, see PackedRows and RowSorter.
  std::int32_t date = 0;         ///< Days since 1970.
  std::uint16_t channel = 0;     ///< In the group's ChannelTable.
  std::uint16_t file = 0;        ///< In the group of files that are loaded together.
  SlotCounts slots;
  std::uint8_t has_plain_total = 0;
  std::uint8_t labels = 0;  ///< How many.
  std::uint32_t packed_bytes = 0;
};
static_assert(sizeof(RowHead) == 40 && std::is_trivially_copyable_v<RowHead>);

/// Rows of one meter order by day, then by line.
inline std::uint64_t day_key(const RowHead& row) {
  constexpr std::uint32_t date_bias = 0x80000000;  // Negative days order before the others.
  return std::uint64_t{static_cast<std::uint32_t>(row.date) ^ date_bias} << 32 |
         std::uint64_t{row.channel} << 16 | row.file;
}

/// Rows as bytes: the head, the packed day, then the labels, one row after another. The bytes stay
/// within one process, so they need no format number.
inline RowHead head_at(const char* at) {
  RowHead head;
  std::memcpy(&head, at, sizeof(head));
  return head;
}
inline void put_head(const RowHead& head, char* at) { std::memcpy(at, &head, sizeof(head)); }
inline std::string_view packed_at(const char* at) {
  return {at + sizeof(RowHead), head_at(at).packed_bytes};
}
inline std::string_view labels_at(const char* at) {
  const RowHead head = head_at(at);
  return {at + sizeof(RowHead) + head.packed_bytes, head.labels * label_bytes};
}
inline std::size_t bytes_of(const RowHead& head) {
  return sizeof(RowHead) + head.packed_bytes + head.labels * label_bytes;
}

/// Rows of one piece of a file. Their meters are numbered here: neighbours of one meter have one
/// number, and the next has the next.
struct PackedRows {
  std::string bytes;
  std::string meters;                     ///< One after another.
  std::vector<std::uint32_t> meter_ends;  ///< Of each in `meters`.

  std::string_view meter(std::size_t number) const {
    const std::size_t begin = number == 0 ? 0 : meter_ends[number - 1];
    return std::string_view(meters).substr(begin, meter_ends[number] - begin);
  }
  /// The number of the meter of the next row.
  std::uint32_t number_of_next(std::string_view meter);
};

}  // namespace meterline::ingest
