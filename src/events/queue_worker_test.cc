// What the real queue cannot be made to do on request: errors in between, receipts that are lost.
// tests/test_worker.py runs the program against a queue.
#include "events/queue_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

namespace meterline::events {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// A queue that gives what it is told to, and notes what it is asked for.
class ScriptedQueue : public aws::Queue {
 public:
  Result<std::vector<aws::Message>> receive(const aws::ReceiveOptions& options) override {
    std::unique_lock lock(mutex_);
    most_asked_for_ = std::max(most_asked_for_, options.messages_max);
    if (!receives_.empty()) {
      auto next = std::move(receives_.front());
      receives_.pop_front();
      return next;
    }
    waits_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, milliseconds(5));
    return std::vector<aws::Message>();
  }

  Result<void> change_visibility(const std::string& receipt, seconds visibility) override {
    return note("hide " + receipt + ' ' + std::to_string(visibility.count()), extending_);
  }
  Result<void> remove(const std::string& receipt) override {
    return note("remove " + receipt, removing_);
  }
  Result<void> send(const std::string& body,
                    const std::map<std::string, std::string>& attributes) override {
    std::string text = "send " + body;
    for (const auto& [name, value] : attributes)
      if (!value.empty()) text.append(" ").append(name).append("=").append(value);
    return note(text, sending_);
  }

  void give(Result<std::vector<aws::Message>> messages) {
    const std::scoped_lock lock(mutex_);
    receives_.push_back(std::move(messages));
  }
  void wait_for_noted(std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, seconds(60), [&] { return noted_.size() >= count; }));
  }
  void wait_for_receive() {
    std::unique_lock lock(mutex_);
    waits_ = false;
    ASSERT_TRUE(changed_.wait_for(lock, seconds(60), [&] { return waits_; }));
  }
  std::vector<std::string> noted() {
    const std::scoped_lock lock(mutex_);
    return noted_;
  }
  int most_asked_for() {
    const std::scoped_lock lock(mutex_);
    return most_asked_for_;
  }

  // Set before the worker runs.
  std::optional<Errc> extending_;
  std::optional<Errc> removing_;
  std::optional<Errc> sending_;

 private:
  Result<void> note(std::string text, std::optional<Errc> failure) {
    const std::scoped_lock lock(mutex_);
    noted_.push_back(std::move(text));
    changed_.notify_all();
    if (failure) return fail(*failure, "scripted");
    return {};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Result<std::vector<aws::Message>>> receives_;
  std::vector<std::string> noted_;
  bool waits_ = false;
  int most_asked_for_ = 0;
};

std::vector<aws::Message> message(const std::string& name, int receives = 1) {
  return {{.id = "id-" + name, .receipt = name, .body = "body-" + name, .receives = receives}};
}

constexpr QueueWorkerOptions quick = {.concurrency = 2,
                                      .visibility = seconds(60),
                                      .wait = seconds(0),
                                      .grace = seconds(60),
                                      .receives_max = 3,
                                      .first_backoff = milliseconds(1),
                                      .longest_backoff = milliseconds(2)};

/// A worker that runs until the end of the test or stop().
class Running {
 public:
  Running(
      ScriptedQueue& queue, MessageLoad load, QueueWorkerOptions options = quick,
      std::function<Result<void>()> ready = [] { return Result<void>(); })
      : log_(
            telemetry::LogFormat::text, [this](std::string_view line) { log_text_ += line; },
            [] { return Instant{}; }),
        dead_letters_(std::make_unique<Forward>(queue), log_, {.source = "the queue"}),
        worker_({.queue = queue,
                 .dead_letters = dead_letters_,
                 .load = std::move(load),
                 .ready = std::move(ready),
                 .log = log_},
                options),
        thread_([this] { result_ = worker_.run(); }) {}
  ~Running() { static_cast<void>(end()); }

  void stop() { worker_.stop(); }
  Result<void> join() {
    if (thread_.joinable()) thread_.join();
    return result_;
  }
  Result<void> end() {
    stop();
    return join();
  }
  const std::string& log_text() const { return log_text_; }  ///< After the end.

 private:
  /// The dead letters own their queue; here it is the same one.
  class Forward : public aws::Queue {
   public:
    explicit Forward(ScriptedQueue& to) : to_(to) {}
    Result<std::vector<aws::Message>> receive(const aws::ReceiveOptions& options) override {
      return to_.receive(options);
    }
    Result<void> change_visibility(const std::string& receipt, seconds visibility) override {
      return to_.change_visibility(receipt, visibility);
    }
    Result<void> remove(const std::string& receipt) override { return to_.remove(receipt); }
    Result<void> send(const std::string& body,
                      const std::map<std::string, std::string>& attributes) override {
      return to_.send(body, attributes);
    }

   private:
    ScriptedQueue& to_;
  };

  std::string log_text_;
  telemetry::Log log_;
  DeadLetters dead_letters_;
  QueueWorker worker_;
  Result<void> result_;
  std::jthread thread_;
};

/// Every load ends so.
MessageLoad always(MessageEnd end) {
  return [end](std::string_view, std::string_view, const std::atomic<bool>&) {
    return MessageResult{.end = end, .reason = "why", .object = "s3://b/k"};
  };
}

/// Waits for the stop, as a load of a large file would.
MessageResult until_stopped(std::string_view, std::string_view, const std::atomic<bool>& stop) {
  stop.wait(false);
  return {.end = MessageEnd::retry, .reason = "stopped"};
}

TEST(QueueWorker, RemovesAMessageThatIsDone) {
  ScriptedQueue queue;
  queue.give(message("a"));
  queue.give(message("b"));
  Running worker(queue, always(MessageEnd::done));
  queue.wait_for_noted(2);
  EXPECT_TRUE(worker.end());
  EXPECT_THAT(queue.noted(), testing::UnorderedElementsAre("remove a", "remove b"));
  EXPECT_LE(queue.most_asked_for(), 2);
}

TEST(QueueWorker, GivesADeadMessageToTheDeadLettersAndThenRemovesIt) {
  ScriptedQueue queue;
  queue.give(message("a"));
  Running worker(queue, always(MessageEnd::dead));
  queue.wait_for_noted(2);
  EXPECT_TRUE(worker.end());
  EXPECT_THAT(queue.noted(),
              ElementsAre("send body-a object=s3://b/k reason=why requestId=id-a source=the queue",
                          "remove a"));
}

TEST(QueueWorker, KeepsADeadMessageThatTheDeadLettersDoNotTake) {
  ScriptedQueue queue;
  queue.sending_ = Errc::unavailable;
  queue.give(message("a", 2));
  Running worker(queue, always(MessageEnd::dead));
  queue.wait_for_noted(2);
  EXPECT_TRUE(worker.end());
  EXPECT_EQ(queue.noted().back(), "hide a 20");
}

TEST(QueueWorker, TriesAMessageLaterAndLaterAndThenGivesItUp) {
  ScriptedQueue queue;
  queue.give(message("a", 1));
  queue.give(message("b", 2));
  queue.give(message("c", 3));
  auto options = quick;
  options.concurrency = 1;
  Running worker(queue, always(MessageEnd::retry), options);
  queue.wait_for_noted(4);
  EXPECT_TRUE(worker.end());
  EXPECT_THAT(queue.noted(),
              ElementsAre("hide a 10", "hide b 20",
                          "send body-c object=s3://b/k reason=given up after 3 tries: why "
                          "requestId=id-c source=the queue",
                          "remove c"));
}

TEST(QueueWorker, GoesOnWhenTheQueueDidNotHearIt) {
  ScriptedQueue queue;
  queue.removing_ = queue.extending_ = Errc::unavailable;
  queue.give(message("a"));
  Running worker(queue, always(MessageEnd::done));
  queue.wait_for_noted(1);
  queue.wait_for_receive();
  EXPECT_TRUE(worker.end());
  EXPECT_NE(worker.log_text().find("not removed, so it will come again: scripted"),
            std::string::npos);
}

TEST(QueueWorker, WaitsErrorsOfTheQueueOut) {
  ScriptedQueue queue;
  queue.give(fail(Errc::unavailable, "down"));
  queue.give(std::vector<aws::Message>());
  queue.give(fail(Errc::not_found, "gone for a while"));
  queue.give(message("a"));
  Running worker(queue, always(MessageEnd::done));
  queue.wait_for_noted(1);
  EXPECT_TRUE(worker.end());
  EXPECT_NE(worker.log_text().find("gone for a while"), std::string::npos);
}

TEST(QueueWorker, EndsWhenTheQueueCannotBeUsedFromTheStart) {
  for (const auto code : {Errc::not_found, Errc::refused, Errc::invalid_argument}) {
    ScriptedQueue queue;
    queue.give(fail(Errc::unavailable, "down"));
    queue.give(fail(code, "there is none"));
    Running worker(queue, always(MessageEnd::done));
    const auto result = worker.join();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "there is none");
  }
}

TEST(QueueWorker, ReceivesNothingBeforeLoadsCanSucceed) {
  ScriptedQueue queue;
  queue.give(message("a"));
  std::atomic<int> asked = 0;
  Running worker(queue, always(MessageEnd::done), quick, [&]() -> Result<void> {
    if (asked++ < 3) return fail(Errc::unavailable, "the store is down");
    return {};
  });
  queue.wait_for_noted(1);
  EXPECT_TRUE(worker.end());
  EXPECT_GE(asked, 4);
  EXPECT_NE(worker.log_text().find("the store is down"), std::string::npos);
}

TEST(QueueWorker, KeepsAMessageHiddenWhileItIsInWork) {
  ScriptedQueue queue;
  queue.give(message("a"));
  auto options = quick;
  options.visibility = seconds(1);
  options.grace = seconds(0);
  Running worker(queue, until_stopped, options);
  queue.wait_for_noted(2);
  EXPECT_EQ(queue.noted().front(), "hide a 1");
  EXPECT_TRUE(worker.end());
  EXPECT_EQ(queue.noted().back(), "hide a 0");
}

TEST(QueueWorker, GoesOnWithAMessageThatItHasLost) {
  ScriptedQueue queue;
  queue.extending_ = Errc::invalid_argument;
  queue.give(message("a"));
  auto options = quick;
  options.visibility = seconds(1);
  std::atomic<bool> end = false;
  Running worker(
      queue,
      [&](auto, auto, const auto&) {
        end.wait(false);
        return MessageResult{};
      },
      options);
  queue.wait_for_noted(1);
  end = true;
  end.notify_all();
  queue.wait_for_noted(2);
  EXPECT_TRUE(worker.end());
  EXPECT_THAT(queue.noted(), ElementsAre("hide a 1", "remove a"));
  EXPECT_NE(worker.log_text().find("others have this message as well"), std::string::npos);
}

TEST(QueueWorker, LetsWhatIsInWorkEndWithinItsGrace) {
  ScriptedQueue queue;
  queue.give(message("a"));
  std::atomic<int> step = 0;
  Running worker(queue, [&](auto, auto, const auto&) {
    step = 1;
    step.notify_all();
    step.wait(1);
    return MessageResult{};
  });
  step.wait(0);
  worker.stop();
  step = 2;
  step.notify_all();
  EXPECT_TRUE(worker.join());
  EXPECT_THAT(queue.noted(), ElementsAre("remove a"));
}

TEST(QueueWorker, PutsBackWhatDoesNotEndWithinItsGraceHoweverOftenItWasTried) {
  ScriptedQueue queue;
  queue.give(message("a", 3));
  auto options = quick;
  options.grace = seconds(0);
  std::atomic<bool> begun = false;
  Running worker(
      queue,
      [&](auto id, auto body, const auto& stop) {
        begun = true;
        begun.notify_all();
        return until_stopped(id, body, stop);
      },
      options);
  begun.wait(false);
  EXPECT_TRUE(worker.end());
  EXPECT_THAT(queue.noted(), ElementsAre("hide a 0"));
}

TEST(QueueWorker, EndsAtOnceWhenItHasNothingToDo) {
  ScriptedQueue queue;
  Running worker(queue, always(MessageEnd::done));
  queue.wait_for_receive();
  EXPECT_TRUE(worker.end());
  EXPECT_THAT(queue.noted(), IsEmpty());
}

TEST(DeadLetters, WithoutAQueueTakeNothing) {
  std::string text;
  telemetry::Log log(
      telemetry::LogFormat::text, [&](std::string_view line) { text += line; },
      [] { return Instant{}; });
  DeadLetters letters(nullptr, log, {.source = "f"});
  const auto sent = letters.send(
      {.body = "b", .request_id = "r", .result = {.end = MessageEnd::dead, .reason = "why"}});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().message, "there is no --dead-letter-queue");
  EXPECT_NE(text.find("reason=\"why\""), std::string::npos);
}

TEST(DeadLetters, AttributesAreCutAndCleaned) {
  std::string text;
  telemetry::Log log(
      telemetry::LogFormat::text, [&](std::string_view line) { text += line; },
      [] { return Instant{}; });
  auto queue = std::make_unique<ScriptedQueue>();
  auto& noted = *queue;
  int letters_sent = 0;
  DeadLetters letters(std::move(queue), log, {.source = "f", .on_letter = [&] { ++letters_sent; }});
  ASSERT_TRUE(letters.send(
      {.body = "b",
       .request_id = "r",
       .result = {
           .end = MessageEnd::dead, .reason = std::string(9000, 'x'), .object = "a\x01\n\xff"}}));
  EXPECT_EQ(letters_sent, 1);
  EXPECT_EQ(noted.noted().front(), "send b object=a\xef\xbf\xbd\n\xef\xbf\xbd reason=" +
                                       std::string(aws::attribute_bytes_max, 'x') +
                                       " requestId=r source=f");
}

}  // namespace
}  // namespace meterline::events
