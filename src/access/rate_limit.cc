#include "access/rate_limit.h"

#include <algorithm>
#include <cassert>
#include <functional>

namespace meterline::access {
namespace {

constexpr std::size_t slots = 65'536;
constexpr std::int64_t ns_of_second = 1'000'000'000;

}  // namespace

RateLimit::RateLimit(int requests_per_second)
    : interval_ns_(ns_of_second / requests_per_second),
      ahead_ns_max_(interval_ns_ * requests_per_second),
      due_ns_(slots) {
  assert(requests_per_second > 0);
}

/// The generic cell rate algorithm: ITU-T I.371, annex A.
std::optional<std::int64_t> RateLimit::wait_s(std::string_view who,
                                              std::chrono::steady_clock::time_point now) {
  const std::int64_t now_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  auto& due = due_ns_[std::hash<std::string_view>()(who) % slots];
  std::int64_t seen = due.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t next = std::max(seen, now_ns) + interval_ns_;
    const std::int64_t too_far = next - now_ns - ahead_ns_max_;
    if (too_far > 0) return (too_far + ns_of_second - 1) / ns_of_second;
    if (due.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return std::nullopt;
  }
}

}  // namespace meterline::access
