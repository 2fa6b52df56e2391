#include "core/meter_id.h"

#include <algorithm>
#include <array>

namespace meterline {
namespace {

constexpr auto allowed = [] {
  std::array<bool, 256> table{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

}  // namespace

bool is_meter_id_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return allowed[static_cast<unsigned char>(c)]; });
}

std::optional<MeterId> MeterId::parse(std::string_view text) {
  if (text.empty() || text.size() > meter_id_chars_max || !is_meter_id_text(text))
    return std::nullopt;
  return MeterId(text);
}

}  // namespace meterline
