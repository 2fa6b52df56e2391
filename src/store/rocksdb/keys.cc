#include "store/rocksdb/keys.h"

#include <algorithm>
#include <cstdint>

namespace meterline::store::rocksdb {
namespace {

template <class Integer>
void put_big_endian(Integer value, std::string& out) {
  for (int shift = 8 * (static_cast<int>(sizeof(Integer)) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift & 0xFF);
}

Month month_at(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  return {.index = static_cast<std::uint16_t>(byte(0) << 8 | byte(1))};
}

/// Makes instants order as unsigned numbers.
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

/// Time and id inverted, so that the latest comes first.
void put_latest_first(Instant at, const Delivery& delivery, std::string& key) {
  put_big_endian(~(static_cast<std::uint64_t>(at.micros) ^ sign_bit), key);
  for (const auto byte : delivery.id.bytes) key += static_cast<char>(~byte);
}

}  // namespace

void put_channel(const Channel& channel, std::string& bytes) {
  if (channel.name != default_channel_name) bytes += channel.name;
  bytes += '\0';
  bytes += static_cast<char>(channel.flow);
  bytes += static_cast<char>(channel.unit);
}

std::optional<Channel> channel_of_bytes(std::string_view bytes) {
  const auto end = bytes.find('\0');
  if (end == std::string_view::npos || bytes.size() != end + 3) return std::nullopt;
  const auto flow = static_cast<unsigned char>(bytes[end + 1]);
  const auto unit = static_cast<unsigned char>(bytes[end + 2]);
  if (flow > static_cast<unsigned>(Flow::other) || unit > static_cast<unsigned>(last_unit))
    return std::nullopt;
  return Channel{.name = std::string(end == 0 ? default_channel_name : bytes.substr(0, end)),
                 .flow = static_cast<Flow>(flow),
                 .unit = static_cast<Unit>(unit)};
}

void days_key(const MeterId& meter, Month month, const Channel& channel, std::string& key) {
  key.assign(meter.text());
  key += '\0';
  put_big_endian(month.index, key);
  put_channel(channel, key);
}

void totals_key(const MeterId& meter, Month month, const Channel& channel, std::string& key) {
  key.clear();
  put_big_endian(month.index, key);
  key += meter.text();
  key += '\0';
  put_channel(channel, key);
}

std::optional<MonthKey> parse_days_key(std::string_view key) {
  const auto end = key.find('\0');
  if (end == std::string_view::npos || key.size() < end + 3) return std::nullopt;
  auto channel = channel_of_bytes(key.substr(end + 3));
  if (!channel) return std::nullopt;
  return MonthKey{.meter = key.substr(0, end),
                  .month = month_at(key.substr(end + 1)),
                  .channel = *std::move(channel)};
}

std::optional<MonthKey> parse_totals_key(std::string_view key) {
  const auto end = key.size() < 2 ? std::string_view::npos : key.find('\0', 2);
  if (end == std::string_view::npos) return std::nullopt;
  auto channel = channel_of_bytes(key.substr(end + 1));
  if (!channel) return std::nullopt;
  return MonthKey{
      .meter = key.substr(2, end - 2), .month = month_at(key), .channel = *std::move(channel)};
}

Month month_of_days_key(std::string_view key) { return month_at(key.substr(key.find('\0') + 1)); }

std::string_view meter_month_of(std::string_view key) { return key.substr(0, key.find('\0') + 3); }

void totals_key_of(std::string_view days_key, std::string& key) {
  const auto month_at = days_key.find('\0') + 1;
  key.assign(days_key.substr(month_at, 2));
  key += days_key.substr(0, month_at);
  key += days_key.substr(month_at + 2);
}

std::string recent_key(std::uint64_t number) {
  std::string key;
  put_big_endian(number, key);
  return key;
}

std::optional<std::uint64_t> parse_recent_key(std::string_view key) {
  std::uint64_t number = 0;
  if (key.size() != sizeof(number)) return std::nullopt;
  for (const char byte : key) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::string days_key_start(const MeterId& meter, Month month) {
  return meter.text() + '\0' + month_bytes(month);
}

std::string days_key_end(const MeterId& meter) { return meter.text() + '\1'; }

std::string month_bytes(Month month) {
  std::string bytes;
  put_big_endian(month.index, bytes);
  return bytes;
}

std::string registers_key(const RegisterRead& read, const DeliveryId& delivery) {
  std::string key = registers_key_start(read.meter, read.current.time.at);
  put_channel(read.of.channel, key);
  for (const auto* word : {&read.of.id, &read.of.serial}) {
    key += *word;
    key += '\0';
  }
  key.append(delivery.bytes.begin(), delivery.bytes.end());
  return key;
}

std::string registers_key_start(const MeterId& meter, Instant from) {
  std::string key = meter.text() + '\0';
  put_big_endian(static_cast<std::uint64_t>(from.micros) ^ sign_bit, key);
  return key;
}

std::string time_bytes(Instant at) {
  std::string bytes;
  put_big_endian(static_cast<std::uint64_t>(at.micros) ^ sign_bit, bytes);
  return bytes;
}

std::optional<Instant> time_of_bytes(std::string_view bytes) {
  if (bytes.size() != sizeof(std::uint64_t)) return std::nullopt;
  std::uint64_t time = 0;
  for (const char byte : bytes) time = time << 8 | static_cast<unsigned char>(byte);
  return Instant{static_cast<std::int64_t>(time ^ sign_bit)};
}

std::optional<std::string_view> meter_of_registers_key(std::string_view key) {
  const auto end = key.find('\0');
  return end == std::string_view::npos ? std::nullopt : std::optional(key.substr(0, end));
}

bool parse_registers_key(std::string_view key, RegisterRead& read) {
  constexpr std::size_t time_size = sizeof(std::uint64_t);
  constexpr std::size_t channel_tail_bytes = 3;  // 0, flow and unit.
  const auto text = meter_of_registers_key(key);
  if (!text || key.size() < text->size() + 1 + time_size + sizeof(DeliveryId::bytes)) return false;
  if (read.meter.text() != *text) {
    auto meter = MeterId::parse(*text);
    if (!meter) return false;
    read.meter = *std::move(meter);
  }
  key.remove_prefix(text->size() + 1);
  key.remove_suffix(sizeof(DeliveryId::bytes));
  read.current.time.at = *time_of_bytes(key.substr(0, time_size));
  key.remove_prefix(time_size);
  const auto name_end = key.find('\0');
  if (name_end == std::string_view::npos || key.size() < name_end + channel_tail_bytes)
    return false;
  auto channel = channel_of_bytes(key.substr(0, name_end + channel_tail_bytes));
  if (!channel) return false;
  read.of.channel = *std::move(channel);
  key.remove_prefix(name_end + channel_tail_bytes);
  for (auto* word : {&read.of.id, &read.of.serial}) {
    const auto end = key.find('\0');
    if (end == std::string_view::npos) return false;
    *word = key.substr(0, end);
    key.remove_prefix(end + 1);
  }
  return key.empty();
}

std::string delivery_key(const DeliveryId& id) {
  return 'd' + std::string(id.bytes.begin(), id.bytes.end());
}

std::string number_key(std::uint32_t number) {
  std::string key = "n";
  put_big_endian(number, key);
  return key;
}

std::string event_key(const DeliveryId& id, const DeliveryEvent& event) {
  std::string key = "e";
  key.append(id.bytes.begin(), id.bytes.end());
  put_big_endian(static_cast<std::uint64_t>(event.at.micros) ^ sign_bit, key);
  key += static_cast<char>(event.kind);
  return key + event.who;
}

std::optional<EventOfDelivery> parse_event(std::string_view key, std::string_view value) {
  EventOfDelivery found;
  auto& [id, event] = found;
  const std::size_t at_begin = 1 + id.bytes.size();
  const std::size_t kind_at = at_begin + sizeof(std::uint64_t);
  if (key.size() <= kind_at || key[0] != 'e') return std::nullopt;
  std::transform(key.begin() + 1, key.begin() + static_cast<std::ptrdiff_t>(at_begin),
                 id.bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  std::uint64_t at = 0;
  for (const char byte : key.substr(at_begin, sizeof(at)))
    at = at << 8 | static_cast<unsigned char>(byte);
  event.at.micros = static_cast<std::int64_t>(at ^ sign_bit);
  event.kind = static_cast<DeliveryEventKind>(key[kind_at]);
  event.who = key.substr(kind_at + 1);
  event.reason = value;
  return is_event(event) ? std::optional(std::move(found)) : std::nullopt;
}

std::string time_key(const Delivery& delivery) {
  std::string key = "t";
  put_latest_first(delivery.delivered_at, delivery, key);
  return key;
}

std::string receipt_key(const Delivery& delivery) {
  std::string key = "r";
  put_latest_first(delivery.received_at, delivery, key);
  return key;
}

std::string source_key(const Delivery& delivery) {
  std::string key = source_prefix(delivery.source);
  put_latest_first(delivery.delivered_at, delivery, key);
  return key;
}

std::string source_prefix(std::string_view source) { return 's' + std::string(source) + '\0'; }

std::optional<DeliveryId> id_of_index_key(std::string_view key) {
  DeliveryId id;
  if (key.size() < id.bytes.size()) return std::nullopt;
  std::transform(key.end() - static_cast<std::ptrdiff_t>(id.bytes.size()), key.end(),
                 id.bytes.begin(), [](char c) { return static_cast<std::uint8_t>(~c); });
  return id;
}

}  // namespace meterline::store::rocksdb
