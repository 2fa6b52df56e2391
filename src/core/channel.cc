#include "core/channel.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace meterline {
namespace {

constexpr std::array<std::string_view, 4> flows = {"consumption", "generation", "reactive",
                                                   "other"};
struct UnitKind {
  std::string_view name;
  KeptUnit kept;
  bool adds_up = true;
};
/// Each at the place of its number.
constexpr std::array units = {
    UnitKind{.name = "", .kept = {Unit::unknown, 0}},
    UnitKind{.name = "Wh", .kept = {Unit::kWh, -3}},
    UnitKind{.name = "kWh", .kept = {Unit::kWh, 0}},
    UnitKind{.name = "MWh", .kept = {Unit::kWh, 3}},
    UnitKind{.name = "varh", .kept = {Unit::kvarh, -3}},
    UnitKind{.name = "kvarh", .kept = {Unit::kvarh, 0}},
    UnitKind{.name = "Mvarh", .kept = {Unit::kvarh, 3}},
    UnitKind{.name = "VAh", .kept = {Unit::kVAh, -3}},
    UnitKind{.name = "kVAh", .kept = {Unit::kVAh, 0}},
    UnitKind{.name = "MVAh", .kept = {Unit::kVAh, 3}},
    UnitKind{.name = "W", .kept = {Unit::kW, -3}, .adds_up = false},
    UnitKind{.name = "kW", .kept = {Unit::kW, 0}, .adds_up = false},
    UnitKind{.name = "MW", .kept = {Unit::kW, 3}, .adds_up = false},
    UnitKind{.name = "var", .kept = {Unit::kvar, -3}, .adds_up = false},
    UnitKind{.name = "kvar", .kept = {Unit::kvar, 0}, .adds_up = false},
    UnitKind{.name = "Mvar", .kept = {Unit::kvar, 3}, .adds_up = false},
    UnitKind{.name = "VA", .kept = {Unit::kVA, -3}, .adds_up = false},
    UnitKind{.name = "kVA", .kept = {Unit::kVA, 0}, .adds_up = false},
    UnitKind{.name = "MVA", .kept = {Unit::kVA, 3}, .adds_up = false},
    UnitKind{.name = "m3", .kept = {Unit::m3, 0}},
};
static_assert(units.size() == static_cast<std::size_t>(last_unit) + 1);
constexpr std::string_view cubic_metre = "m³";
constexpr std::string_view unknown_choice = "unknown";

const UnitKind& kind_of(Unit unit) { return units.at(static_cast<std::size_t>(unit)); }

}  // namespace

std::string_view text_of(Flow flow) { return flows.at(static_cast<std::size_t>(flow)); }
std::string_view text_of(Unit unit) { return kind_of(unit).name; }
KeptUnit kept_unit(Unit unit) { return kind_of(unit).kept; }
bool adds_up(Unit unit) { return kind_of(unit).adds_up; }

std::optional<Flow> parse_flow(std::string_view text) {
  const auto* found = std::find(flows.begin(), flows.end(), text);
  if (found == flows.end()) return std::nullopt;
  return static_cast<Flow>(found - flows.begin());
}

std::optional<Unit> parse_unit(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (same_letters(text, cubic_metre)) return Unit::m3;
  const auto* found = std::find_if(units.begin(), units.end(), [&](const UnitKind& unit) {
    return same_letters(unit.name, text);
  });
  if (found == units.end()) return std::nullopt;
  return static_cast<Unit>(found - units.begin());
}

std::optional<Unit> parse_unit_choice(std::string_view text) {
  return same_letters(text, unknown_choice) ? Unit::unknown : parse_unit(text);
}

std::string_view choice_text(Unit unit) {
  return unit == Unit::unknown ? unknown_choice : text_of(unit);
}

std::ostream& operator<<(std::ostream& out, const ChannelFacts& facts) {
  out << "device " << facts.serial << " register " << facts.register_id;
  if (facts.sent) out << " sent in " << text_of(*facts.sent);
  return out;
}

std::optional<std::string_view> fault_of(const ChannelFacts& facts) {
  if (facts == ChannelFacts()) return "nothing is said of the channel";
  for (const auto* word : {&facts.serial, &facts.register_id}) {
    if (word->size() > register_word_bytes_max) return "a register id or serial number is too long";
    if (!is_clean_text(*word))
      return "a register id or serial number is not UTF-8, or has control characters";
  }
  return std::nullopt;
}

}  // namespace meterline
