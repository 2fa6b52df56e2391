#pragma once

#include <atomic>
#include <cstdint>

namespace meterline {

/// A number of bytes that many users share: of temporary files, of answers that
/// wait.
///
/// Threads: every method may be called from many threads at once.
class Budget {
 public:
  explicit Budget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  std::uint64_t bytes_max() const { return bytes_max_; }
  std::uint64_t used() const { return used_; }

 private:
  friend class BudgetShare;

  bool take(std::uint64_t bytes);

  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_ = 0;  ///< Never above bytes_max_.
};

/// What one user has of a Budget, and gives back at the end of its life.
///
/// Threads: one at a time.
class BudgetShare {
 public:
  /// `budget` must outlive the share; null: there is no limit.
  explicit BudgetShare(Budget* budget) : budget_(budget) {}
  ~BudgetShare() { give_back(); }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  /// False, and nothing is taken, where there is not so much left.
  [[nodiscard]] bool grow(std::uint64_t bytes);
  void give_back();

 private:
  Budget* const budget_;
  std::uint64_t bytes_ = 0;
};

}  // namespace meterline
