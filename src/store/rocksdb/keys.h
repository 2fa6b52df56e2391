#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/channel.h"
#include "core/date.h"
#include "core/delivery.h"
#include "core/delivery_event.h"
#include "core/meter_id.h"
#include "core/register_read.h"

namespace meterline::store::rocksdb {

// Keys order as their meters and months do, byte by byte. docs/store.md lists them.

/// `days`: meter, 0, month (2 bytes, big-endian), channel (see put_channel).
void days_key(const MeterId& meter, Month month, const Channel& channel, std::string& key);
/// `totals`: month, meter, 0, channel as above.
void totals_key(const MeterId& meter, Month month, const Channel& channel, std::string& key);

struct MonthRange {
  Month first;
  Month last;  ///< inclusive
};
inline constexpr MonthRange all_months{.first = {.index = 0}, .last = {.index = UINT16_MAX}};

struct MonthKey {
  std::string_view meter;
  Month month;
  Channel channel;
};
/// Empty when the bytes are no such key.
std::optional<MonthKey> parse_days_key(std::string_view key);
std::optional<MonthKey> parse_totals_key(std::string_view key);

// Of a key of `days` that parses:
Month month_of_days_key(std::string_view key);
/// Meter, 0 and month, which its channels have in common.
std::string_view meter_month_of(std::string_view key);
/// The same month in `totals`.
void totals_key_of(std::string_view days_key, std::string& key);

/// `recent`: counts the small writes, in 8 bytes.
std::string recent_key(std::uint64_t number);
std::optional<std::uint64_t> parse_recent_key(std::string_view key);

/// `meters`: the meter's text holds its channels.
inline const std::string& meters_key(const MeterId& meter) { return meter.text(); }
/// `meters`: holds the channels that any meter has, or the first so many. Behind all meters.
inline constexpr std::string_view all_meters_key = "\x7f";
/// Before the keys of all meters behind this one, in `meters`.
inline std::string meters_key_after(const MeterId& meter) { return meter.text() + '\0'; }
/// Appends the bytes of a channel: name (nothing for the default one), 0, flow, unit.
void put_channel(const Channel& channel, std::string& bytes);
std::optional<Channel> channel_of_bytes(std::string_view bytes);

/// Before the first key of a meter from `month` on, in `days`.
std::string days_key_start(const MeterId& meter, Month month);
/// Behind the last key of a meter, in `days`.
std::string days_key_end(const MeterId& meter);
std::string month_bytes(Month month);
/// Behind the last key of a meter in a month, in `totals`.
inline std::string totals_key_after(Month month, const MeterId& meter) {
  return month_bytes(month) + meter.text() + '\1';
}

/// `registers`: meter, 0, time (8 bytes, big-endian, offset by 2^63), channel (see put_channel),
/// register id, 0, serial number, 0, delivery id (16 bytes).
std::string registers_key(const RegisterRead& read, const DeliveryId& delivery);
/// Before the first key of a meter from a time on.
std::string registers_key_start(const MeterId& meter, Instant from);
/// Behind the last key of a meter.
inline std::string registers_key_end(const MeterId& meter) { return meter.text() + '\1'; }
/// Empty when there is none.
std::optional<std::string_view> meter_of_registers_key(std::string_view key);
/// Sets meter, register and time; the delivery is in the key so that it has a read once. False when
/// the bytes are no such key.
bool parse_registers_key(std::string_view key, RegisterRead& read);

/// `deliveries`: `d` and the id hold the record.
std::string delivery_key(const DeliveryId& id);
/// `n` and the number hold id, time and tie of a delivery.
std::string number_key(std::uint32_t number);
/// `e`, the id, time, kind and who hold the reason of an event.
std::string event_key(const DeliveryId& id, const DeliveryEvent& event);
struct EventOfDelivery {
  DeliveryId id;
  DeliveryEvent event;
};
/// Empty when the bytes are no such key and value.
std::optional<EventOfDelivery> parse_event(std::string_view key, std::string_view value);
/// `t`, then those delivered later first: an index of all deliveries, with empty values.
std::string time_key(const Delivery& delivery);
/// `r`, then those received later first: another one.
std::string receipt_key(const Delivery& delivery);
/// `s`, source, 0, then those delivered later first: an index by source.
std::string source_key(const Delivery& delivery);
std::string source_prefix(std::string_view source);
/// `u`: holds the default unit, as one byte.
inline constexpr std::string_view unit_key = "u";
/// In `deliveries`: the number that deliveries go on with at least, as in number_key().
inline constexpr std::string_view first_number_key = "m";
/// `a`: when something was last taken out of the store, as in time_bytes().
inline constexpr std::string_view amended_key = "a";
/// `x` and the mark of an erased meter, with empty values.
inline constexpr std::string_view erased_prefix = "x";
inline std::string erased_key(std::string_view mark) {
  return std::string(erased_prefix).append(mark);
}
/// 8 bytes, big-endian, offset by 2^63.
std::string time_bytes(Instant at);
std::optional<Instant> time_of_bytes(std::string_view bytes);
/// The id that an index key ends with.
std::optional<DeliveryId> id_of_index_key(std::string_view key);

}  // namespace meterline::store::rocksdb
