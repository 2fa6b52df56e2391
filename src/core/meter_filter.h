#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/meter_id.h"
#include "core/result.h"

namespace meterline {

/// More names and beginnings than this are `too_large` for a MeterFilter, but where its maker takes
/// more.
inline constexpr std::size_t filter_patterns_max = 10'000;

/// Some meters, by their names and by how their names begin. A default-made one has none.
class MeterFilter {
 public:
  /// What it names: one meter, or all whose ids begin so.
  struct Part {
    std::string text;
    bool is_prefix = false;
    auto operator<=>(const Part&) const = default;
  };

  MeterFilter() = default;
  static MeterFilter all();
  /// Of patterns like `EE00027`, and `EE0*` for all ids that begin so; `*` for all. Errors:
  /// `invalid_argument` names the pattern that is none; `too_large`.
  static Result<MeterFilter> parse(std::span<const std::string> patterns,
                                   std::size_t patterns_max = filter_patterns_max);
  /// Whether parse() takes it.
  static bool is_pattern(std::string_view text);

  bool admits(std::string_view meter) const;
  bool admits(const MeterId& meter) const { return admits(meter.text()); }
  bool is_all() const;

  /// Ascending, and no meter is in two of them.
  const std::vector<Part>& parts() const { return parts_; }
  /// The names, ascending, where no beginning is among the parts.
  std::optional<std::span<const MeterId>> names() const;

 private:
  std::vector<Part> parts_;
  std::vector<MeterId> names_;  ///< Of the parts that are no prefixes.
};

}  // namespace meterline
