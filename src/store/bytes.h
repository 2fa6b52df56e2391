#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "store/bits.h"

namespace meterline::store {

/// Appends values to bytes.
class ByteWriter {
 public:
  /// `out` must outlive it.
  explicit ByteWriter(std::string& out) : out_(out) {}

  void byte(std::uint8_t value) { out_ += static_cast<char>(value); }
  void varint(std::uint64_t value) { put_varint(value, out_); }
  void number(std::int64_t value) { put_varint(zigzag(value), out_); }
  void sized(std::string_view bytes) { put_sized(bytes, out_); }
  template <class Bytes>
  void raw(const Bytes& bytes) {
    out_.append(bytes.begin(), bytes.end());
  }

 private:
  std::string& out_;
};

/// Takes what ByteWriter wrote off the front of bytes, and never reads past their end, whatever
/// they are. After the first failure everything is zero or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() {
    const auto one = bytes(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  /// A greater one than `max` is a failure.
  std::uint64_t varint(std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) {
    const auto value = take_varint(rest_);
    if (value && *value <= max) return *value;
    refuse();
    return 0;
  }
  std::int64_t number() { return unzigzag(varint()); }
  std::string_view sized(std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) {
    return bytes(varint(max));
  }
  std::string_view bytes(std::uint64_t count) {
    if (count > rest_.size()) {
      refuse();
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  /// What is not taken yet, for who takes of it himself.
  std::string_view& rest() { return rest_; }
  bool at_end() const { return rest_.empty(); }
  /// Makes it a failure.
  void refuse() {
    ok_ = false;
    rest_ = {};
  }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace meterline::store
