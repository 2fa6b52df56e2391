#include "ingest/meter_table.h"

#include <algorithm>
#include <numeric>

namespace meterline::ingest {

std::uint32_t MeterTable::number_of(std::string_view meter) {
  if (next_ >= meters_.size() || meters_[next_] != meter) {
    auto found = numbers_.find(meter);
    if (found == numbers_.end()) {
      const auto number = static_cast<std::uint32_t>(meters_.size());
      found = numbers_.emplace(meters_.emplace_back(meter), number).first;
    }
    next_ = found->second;
  }
  return next_++;
}

std::vector<std::uint32_t> MeterTable::ascending() const {
  std::vector<std::uint32_t> numbers(meters_.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto order = [this](std::uint32_t a, std::uint32_t b) { return meters_[a] < meters_[b]; };
  if (!std::is_sorted(numbers.begin(), numbers.end(), order))
    std::sort(numbers.begin(), numbers.end(), order);
  return numbers;
}

void MeterTable::clear() {
  numbers_.clear();
  meters_.clear();
  next_ = 0;
}

}  // namespace meterline::ingest
