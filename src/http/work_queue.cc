#include "http/work_queue.h"

#include <utility>

namespace meterline::http {

WorkQueue::WorkQueue(Options options)
    : brief_(std::move(options.brief_work)),
      long_(std::move(options.long_work)),
      long_threads_max_(options.long_threads_max) {
  for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkQueue::~WorkQueue() { stop(); }

bool WorkQueue::add_brief(std::function<void()> work) { return add(brief_, std::move(work)); }
bool WorkQueue::add_long(std::function<void()> work) { return add(long_, std::move(work)); }

bool WorkQueue::add(WaitingWork& to, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_ || to.all.size() >= to.waiting_max) return false;
    to.all.push_back(std::move(work));
    to.waiting = to.all.size();
  }
  changed_.notify_one();
  return true;
}

bool WorkQueue::has_long_turn() const {
  return !long_.all.empty() && long_running_ < long_threads_max_;
}

void WorkQueue::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopped_ || !brief_.all.empty() || has_long_turn(); });
    if (is_stopped_) return;
    const bool is_long = brief_.all.empty();
    WaitingWork& from = is_long ? long_ : brief_;
    auto work = std::move(from.all.front());
    from.all.pop_front();
    from.waiting = from.all.size();
    if (is_long) ++long_running_;
    lock.unlock();
    work();
    work = nullptr;  // What it holds may be closed with it, and not under the lock.
    lock.lock();
    if (!is_long) continue;
    --long_running_;
    changed_.notify_one();
  }
}

void WorkQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace meterline::http
