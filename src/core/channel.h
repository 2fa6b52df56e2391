#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace meterline {

/// Which way the energy goes. The numbers are stored: they never change meaning.
enum class Flow : std::uint8_t {
  consumption = 0,  ///< Grid to customer.
  generation = 1,   ///< Customer to grid.
  reactive = 2,
  other = 3,
};

/// The numbers are stored: they never change meaning.
enum class Unit : std::uint8_t {
  unknown = 0,  ///< The file did not say; shown as null.
  Wh = 1,
  kWh = 2,
  MWh = 3,
  varh = 4,
  kvarh = 5,
  Mvarh = 6,
  VAh = 7,
  kVAh = 8,
  MVAh = 9,
  W = 10,
  kW = 11,
  MW = 12,
  var = 13,
  kvar = 14,
  Mvar = 15,
  VA = 16,
  kVA = 17,
  MVA = 18,
  m3 = 19,  ///< Gas and water.
};
inline constexpr Unit last_unit = Unit::m3;

std::string_view text_of(Flow flow);
std::string_view text_of(Unit unit);  ///< Empty for unknown.
std::optional<Flow> parse_flow(std::string_view text);
std::optional<Unit> parse_unit(std::string_view text);  ///< Case does not count; `m³` is m3.

/// Readings in `unit` are kept in `kept`: one reading is value * 10^exponent there. Units of one
/// quantity (Wh, kWh, MWh) are kept in one (kWh), so that they are one channel.
struct KeptUnit {
  Unit kept = Unit::unknown;
  int exponent = 0;  ///< -3, 0 or 3
};
KeptUnit kept_unit(Unit unit);

/// Whether readings of several intervals add up: those of energy and of volume do, and those of
/// power, which is a mean over its interval, do not.
bool adds_up(Unit unit);

/// What a load may be told of its readings: a unit, or `unknown`, which means that they have none.
std::optional<Unit> parse_unit_choice(std::string_view text);  ///< Case does not count.
std::string_view choice_text(Unit unit);                       ///< As parse_unit_choice() takes it.
inline constexpr std::string_view unit_choices =
    "Wh, kWh, MWh, varh, kvarh, Mvarh, VAh, kVAh, MVAh, W, kW, MW, var, kvar, Mvar, VA, kVA, MVA, "
    "m3, unknown";

inline constexpr std::size_t channel_name_chars_max = 32;

/// Of what a format gives without naming it.
inline constexpr std::string_view default_channel_name = "consumption";

/// One measured quantity of a meter. Two channels that differ in flow or unit are two
/// channels, so no sum ever mixes them.
struct Channel {
  std::string name{default_channel_name};  ///< 1-32 characters, the same as in a MeterId.
  Flow flow = Flow::consumption;
  Unit unit = Unit::unknown;

  auto operator<=>(const Channel&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Channel& c) {
    return out << c.name << '/' << text_of(c.flow) << '/' << text_of(c.unit);
  }
};

/// The longest serial number of a device and id of a register, in bytes. NEM12 and NEM13 allow 12
/// and 10 characters (AEMO MDFF specification, records 200 and 250).
inline constexpr std::size_t register_word_bytes_max = 64;

/// What a source says of a channel beside its readings. Something is said; words are valid UTF-8
/// without control characters, and empty where the source says nothing.
struct ChannelFacts {
  std::string serial;       ///< Of the device that measured, which may be exchanged.
  std::string register_id;  ///< Its register, as the source names it.
  std::optional<Unit>
      sent;  ///< The unit in which the readings came, where they are kept in another.

  bool operator==(const ChannelFacts&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const ChannelFacts& facts);
};

/// Why they cannot be kept; empty when they can.
std::optional<std::string_view> fault_of(const ChannelFacts& facts);

}  // namespace meterline
