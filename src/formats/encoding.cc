#include "formats/encoding.h"

#include <array>
#include <cstddef>

namespace meterline::formats {
namespace {

constexpr std::uint32_t no_character = 0xFFFD;

/// 0x80 to 0x9F.
constexpr std::array<std::uint16_t, 32> windows_1252 = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

void put(std::uint32_t character, std::string& out) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  const auto more = [&](int shift) { byte(0x80 | ((character >> shift) & 0x3F)); };
  if (character < 0x80) return byte(character);
  if (character < 0x800) {
    byte(0xC0 | (character >> 6));
    return more(0);
  }
  if (character < 0x10000) {
    byte(0xE0 | (character >> 12));
    more(6);
    return more(0);
  }
  byte(0xF0 | (character >> 18));
  more(12);
  more(6);
  more(0);
}

bool is_high(std::uint32_t unit) { return unit >> 10 == 0xD800 >> 10; }
bool is_low(std::uint32_t unit) { return unit >> 10 == 0xDC00 >> 10; }

}  // namespace

std::uint32_t windows1252_character(unsigned char byte) {
  return 0x80 <= byte && byte < 0xA0 ? windows_1252.at(byte - std::size_t{0x80}) : byte;
}

void Utf8Maker::add_unit(std::uint32_t unit, std::string& out) {
  if (high_ != 0) {
    const auto high = high_;
    high_ = 0;
    if (is_low(unit)) return put(0x10000 + ((high & 0x3FF) << 10) + (unit & 0x3FF), out);
    put(no_character, out);
  }
  if (is_high(unit)) {
    high_ = unit;
    return;
  }
  put(is_low(unit) ? no_character : unit, out);
}

void Utf8Maker::add(std::string_view bytes, std::string& out) {
  if (from_ == Encoding::utf8) {
    out += bytes;
    return;
  }
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (from_ == Encoding::windows1252) {
      put(windows1252_character(byte), out);
      continue;
    }
    if (!has_byte_) {
      byte_ = byte;
      has_byte_ = true;
      continue;
    }
    has_byte_ = false;
    const std::uint32_t low = from_ == Encoding::utf16le ? byte_ : byte;
    const std::uint32_t high = from_ == Encoding::utf16le ? byte : byte_;
    add_unit(high << 8 | low, out);
  }
}

}  // namespace meterline::formats
