#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace meterline {

inline constexpr std::size_t meter_id_chars_max = 64;

/// The metered point (NMI, MPAN, ICP, usage point): 1-64 characters of `A-Z a-z 0-9 _ - . :`.
/// Case is kept and counts. A default-made one is empty and names no meter.
class MeterId {
 public:
  MeterId() = default;
  /// Empty when the text is not a meter id.
  static std::optional<MeterId> parse(std::string_view text);

  const std::string& text() const { return text_; }
  auto operator<=>(const MeterId&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const MeterId& m) { return out << m.text_; }

 private:
  explicit MeterId(std::string_view text) : text_(text) {}
  std::string text_;
};

/// Whether every character may stand in a meter id; says nothing of the length.
bool is_meter_id_text(std::string_view text);

}  // namespace meterline
