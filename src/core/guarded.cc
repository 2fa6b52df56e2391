#include "core/guarded.h"

#include <string>
#include <utility>

namespace meterline {

Error error_of_bridge(std::string_view thrown) {
  const auto bar = thrown.find('|');
  const auto code = thrown.substr(0, bar);
  std::string text(bar == std::string_view::npos ? thrown : thrown.substr(bar + 1));
  if (code == "invalid") return {Errc::invalid_argument, std::move(text)};
  if (code == "not_found") return {Errc::not_found, std::move(text)};
  if (code == "refused") return {Errc::refused, std::move(text)};
  if (code == "corrupt") return {Errc::corrupt, std::move(text)};
  return {Errc::unavailable, std::move(text)};
}

}  // namespace meterline
