#include "formats/espi_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/meter_id.h"

namespace meterline::formats::espi {
namespace {

/// Codes of espi.xsd.
namespace code {
constexpr int none = 0;
constexpr int electricity_secondary = 1;
constexpr int electricity_primary = 2;
constexpr int bulk_quantity = 1;
constexpr int cumulative = 3;
constexpr int delta = 4;
constexpr int forward = 1;
constexpr int net = 4;
constexpr int reverse = 19;
constexpr int maximum = 8;
constexpr int minimum = 9;
}  // namespace code

struct UnitOf {
  int uom;
  Unit unit;
  std::string_view name;  ///< Of channels, where the flow gives none.
};
/// UnitSymbolKind, as far as it is of electricity.
constexpr std::array units = {
    UnitOf{72, Unit::Wh, ""},
    UnitOf{71, Unit::VAh, "apparent"},
    UnitOf{73, Unit::varh, "reactive"},
    UnitOf{38, Unit::W, "power"},
    UnitOf{61, Unit::VA, "apparent-power"},
    UnitOf{63, Unit::var, "reactive-power"},
};

constexpr std::array<std::pair<int, std::string_view>, 6> phases = {
    {{128, "A"}, {129, "A"}, {64, "B"}, {65, "B"}, {32, "C"}, {33, "C"}}};

Flow flow_of(int direction) {
  if (direction == code::forward) return Flow::consumption;
  return direction == code::reverse ? Flow::generation : Flow::other;
}

/// `consumption`, `generation`, `net`, `flow-15`; with the unit's name before it where that is not
/// energy: `power-consumption`.
std::string flow_name(int direction) {
  if (direction == code::forward) return "consumption";
  if (direction == code::reverse) return "generation";
  if (direction == code::net) return "net";
  return direction <= code::none ? "undirected" : fmt::format("flow-{}", direction);
}

std::string name_of(const ReadingType& type, const UnitOf& unit) {
  auto name = flow_name(type.flow);
  if (!unit.name.empty()) name = fmt::format("{}-{}", unit.name, name);
  if (type.qualifier == code::maximum) name += "-max";
  if (type.qualifier == code::minimum) name += "-min";
  for (const auto& [phase, letter] : phases)
    if (type.phase == phase) name += fmt::format("-{}", letter);
  if (type.tou > 0) name += fmt::format("-tou{}", type.tou);
  if (type.tier > 0) name += fmt::format("-tier{}", type.tier);
  if (type.cpp > 0) name += fmt::format("-cpp{}", type.cpp);
  return name;
}

/// What is said in the type rules; else what the readings say, if that is one thing.
Result<int> ruling(int of_type, int none, const Said& inside, std::string_view what) {
  if (of_type != none) return of_type;
  if (inside.is_mixed)
    return fail(Errc::refused, fmt::format("its ReadingType has no {}, and its readings have "
                                           "several, or one that is no number",
                                           what));
  return inside.value.value_or(none);
}

/// That of the readings; of readings which do not say it, that of their type.
std::int64_t step_of(const ReadingType& type, const Block& block) {
  const auto said = std::find_if(block.readings.begin(), block.readings.end(),
                                 [](const Reading& reading) { return reading.duration > 0; });
  if (said != block.readings.end()) return said->duration;
  return std::max(type.interval_length, 0);
}

std::optional<std::string> reason_to_leave_out(const ReadingType& type, const Point& point) {
  if (type.is_bad) return "its ReadingType has a code that is no number";
  const bool is_electric =
      type.commodity == code::electricity_secondary || type.commodity == code::electricity_primary;
  if (type.commodity > 0 && !is_electric)
    return fmt::format("its commodity is {}, and not electricity (1, 2)", type.commodity);
  if (!is_electric && point.service_kind > 0)
    return fmt::format("its UsagePoint is of service {}, and not of electricity (0)",
                       point.service_kind);
  return std::nullopt;
}

/// What the readings say beside the type, which does not count.
std::string remark_of(const ReadingType& type, const Block& block, const Series& series) {
  const auto differs = [](int of_type, int none, const Said& inside) {
    return of_type != none && (inside.is_mixed || (inside.value && *inside.value != of_type));
  };
  if (differs(type.multiplier, ReadingType::no_multiplier, block.multiplier))
    return fmt::format(
        "powerOfTenMultiplier is {} in the ReadingType and another in the readings: "
        "that of the ReadingType counts",
        type.multiplier);
  if (differs(type.uom, -1, block.uom))
    return fmt::format(
        "uom is {} in the ReadingType and another in the readings: that of the "
        "ReadingType counts",
        type.uom);
  if (series.shape == Series::Shape::days && type.interval_length > 0 &&
      series.step != type.interval_length)
    return fmt::format("intervalLength is {} in the ReadingType, and readings last {}: that counts",
                       type.interval_length, series.step);
  return "";
}

Result<Series::Shape> shape_of(const ReadingType& type, Unit unit, std::int64_t step) {
  const auto refuse = [](std::string text) { return fail(Errc::refused, std::move(text)); };
  const bool is_state =
      type.accumulation == code::bulk_quantity || type.accumulation == code::cumulative;
  if (is_state && adds_up(unit)) return Series::Shape::register_state;
  const bool is_counted = type.accumulation <= code::none || type.accumulation == code::delta;
  if (is_state || (adds_up(unit) && !is_counted))
    return refuse(
        fmt::format("its accumulationBehaviour {} with uom {} is neither energy of an "
                    "interval (4) nor the state of a register (1, 3)",
                    type.accumulation, type.uom));
  constexpr std::int64_t hour = 3600;
  if (step % 60 == 0 && step <= hour && IntervalLength::from_minutes(static_cast<int>(step / 60)))
    return Series::Shape::days;
  if (step == 0)
    return refuse("neither its readings nor its ReadingType say how long intervals are");
  if (step < hour)
    return refuse(
        fmt::format("intervals of {} seconds are none of 1, 5, 10, 15, 30 and 60 minutes", step));
  if (!adds_up(unit))
    return refuse(
        fmt::format("{} of {} seconds is a demand, and no interval of a day", text_of(unit), step));
  return Series::Shape::counted;
}

std::string_view behind_resource(std::string_view path) {
  constexpr std::string_view resource = "resource/";
  const auto at = path.find(resource);
  return at == std::string_view::npos ? path : path.substr(at + resource.size());
}

}  // namespace

Result<Series> series_of(const ReadingType& type, const Point& point, const Block& block) {
  if (auto reason = reason_to_leave_out(type, point))
    return fail(Errc::refused, *std::move(reason));
  const auto uom = ruling(type.uom, -1, block.uom, "uom");
  if (!uom) return fail(Errc::refused, uom.error().message);
  const auto multiplier =
      ruling(type.multiplier, ReadingType::no_multiplier, block.multiplier, "powerOfTenMultiplier");
  if (!multiplier) return fail(Errc::refused, multiplier.error().message);
  const auto* const unit =
      std::find_if(units.begin(), units.end(), [&](const UnitOf& of) { return of.uom == *uom; });
  if (unit == units.end())
    return fail(Errc::refused,
                fmt::format("its unit (uom) is {}, and none of 72 Wh, 71 VAh, 73 varh, 38 W, 61 VA "
                            "and 63 var",
                            *uom));
  const int power = *multiplier == ReadingType::no_multiplier ? 0 : *multiplier;
  constexpr int power_max = 12;
  if (power < -power_max || power > power_max)
    return fail(Errc::refused, fmt::format("its powerOfTenMultiplier is {}", power));
  Series series{
      .channel = {.name = name_of(type, *unit),
                  .flow = unit->unit == Unit::varh || unit->unit == Unit::var ? Flow::reactive
                                                                              : flow_of(type.flow),
                  .unit = unit->unit},
      .step = step_of(type, block),
      .multiplier = power};
  if (series.channel.name.size() > channel_name_chars_max)
    return fail(Errc::refused, "what its ReadingType says makes too long a name of a channel");
  const auto shape = shape_of(type, unit->unit, series.step);
  if (!shape) return fail(Errc::refused, shape.error().message);
  series.shape = *shape;
  if (0 <= type.default_quality && type.default_quality <= quality_code_max)
    series.default_quality = type.default_quality;
  series.remark = remark_of(type, block, series);
  return series;
}

bool are_same_quantity(const ReadingType& a, const ReadingType& b) {
  auto same = a;
  same.multiplier = b.multiplier;
  same.default_quality = b.default_quality;
  return same == b;
}

std::string meter_text_of(const Point& point) {
  constexpr std::string_view name = "UsagePoint/";
  constexpr std::size_t own_name_chars_min = 4;
  std::string_view text = behind_resource(point.path);
  const auto at = text.rfind(name);
  const auto id = at == std::string_view::npos ? text : text.substr(at + name.size());
  if (id.size() >= own_name_chars_min) text = id;
  if (text.empty()) text = point.title;
  std::string meter;
  for (const char c : text) {
    if (is_meter_id_text({&c, 1}))
      meter += c;
    else if (c == '/')
      meter += ':';
    else if (c == '%' || c == ' ')
      meter += c == ' ' ? '_' : '.';
    else
      meter += fmt::format(".{:02X}", static_cast<unsigned char>(c));
  }
  return meter;
}

Quality quality_of(std::uint8_t code) {
  switch (code) {
    case no_quality:
    case 0:   // valid
    case 10:  // questionable
    case 14:  // raw
    case 17:  // validated
    case 18:  // verified
    case 19:  // revenue quality
      return Quality::actual;
    case 8:   // estimated using a reference day
    case 9:   // estimated using linear interpolation
    case 12:  // projected
    case 13:  // mixed
      return Quality::estimated;
    default:  // 7 manually edited, 11 derived, 15 normalized for weather, 16 other, and unknown
              // ones
      return Quality::substituted;
  }
}

}  // namespace meterline::formats::espi
