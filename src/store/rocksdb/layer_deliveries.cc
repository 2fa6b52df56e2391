#include "store/rocksdb/layer_deliveries.h"

#include <algorithm>

#include "store/bits.h"

namespace meterline::store {
namespace {

constexpr int mode_bits = 2;

/// Whether each number is `step` more than the one before it.
bool rises_by(std::uint32_t step, std::span<const std::uint32_t> numbers) {
  return std::adjacent_find(numbers.begin(), numbers.end(), [&](auto before, auto after) {
           return std::uint64_t{before} + step != after;
         }) == numbers.end();
}

}  // namespace

bool LayerDeliveries::take(std::string_view& bytes, std::size_t count) {
  const auto head = take_varint(bytes);
  if (!head || *head >> mode_bits > UINT32_MAX) return false;
  first_ = static_cast<std::uint32_t>(*head >> mode_bits);
  mode_ = static_cast<Mode>(*head & low_bits(mode_bits));
  switch (mode_) {
    case Mode::same:
      return true;
    case Mode::rising:
      return count - 1 <= UINT32_MAX - first_;
    case Mode::steps:
      return take_steps(bytes, count);
  }
  return false;
}

bool LayerDeliveries::take_steps(std::string_view& bytes, std::size_t count) {
  std::int64_t number = first_;
  numbers_[0] = first_;
  for (std::size_t i = 1; i < count; ++i) {
    const auto step = take_varint(bytes);
    if (!step || *step > 2 * std::uint64_t{UINT32_MAX}) return false;
    number += unzigzag(*step);
    if (number < 0 || number > UINT32_MAX) return false;
    numbers_[i] = static_cast<std::uint32_t>(number);
  }
  return true;
}

void put_deliveries(std::span<const std::uint32_t> numbers, std::string& out) {
  using Mode = LayerDeliveries::Mode;
  const Mode mode = rises_by(0, numbers)   ? Mode::same
                    : rises_by(1, numbers) ? Mode::rising
                                           : Mode::steps;
  put_varint(std::uint64_t{numbers.front()} << mode_bits | static_cast<std::uint64_t>(mode), out);
  for (std::size_t i = 1; mode == Mode::steps && i < numbers.size(); ++i)
    put_varint(zigzag(std::int64_t{numbers[i]} - std::int64_t{numbers[i - 1]}), out);
}

}  // namespace meterline::store
