#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace meterline::store {

static_assert(std::endian::native == std::endian::little, "the bit order assumes little-endian");

/// Eight bytes as a number, the first byte lowest.
inline std::uint64_t load_word(const unsigned char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
inline void store_word(std::uint64_t word, unsigned char* at) {
  std::memcpy(at, &word, sizeof word);
}

/// The lowest `count` bits set; `count` is at most 63.
constexpr std::uint64_t low_bits(int count) { return (std::uint64_t{1} << count) - 1; }

/// Packs bits from the lowest bit of the first byte on. Writes whole words: up to eight bytes
/// beyond the end are overwritten.
class BitWriter {
 public:
  static constexpr int put_max = 56;
  explicit BitWriter(unsigned char* at) : at_(at) {}

  /// Appends the low `count` bits of `bits`; the others must be 0. `count` is at most put_max.
  void put(std::uint64_t bits, int count) {
    window_ |= bits << filled_;
    store_word(window_, at_);
    filled_ += count;
    at_ += filled_ >> 3;
    window_ >>= filled_ & ~7;
    filled_ &= 7;
  }

  /// The end of what was written: the last byte is filled with zero bits.
  unsigned char* finish() const { return at_ + (filled_ > 0 ? 1 : 0); }

 private:
  unsigned char* at_;
  std::uint64_t window_ = 0;
  int filled_ = 0;  ///< Below 8 between calls.
};

/// Unsigned LEB128: seven bits a byte, lowest first, the high bit set on all but the last.
inline void put_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
/// The same to `at`; returns the end.
inline unsigned char* put_varint(std::uint64_t value, unsigned char* at) {
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<unsigned char>(value | 0x80);
  *at++ = static_cast<unsigned char>(value);
  return at;
}

/// Takes a varint off the front of `bytes`; empty when there is none or it exceeds 64 bits.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  if (!bytes.empty() && static_cast<unsigned char>(bytes[0]) < 0x80) {  // As most are.
    value = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
    return value;
  }
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (i == 9 && byte > 1) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

/// Appends the size as a varint, and the bytes.
inline void put_sized(std::string_view bytes, std::string& out) {
  put_varint(bytes.size(), out);
  out += bytes;
}

/// Takes a varint off the front of `bytes`, and as many bytes as it says.
inline std::optional<std::string_view> take_sized(std::string_view& bytes) {
  const auto size = take_varint(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const auto taken = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return taken;
}

/// Signed as unsigned, so that small negative numbers stay small: 0, -1, 1, -2, ...
inline std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

}  // namespace meterline::store
