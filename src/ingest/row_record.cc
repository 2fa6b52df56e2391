#include "ingest/row_record.h"

#include <algorithm>
#include <cstring>

namespace meterline::ingest {
namespace {

// A record: its bytes (4), the bytes of its key (2), the key (meter, 0, date as 4, channel as 2,
// file as 4, line as 8, all big-endian), slots, missing, rejected (2 each), whether there is a
// total (1), the total (8), the packed day.
constexpr std::size_t key_at = 6;
constexpr std::size_t line_bytes = 8;
constexpr std::size_t behind_meter_bytes = 1 + 4 + 2 + 4 + line_bytes;
constexpr std::size_t behind_key_bytes = 3 * 2 + 1 + 8;
/// Makes negative day numbers order before the others.
constexpr std::uint32_t date_bias = 0x80000000;

template <class Integer>
Integer to_big_endian(Integer value) {
  if constexpr (sizeof(Integer) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(Integer) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(Integer) == 8) return __builtin_bswap64(value);
}

template <class Value>
char* put(Value value, char* at) {
  std::memcpy(at, &value, sizeof(value));
  return at + sizeof(value);
}

template <class Value>
Value get(const char*& at) {
  Value value;
  std::memcpy(&value, at, sizeof(value));
  at += sizeof(value);
  return value;
}

std::uint16_t key_bytes(const char* at) {
  at += 4;
  return get<std::uint16_t>(at);
}

}  // namespace

std::uint16_t ChannelTable::number_of(const Channel& channel) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::find(channels_.begin(), channels_.end(), channel);
  const auto number = static_cast<std::uint16_t>(found - channels_.begin());
  if (found == channels_.end()) channels_.push_back(channel);
  return number;
}

std::vector<Channel> ChannelTable::all() const {
  const std::scoped_lock lock(mutex_);
  return channels_;
}

void append_record(const RowRecord& record, std::string& out) {
  const std::size_t key = record.meter.size() + behind_meter_bytes;
  const std::size_t bytes = key_at + key + behind_key_bytes + record.packed.size();
  const std::size_t before = out.size();
  out.resize(before + bytes);
  char* at = out.data() + before;
  at = put(static_cast<std::uint32_t>(bytes), at);
  at = put(static_cast<std::uint16_t>(key), at);
  at = std::copy(record.meter.begin(), record.meter.end(), at);
  *at++ = '\0';
  at = put(to_big_endian(static_cast<std::uint32_t>(record.date.days()) ^ date_bias), at);
  at = put(to_big_endian(record.channel), at);
  at = put(to_big_endian(record.file), at);
  at = put(to_big_endian(static_cast<std::uint64_t>(record.line)), at);
  at = put(record.slots.slots, at);
  at = put(record.slots.missing, at);
  at = put(record.slots.rejected, at);
  *at++ = record.plain_total ? 1 : 0;
  at = put(record.plain_total.value_or(0), at);
  std::copy(record.packed.begin(), record.packed.end(), at);
}

RowRecord read_record(const char* at) {
  const char* const end = at + record_bytes(at);
  const std::size_t key = key_bytes(at);
  RowRecord record;
  at += key_at;
  record.meter = std::string_view(at, key - behind_meter_bytes);
  at += record.meter.size() + 1;
  const auto days = to_big_endian(get<std::uint32_t>(at)) ^ date_bias;
  record.date = *Date::from_days(static_cast<std::int32_t>(days));
  record.channel = to_big_endian(get<std::uint16_t>(at));
  record.file = to_big_endian(get<std::uint32_t>(at));
  record.line = static_cast<std::int64_t>(to_big_endian(get<std::uint64_t>(at)));
  record.slots.slots = get<std::uint16_t>(at);
  record.slots.missing = get<std::uint16_t>(at);
  record.slots.rejected = get<std::uint16_t>(at);
  const bool has_total = *at++ != 0;
  const auto total = get<std::int64_t>(at);
  if (has_total) record.plain_total = total;
  record.packed = std::string_view(at, static_cast<std::size_t>(end - at));
  return record;
}

std::size_t record_bytes(const char* at) { return get<std::uint32_t>(at); }

std::string_view record_key(const char* at) { return {at + key_at, key_bytes(at)}; }

std::string_view record_day_key(const char* at) {
  auto key = record_key(at);
  key.remove_suffix(line_bytes);
  return key;
}

void move_record_line(char* at, std::int64_t lines) {
  char* const line_at = at + key_at + key_bytes(at) - line_bytes;
  const char* from = line_at;
  const auto line = to_big_endian(get<std::uint64_t>(from)) + static_cast<std::uint64_t>(lines);
  put(to_big_endian(line), line_at);
}

}  // namespace meterline::ingest
