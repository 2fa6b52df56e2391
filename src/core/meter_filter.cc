#include "core/meter_filter.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>

namespace meterline {
namespace {

std::optional<MeterFilter::Part> parse_part(std::string_view pattern) {
  const bool is_prefix = pattern.ends_with('*');
  if (is_prefix) pattern.remove_suffix(1);
  const bool is_text = pattern.size() <= meter_id_chars_max && is_meter_id_text(pattern);
  if (!is_text || (pattern.empty() && !is_prefix)) return std::nullopt;
  return MeterFilter::Part{.text = std::string(pattern), .is_prefix = is_prefix};
}

bool covers(const MeterFilter::Part& part, std::string_view meter) {
  return part.is_prefix ? meter.starts_with(part.text) : meter == part.text;
}

}  // namespace

MeterFilter MeterFilter::all() {
  MeterFilter filter;
  filter.parts_.push_back({.text = "", .is_prefix = true});
  return filter;
}

bool MeterFilter::is_pattern(std::string_view text) { return parse_part(text).has_value(); }

Result<MeterFilter> MeterFilter::parse(std::span<const std::string> patterns,
                                       std::size_t patterns_max) {
  if (patterns.size() > patterns_max)
    return fail(Errc::too_large, fmt::format("{} meters and beginnings of meters, at most {} are "
                                             "taken: name a beginning, like EE0*",
                                             patterns.size(), patterns_max));
  std::vector<Part> parts;
  parts.reserve(patterns.size());
  for (const auto& pattern : patterns) {
    auto part = parse_part(pattern);
    if (!part)
      return fail(Errc::invalid_argument,
                  fmt::format("\"{}\" names no meters: want an id like EE00027, or how ids begin, "
                              "like EE0*; 1-64 characters of A-Z a-z 0-9 _ - . :",
                              std::string_view(pattern).substr(0, meter_id_chars_max)));
    parts.push_back(*std::move(part));
  }
  // A prefix stands before all that begins with it; before the same name, too.
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return a.text != b.text ? a.text < b.text : a.is_prefix > b.is_prefix;
  });
  MeterFilter filter;
  filter.parts_.reserve(parts.size());
  for (auto& part : parts)
    if (filter.parts_.empty() || !covers(filter.parts_.back(), part.text))
      filter.parts_.push_back(std::move(part));
  filter.names_.reserve(filter.parts_.size());
  for (const auto& part : filter.parts_)
    if (!part.is_prefix) filter.names_.push_back(*MeterId::parse(part.text));
  return filter;
}

/// No part covers another, so that only the last one that is not behind the meter can cover it.
bool MeterFilter::admits(std::string_view meter) const {
  const auto behind =
      std::upper_bound(parts_.begin(), parts_.end(), meter,
                       [](std::string_view id, const Part& part) { return id < part.text; });
  return behind != parts_.begin() && covers(*std::prev(behind), meter);
}

bool MeterFilter::is_all() const { return !parts_.empty() && parts_.front().text.empty(); }

std::optional<std::span<const MeterId>> MeterFilter::names() const {
  assert(names_.size() <= parts_.size());
  if (names_.size() != parts_.size()) return std::nullopt;
  return names_;
}

}  // namespace meterline
