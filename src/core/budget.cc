#include "core/budget.h"

namespace meterline {

bool Budget::take(std::uint64_t bytes) {
  std::uint64_t used = used_;
  do {
    if (bytes > bytes_max_ - used) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

bool BudgetShare::grow(std::uint64_t bytes) {
  if (budget_ == nullptr) return true;
  if (!budget_->take(bytes)) return false;
  bytes_ += bytes;
  return true;
}

void BudgetShare::give_back() {
  if (budget_ != nullptr) budget_->used_ -= bytes_;
  bytes_ = 0;
}

}  // namespace meterline
