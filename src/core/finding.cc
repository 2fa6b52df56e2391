#include "core/finding.h"

#include <fmt/core.h>

#include <array>

#include "core/text.h"

namespace meterline {
namespace {

/// C0, DEL and C1 (U+0080 to U+009F): a terminal may act on any of them.
bool starts_with_control(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead == 0xC2 && text.size() > 1) return static_cast<unsigned char>(text[1]) < 0xA0;
  return lead < 0x20 || lead == 0x7F;
}

}  // namespace

std::string_view text_of(FindingScope scope) {
  constexpr std::array<std::string_view, 4> names = {"reading", "row", "block", "file"};
  return names.at(static_cast<std::size_t>(scope));
}

std::string_view text_of(FindingSeverity severity) {
  constexpr std::array<std::string_view, 3> names = {"note", "warning", "loss"};
  return names.at(static_cast<std::size_t>(severity));
}

std::string excerpt_of(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto lead = static_cast<unsigned char>(text.front());
    const bool printable = length > 0 && !starts_with_control(text);
    const std::string piece =
        printable ? std::string(text.substr(0, length)) : fmt::format("\\x{:02X}", lead);
    if (out.size() + piece.size() > excerpt_bytes_max) return out + "...";
    out += piece;
    text.remove_prefix(printable ? length : 1);
  }
  return out;
}

}  // namespace meterline
