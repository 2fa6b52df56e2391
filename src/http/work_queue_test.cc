#include "http/work_queue.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

namespace meterline::http {
namespace {

class Queue {
 public:
  Queue(std::size_t threads, std::size_t long_threads_max)
      : queue({.threads = threads,
               .long_threads_max = long_threads_max,
               .brief_work = {.waiting_max = 2, .waiting = brief_waiting},
               .long_work = {.waiting_max = 2, .waiting = long_waiting}}) {}

  std::atomic<std::size_t> brief_waiting = 0;
  std::atomic<std::size_t> long_waiting = 0;
  WorkQueue queue;
};

TEST(WorkQueue, BriefWorkWaitsForNoLongOne) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::promise<void> begun;
  Queue at(2, 1);
  ASSERT_TRUE(at.queue.add_long([&] {
    begun.set_value();
    released.wait();
  }));
  begun.get_future().wait();
  ASSERT_TRUE(at.queue.add_long([&] { released.wait(); }));  // Its turn is after the first.
  for (int i = 0; i < 10; ++i) {
    const auto done = std::make_shared<std::promise<void>>();
    auto is_done = done->get_future();
    ASSERT_TRUE(at.queue.add_brief([done] { done->set_value(); }));
    is_done.wait();
  }
  EXPECT_EQ(at.long_waiting, 1U);
  release.set_value();
}

TEST(WorkQueue, TakesNoMoreThanMayWaitAndGoesOnWhenItIsDone) {
  std::promise<void> release;
  std::promise<void> begun;
  std::atomic<int> done = 0;
  std::promise<void> last;
  Queue at(1, 1);
  ASSERT_TRUE(at.queue.add_long([&] {
    begun.set_value();
    release.get_future().wait();
  }));
  begun.get_future().wait();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(at.queue.add_brief([&] { ++done; }));
    EXPECT_TRUE(at.queue.add_long([&] {
      if (++done == 4) last.set_value();
    }));
  }
  EXPECT_FALSE(at.queue.add_brief([] {}));
  EXPECT_FALSE(at.queue.add_long([] {}));
  EXPECT_EQ(at.brief_waiting, 2U);
  EXPECT_EQ(at.long_waiting, 2U);
  release.set_value();
  last.get_future().wait();
  EXPECT_EQ(done, 4);
}

TEST(WorkQueue, StoppedItDoesNothingMore) {
  const auto held = std::make_shared<int>(1);
  {
    std::promise<void> release;
    std::promise<void> begun;
    Queue at(1, 1);
    ASSERT_TRUE(at.queue.add_brief([&] {
      begun.set_value();
      release.get_future().wait();
    }));
    begun.get_future().wait();
    ASSERT_TRUE(at.queue.add_long([held] {}));
    auto stopped = std::async(std::launch::async, [&] { at.queue.stop(); });
    while (at.queue.add_brief([held] {})) {  // Refused when it is full, or stopped.
    }
    release.set_value();
    stopped.get();
    EXPECT_FALSE(at.queue.add_long([] {}));
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace meterline::http
