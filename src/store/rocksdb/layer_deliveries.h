#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace meterline::store {

inline constexpr std::uint32_t month_days_max = 31;

/// The delivery numbers of the days of a layer, in month blocks and in months of totals. The days
/// of one delivery cost one number, and so do days of which each came with the delivery after that
/// of the day before, as a folder of daily files gives them. docs/store.md has the layout.
class LayerDeliveries {
 public:
  /// Takes those of `count` days, 1 to month_days_max, off the front of `bytes`; false when they
  /// are damaged. Never reads past the end.
  bool take(std::string_view& bytes, std::size_t count);

  /// Of the day with `rank` days before it.
  std::uint32_t at(std::size_t rank) const {
    return mode_ == Mode::steps ? numbers_[rank]
                                : first_ + (mode_ == Mode::rising ? std::uint32_t(rank) : 0);
  }
  /// Empty where the days come from more than one delivery.
  std::optional<std::uint32_t> only() const {
    return mode_ == Mode::same ? std::optional(first_) : std::nullopt;
  }

 private:
  friend void put_deliveries(std::span<const std::uint32_t> numbers, std::string& out);
  /// Stored: the numbers never change meaning.
  enum class Mode : std::uint8_t {
    same = 0,
    rising = 1,  ///< Each further day's number is one more.
    steps = 2,   ///< The step to each further day's number follows.
  };
  bool take_steps(std::string_view& bytes, std::size_t count);

  Mode mode_ = Mode::same;
  std::uint32_t first_ = 0;
  std::array<std::uint32_t, month_days_max> numbers_;  ///< With steps only.
};

/// Appends the numbers of days, at least one; the same bytes for the same numbers.
void put_deliveries(std::span<const std::uint32_t> numbers, std::string& out);

}  // namespace meterline::store
