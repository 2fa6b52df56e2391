#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "core/decimal.h"

namespace meterline {

/// Writes JSON text without blanks. It places the commas; that objects and arrays are closed
/// and members have keys is up to the caller. See docs/decisions/0005-exact-numbers-in-json.md.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  /// Bytes that are not UTF-8 become U+FFFD, so that the text is always valid JSON.
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const Sum& sum) { return raw(sum.text()); }
  template <std::integral T>
  JsonWriter& value(T number) {
    if constexpr (std::same_as<T, bool>) return raw(number ? "true" : "false");
    return raw(std::to_string(number));
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : raw("null");
  }

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& raw(std::string_view text);
  void separate();

  std::string out_;
  bool comma_ = false;  ///< A value stands before the next one.
};

}  // namespace meterline
