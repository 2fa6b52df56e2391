#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace meterline::access {

/// How many requests of one caller are answered: so many a second, and as many at once. Callers
/// are told apart by a hash: two of them share a limit once in 65,536.
///
/// Threads: may be used from many at once, without a lock.
class RateLimit {
 public:
  explicit RateLimit(int requests_per_second);

  /// Counts a request; where it is one too many, it does not count, and the answer is how many
  /// whole seconds to wait.
  std::optional<std::int64_t> wait_s(std::string_view who,
                                     std::chrono::steady_clock::time_point now);

 private:
  std::int64_t interval_ns_;
  std::int64_t ahead_ns_max_;
  std::vector<std::atomic<std::int64_t>> due_ns_;  ///< When all requests so far are worked off.
};

}  // namespace meterline::access
