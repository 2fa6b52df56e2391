#include "store/packed_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "store/bits.h"

namespace meterline::store {
namespace {

/// An offset, or where that is empty, a name.
struct Parts {
  std::optional<std::int64_t> offset;
  std::string_view name;
};

std::optional<Parts> take_parts(std::string_view& bytes) {
  const auto head = take_varint(bytes);
  if (!head) return std::nullopt;
  if (*head % 2 == 1) return Parts{.offset = unzigzag(*head >> 1), .name = {}};
  const auto size = *head >> 1;
  if (size == 0 || size > time_zone_name_chars_max || size > bytes.size()) return std::nullopt;
  const Parts parts{.offset = std::nullopt, .name = bytes.substr(0, size)};
  bytes.remove_prefix(size);
  return parts;
}

}  // namespace

unsigned char* put_zone(TimeZone zone, unsigned char* at) {
  if (zone.is_fixed()) return put_varint(zigzag(zone.offset_minutes()) << 1 | 1, at);
  const auto name = zone.text();
  at = put_varint(name.size() << 1, at);
  return std::copy(name.begin(), name.end(), at);
}

void put_zone(TimeZone zone, std::string& out) {
  std::array<unsigned char, zone_bytes_max> bytes;
  const auto* const end = put_zone(zone, bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::size_t>(end - bytes.data()));
}

Result<TimeZone> take_zone(std::string_view& bytes) {
  const auto parts = take_parts(bytes);
  const auto damaged = [] { return fail(Errc::corrupt, "packed day: a damaged time zone"); };
  if (!parts) return damaged();
  if (parts->offset) {
    if (*parts->offset < -time_zone_offset_minutes_max ||
        *parts->offset > time_zone_offset_minutes_max)
      return damaged();
    return TimeZone::of_offset(static_cast<int>(*parts->offset));
  }
  auto zone = TimeZone::parse(parts->name);
  if (!zone || zone->is_fixed()) {
    if (zone) return damaged();
    return fail(Errc::corrupt,
                "packed day: its time zone is damaged or missing here: " + zone.error().message);
  }
  return zone;
}

TimeZone take_zone(ByteReader& in) {
  const auto zone = take_zone(in.rest());
  if (!zone) in.refuse();
  return zone.value_or(TimeZone());
}

bool pass_zone(std::string_view& bytes) { return take_parts(bytes).has_value(); }

}  // namespace meterline::store
