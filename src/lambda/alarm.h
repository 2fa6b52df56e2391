#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/instant.h"

namespace meterline::lambda {

/// When a function that is killed at `deadline` is to give up: `margin` before, and at most a fifth
/// of the time that it still has.
std::chrono::system_clock::time_point time_to_give_up(Instant deadline,
                                                      std::chrono::milliseconds margin);

/// From now on; 0 when it is past.
std::chrono::milliseconds time_until(std::chrono::system_clock::time_point at);

/// Sets a flag at a time, unless it is gone before.
class Alarm {
 public:
  explicit Alarm(std::chrono::system_clock::time_point at);

  const std::atomic<bool>& rung() const { return rung_; }

 private:
  void ring();

  std::atomic<bool> rung_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace meterline::lambda
