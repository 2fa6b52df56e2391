#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace meterline::store {

/// Bits are packed from the lowest bit of the first byte on.
class BitWriter {
 public:
  explicit BitWriter(unsigned char* at) : at_(at) {}

  /// Appends the low `count` bits of `bits`; the others must be 0. `count` is at most 32.
  void put(std::uint64_t bits, int count) {
    window_ |= bits << filled_;
    filled_ += count;
    if (filled_ >= 32) {
      const auto low = static_cast<std::uint32_t>(window_);
      std::memcpy(at_, &low, 4);
      at_ += 4;
      window_ >>= 32;
      filled_ -= 32;
    }
  }

  /// Fills the last byte with zero bits and returns the end of what was written.
  unsigned char* finish() {
    for (; filled_ > 0; filled_ -= 8, window_ >>= 8) *at_++ = static_cast<unsigned char>(window_);
    return at_;
  }

 private:
  unsigned char* at_;
  std::uint64_t window_ = 0;
  int filled_ = 0;
};
static_assert(std::endian::native == std::endian::little, "the bit order assumes little-endian");

/// Reads what BitWriter wrote. Beyond the end it reads zero bits; overrun() tells.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  /// `count` is at most 32.
  std::uint64_t take(int count) {
    refill();
    const std::uint64_t bits = window_ & ((std::uint64_t{1} << count) - 1);
    drop(count);
    return bits;
  }

  /// Counts the ones before the next zero and drops them with it; at `max` ones it stops, and
  /// there is no zero to drop. `max` is at most 32.
  int take_ones(int max) {
    refill();
    const int ones = std::countr_one(window_);
    if (ones >= max) {
      drop(max);
      return max;
    }
    drop(ones + 1);
    return ones;
  }

  bool overrun() const { return taken_ > given_; }
  /// Whether every byte was used, and the last one's unused bits are zero.
  bool at_end() const {
    return at_ == end_ && taken_ <= given_ && given_ - taken_ < 8 && window_ == 0;
  }

 private:
  void refill() {
    if (filled_ >= 32) return;
    if (end_ - at_ >= 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, at_, 4);
      add(word, 4);
      return;
    }
    while (at_ < end_ && filled_ < 32) add(static_cast<unsigned char>(*at_), 1);
  }
  void add(std::uint64_t bits, int bytes) {
    window_ |= bits << filled_;
    filled_ += 8 * bytes;
    given_ += 8 * bytes;
    at_ += bytes;
  }
  void drop(int count) {
    window_ >>= count;
    filled_ = filled_ > count ? filled_ - count : 0;
    taken_ += count;
  }

  const char* at_;
  const char* end_;
  std::uint64_t window_ = 0;
  int filled_ = 0;
  std::int64_t given_ = 0;
  std::int64_t taken_ = 0;
};

/// Unsigned LEB128: seven bits a byte, lowest first, the high bit set on all but the last.
inline void put_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

/// Takes a varint off the front of `bytes`; empty when there is none or it exceeds 64 bits.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
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

/// Signed as unsigned, so that small negative numbers stay small: 0, -1, 1, -2, ...
inline std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

}  // namespace meterline::store
