#include "lambda/alarm.h"

#include <algorithm>

namespace meterline::lambda {

using Clock = std::chrono::system_clock;

Clock::time_point time_to_give_up(Instant deadline, std::chrono::milliseconds margin) {
  constexpr int part_of_time = 5;
  const Clock::time_point end(std::chrono::microseconds(deadline.micros));
  return end - std::min<Clock::duration>(margin, (end - Clock::now()) / part_of_time);
}

std::chrono::milliseconds time_until(Clock::time_point at) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at - Clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

Alarm::Alarm(Clock::time_point at)
    : thread_([this, at](const std::stop_token& gone) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_until(lock, gone, at, [] { return false; }) && !gone.stop_requested())
          ring();
      }) {}

void Alarm::ring() {
  rung_ = true;
  rung_.notify_all();
}

}  // namespace meterline::lambda
