#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meterline::formats {

/// How a file's characters are written.
enum class Encoding : std::uint8_t { utf8, utf16le, utf16be, windows1252 };

/// The character of a byte in Windows-1252; of those that have none, the one that browsers take.
/// Source: the Encoding Standard (index-windows-1252).
std::uint32_t windows1252_character(unsigned char byte);

/// Turns text of some encoding into UTF-8, piece by piece. What is no character becomes U+FFFD.
class Utf8Maker {
 public:
  explicit Utf8Maker(Encoding from) : from_(from) {}

  /// Appends what is known of the characters so far. A byte order mark stays: it is a character.
  void add(std::string_view bytes, std::string& out);

 private:
  void add_unit(std::uint32_t unit, std::string& out);

  Encoding from_;
  std::uint32_t high_ = 0;  ///< The first half of a surrogate pair.
  bool has_byte_ = false;   ///< The first half of a unit of two bytes is in byte_.
  unsigned char byte_ = 0;
};

}  // namespace meterline::formats
