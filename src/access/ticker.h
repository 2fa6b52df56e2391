#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace meterline::access {

/// Calls a function again and again on a thread of its own, until it is destroyed.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds every, std::function<void()> task)
      : thread_([this, every, own = std::move(task)] {
          std::unique_lock lock(mutex_);
          while (!ended_.wait_for(lock, every, [this] { return is_ended_; })) {
            lock.unlock();
            own();
            lock.lock();
          }
        }) {}
  ~Ticker() {
    {
      const std::lock_guard lock(mutex_);
      is_ended_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_ = false;
  std::thread thread_;  ///< Begun last.
};

}  // namespace meterline::access
