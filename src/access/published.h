#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace meterline::access {

/// A value that one thread replaces and many read. To read it takes no lock and shares nothing that
/// changes, until it was replaced: each thread keeps the last value of a kind that it saw.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}

  void replace(std::shared_ptr<const T> value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    generation_ = next_generation();
  }

  /// Valid on this thread until it asks again.
  const std::shared_ptr<const T>& get() const {
    struct Seen {
      std::uint64_t generation = 0;
      std::shared_ptr<const T> value;
    };
    thread_local Seen seen;
    const std::uint64_t generation = generation_.load(std::memory_order_acquire);
    if (seen.generation == generation) return seen.value;
    const std::lock_guard lock(mutex_);
    seen = {.generation = generation, .value = value_};
    return seen.value;
  }

 private:
  /// Of all values of a kind in this program, so that none is taken for another's.
  static std::uint64_t next_generation() {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> generation_ = next_generation();
};

}  // namespace meterline::access
