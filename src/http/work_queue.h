#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace meterline::http {

/// Work of one sort that waits for a thread.
struct WaitingWork {
  std::size_t waiting_max;            ///< More is not taken.
  std::atomic<std::size_t>& waiting;  ///< How much waits now, for others to see.
  std::deque<std::function<void()>> all = {};
};

/// Threads that do brief and long work in fair turns: brief work comes first,
/// and long work never has all threads, so that brief work waits for no long
/// one.
///
/// Threads: add() may be called from many threads at once.
class WorkQueue {
 public:
  struct Options {
    std::size_t threads;
    std::size_t long_threads_max;  ///< That do long work at once.
    WaitingWork brief_work;
    WaitingWork long_work;
  };
  explicit WorkQueue(Options options);
  /// As stop().
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// False, and nothing is kept, where as much waits as may. `work` must not
  /// throw.
  [[nodiscard]] bool add_brief(std::function<void()> work);
  [[nodiscard]] bool add_long(std::function<void()> work);

  /// Waits for work that is being done. What waits is never done, and is kept
  /// until the end of the queue's life, which may be that of sessions.
  void stop();

 private:
  bool add(WaitingWork& to, std::function<void()> work);
  void run();
  bool has_long_turn() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  WaitingWork brief_;  ///< All that follows: with mutex_.
  WaitingWork long_;
  const std::size_t long_threads_max_;
  std::size_t long_running_ = 0;
  bool is_stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace meterline::http
