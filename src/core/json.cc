#include "core/json.h"

#include <fmt/core.h>

#include <boost/json/parse.hpp>
// The library itself: this is the one place that compiles it.
#include <boost/json/src.hpp>
#include <charconv>

namespace meterline {

Result<boost::json::value> parse_json(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    return fail(Errc::refused, fmt::format("wanted at most {} bytes of JSON, there are {}",
                                           bytes_max, text.size()));
  boost::json::error_code error;
  auto value = boost::json::parse(text, error, {}, {.max_depth = json_depth_max});
  if (error) return fail(Errc::refused, "wanted JSON: " + error.message());
  return value;
}

const boost::json::value* find_member(const boost::json::value& value,
                                      std::initializer_list<std::string_view> path) {
  const boost::json::value* at = &value;
  for (const std::string_view name : path) {
    const auto* object = at->if_object();
    if (object == nullptr) return nullptr;
    at = object->if_contains(name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::optional<std::string_view> find_text(const boost::json::value& value,
                                          std::initializer_list<std::string_view> path) {
  const auto* found = find_member(value, path);
  const auto* text = found == nullptr ? nullptr : found->if_string();
  if (text == nullptr) return std::nullopt;
  return std::string_view(text->data(), text->size());
}

std::optional<std::int64_t> find_number(const boost::json::value& value,
                                        std::initializer_list<std::string_view> path) {
  if (const auto text = find_text(value, path)) {
    std::int64_t number = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
  }
  const auto* found = find_member(value, path);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return found->get_int64();
}

}  // namespace meterline
