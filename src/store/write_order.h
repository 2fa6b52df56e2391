#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// Holds a writer's caller to the contract of DeliveryWriter, in the same words on every store, and
/// counts what each delivery brought.
class WriteOrder {
 public:
  explicit WriteOrder(std::size_t deliveries) : delivered_(deliveries) {}

  /// Errors: `invalid_argument` when the day does not come behind the one before, or belongs to
  /// none of the deliveries.
  Result<void> check(const DayToStore& day);
  /// The same of register reads, which have an order of their own.
  Result<void> check(const RegisterRead& read, std::size_t delivery);
  /// Errors: `invalid_argument` when a report is missing, or of a state that is never kept.
  Result<void> check(std::span<const DeliveryReport> reports) const;
  /// Of the days that were checked.
  const DeliveredDays& days(std::size_t delivery) const { return delivered_[delivery].days; }

 private:
  struct Delivered {
    DeliveredDays days;
    std::size_t meter = 0;  ///< Which of the writer's meters it has its last day of; 0: none.
  };
  void count(const DayToStore& day, Delivered& delivered) const;

  std::vector<Delivered> delivered_;
  std::size_t meters_ = 0;  ///< That the writer has seen.
  bool any_ = false;
  MeterId meter_;
  Date date_;
  Channel channel_;
  std::size_t delivery_ = 0;

  /// The read before.
  struct ReadPlace {
    MeterId meter;
    Instant at;
    MeterRegister of;
    std::size_t delivery = 0;
  };
  std::optional<ReadPlace> read_;
  bool is_behind_read_ = false;  ///< What comes next.
};

}  // namespace meterline::store
