#include "formats/feed/register_steps.h"

#include <algorithm>
#include <cstdlib>

#include "formats/quick_readings.h"

namespace meterline::formats {
namespace {

/// How bad a quality is.
int rank(Quality quality) {
  switch (quality) {
    case Quality::actual:
      return 0;
    case Quality::substituted:
      return 1;
    case Quality::estimated:
      return 2;
    case Quality::missing:
      return 3;
  }
  return 0;
}

Int128 scaled(Decimal value, int exponent) {
  return Int128{value.mantissa} *
         powers_of_ten.at(static_cast<std::size_t>(value.exponent - exponent));
}

}  // namespace

/// What came to the register between two moments; empty, with the reason, where nobody knows.
std::optional<Decimal> RegisterSteps::rise(const Shown& older, const Shown& newer,
                                           Kind& fault) const {
  if (older.factor != newer.factor) {
    fault = Kind::other_factor;
    return std::nullopt;
  }
  const int exponent = std::min(older.value.exponent, newer.value.exponent);
  Int128 difference = scaled(newer.value, exponent) - scaled(older.value, exponent);
  if (difference < 0 && digits_ > 0) {
    const Int128 range =
        scaled({.mantissa = powers_of_ten.at(static_cast<std::size_t>(digits_))}, exponent);
    difference += range;
    constexpr int part = 10;
    if (difference * part >= range) difference = -1;
  }
  if (difference < 0) {
    fault = Kind::fell;
    return std::nullopt;
  }
  if (difference >= powers_of_ten.back()) {
    fault = Kind::too_large;
    return std::nullopt;
  }
  return Decimal{.mantissa = static_cast<std::int64_t>(difference),
                 .exponent = static_cast<std::int8_t>(exponent)};
}

RegisterSteps::Outcome RegisterSteps::add(const std::string& name, const Shown& now) {
  const auto [found, is_first] = series_.try_emplace(name);
  auto& series = found->second;
  if (is_first) {
    series.last = now;
    return {.kind = Kind::first};
  }
  Outcome outcome{.before = series.last};
  const auto minutes = now.minute - series.last.minute;
  if (minutes == 0) {
    outcome.kind = now.value == series.last.value ? Kind::same : Kind::differs;
    return outcome;
  }
  const int direction = minutes > 0 ? 1 : -1;
  const bool has_turned = series.direction == -direction;
  series.direction = direction;
  series.last = now;
  if (std::abs(minutes) != step_) {
    outcome.kind = has_turned ? Kind::turned : Kind::gap;
    return outcome;
  }
  series.is_lone = false;
  const auto& older = direction > 0 ? outcome.before : now;
  const auto& newer = direction > 0 ? now : outcome.before;
  const auto difference = rise(older, newer, outcome.kind);
  outcome.begin = older.minute;
  if (!difference) return outcome;
  const auto& worse = rank(older.quality) > rank(newer.quality) ? older : newer;
  outcome.kind = Kind::step;
  outcome.difference = *difference;
  outcome.quality = worse.quality;
  outcome.note = worse.note;
  return outcome;
}

}  // namespace meterline::formats
