#pragma once

#include <cstddef>
#include <span>

#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// Holds a writer's caller to the contract of DeliveryWriter; the same words on every store.
class WriteOrder {
 public:
  explicit WriteOrder(std::size_t deliveries) : deliveries_(deliveries) {}

  /// Errors: `invalid_argument` when the day does not come behind the one before, or belongs to
  /// none of the deliveries.
  Result<void> check(const DayToStore& day);
  /// Errors: `invalid_argument` when a report is missing, or of a state that is never kept.
  Result<void> check(std::span<const DeliveryReport> reports) const;

 private:
  std::size_t deliveries_;
  bool any_ = false;
  MeterId meter_;
  Date date_;
  Channel channel_;
  std::size_t delivery_ = 0;
};

}  // namespace meterline::store
