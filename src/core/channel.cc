#include "core/channel.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace meterline {
namespace {

constexpr std::array<std::string_view, 4> flows = {"consumption", "generation", "reactive",
                                                   "other"};
constexpr std::array<std::string_view, 10> units = {"",      "Wh",    "kWh", "MWh",  "varh",
                                                    "kvarh", "Mvarh", "VAh", "kVAh", "MVAh"};
constexpr std::string_view unknown_choice = "unknown";

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

std::string_view text_of(Flow flow) { return flows.at(static_cast<std::size_t>(flow)); }
std::string_view text_of(Unit unit) { return units.at(static_cast<std::size_t>(unit)); }

std::optional<Flow> parse_flow(std::string_view text) {
  const auto* found = std::find(flows.begin(), flows.end(), text);
  if (found == flows.end()) return std::nullopt;
  return static_cast<Flow>(found - flows.begin());
}

std::optional<Unit> parse_unit(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto* found = std::find_if(units.begin(), units.end(),
                                   [&](std::string_view unit) { return same_letters(unit, text); });
  if (found == units.end()) return std::nullopt;
  return static_cast<Unit>(found - units.begin());
}

std::optional<Unit> parse_unit_choice(std::string_view text) {
  return same_letters(text, unknown_choice) ? Unit::unknown : parse_unit(text);
}

std::string_view choice_text(Unit unit) {
  return unit == Unit::unknown ? unknown_choice : text_of(unit);
}

}  // namespace meterline
