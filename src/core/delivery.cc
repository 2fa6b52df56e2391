#include "core/delivery.h"

#include <charconv>

namespace meterline {

std::uint64_t tie_of(const ContentHash& content) {
  std::uint64_t tie = 0;
  for (std::size_t i = 0; i < 8; ++i) tie = tie << 8 | content[i];
  return tie;
}

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(count * 2);
  for (std::size_t i = 0; i < count; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

RowCounts& RowCounts::operator+=(const RowCounts& other) {
  read += other.read;
  stored += other.stored;
  repeated += other.repeated;
  rejected += other.rejected;
  return *this;
}

ReadingCounts& ReadingCounts::operator+=(const ReadingCounts& other) {
  read += other.read;
  stored += other.stored;
  missing += other.missing;
  repeated += other.repeated;
  rejected += other.rejected;
  return *this;
}

std::string DeliveryId::text() const { return hex(bytes.data(), bytes.size()); }

std::optional<DeliveryId> DeliveryId::parse(std::string_view text) {
  DeliveryId id;
  if (text.size() != id.bytes.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const char* pair = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(pair, pair + 2, id.bytes[i], 16);
    if (error != std::errc() || end != pair + 2) return std::nullopt;
  }
  return id;
}

std::string_view text_of(DeliveryState state) {
  constexpr std::array<std::string_view, 4> names = {"stored", "refused", "skipped", "failed"};
  return names.at(static_cast<std::size_t>(state));
}

}  // namespace meterline
