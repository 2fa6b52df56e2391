#include "events/queue_worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "core/try.h"

namespace meterline::events {
namespace {

constexpr std::size_t receive_messages_max = 10;  ///< SQS gives no more at once.
constexpr int beats_per_visibility = 3;

bool cannot_be_used(Errc code) {
  return code == Errc::not_found || code == Errc::refused || code == Errc::invalid_argument;
}

}  // namespace

QueueWorker::QueueWorker(Parts parts, QueueWorkerOptions options)
    : parts_(std::move(parts)), options_(options) {}

void QueueWorker::stop() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

Result<void> QueueWorker::run() {
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(options_.concurrency) + 1);
  for (int i = 0; i < options_.concurrency; ++i)
    threads.emplace_back([this] { work_until_ended(); });
  threads.emplace_back([this] { beat_until_ended(); });
  auto result = receive_until_stopped();
  end_work();
  return result;
}

Result<void> QueueWorker::receive_until_stopped() {
  bool has_answered = false;
  auto backoff = options_.first_backoff;
  while (const std::size_t room = wait_for_room()) {
    const auto ready = parts_.ready();
    auto messages = ready ? parts_.queue.receive({.messages_max = static_cast<int>(room),
                                                  .wait = options_.wait,
                                                  .visibility = options_.visibility})
                          : Result<std::vector<aws::Message>>(tl::unexpected(ready.error()));
    if (messages) {
      has_answered = true;
      backoff = options_.first_backoff;
      take(*std::move(messages));
      continue;
    }
    if (ready && !has_answered && cannot_be_used(messages.error().code))
      return tl::unexpected(messages.error());
    parts_.log.warning("nothing is received: " + messages.error().message,
                       {{"nextTryMs", backoff.count()}});
    wait_for(backoff);
    backoff = std::min(2 * backoff, options_.longest_backoff);
  }
  return {};
}

/// How many messages may be received at once; 0 when there shall be no more.
std::size_t QueueWorker::wait_for_room() {
  const auto places = static_cast<std::size_t>(options_.concurrency);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || in_work_.size() < places; });
  return stopping_ ? 0 : std::min(places - in_work_.size(), receive_messages_max);
}

/// As long as that, or until it is stopped.
void QueueWorker::wait_for(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [&] { return stopping_; });
}

void QueueWorker::take(std::vector<aws::Message> messages) {
  const std::scoped_lock lock(mutex_);
  for (auto& message : messages) in_work_.push_back({.message = std::move(message)});
  changed_.notify_all();
}

void QueueWorker::end_work() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  const auto is_done = [&] { return in_work_.empty(); };
  if (!changed_.wait_for(lock, options_.grace, is_done)) {
    parts_.log.warning("what is in work is put back into the queue",
                       {{"messages", static_cast<std::int64_t>(in_work_.size())}});
    give_up_ = true;
    give_up_.notify_all();
    changed_.wait(lock, is_done);
  }
  ended_ = true;
  changed_.notify_all();
}

QueueWorker::Place QueueWorker::find_waiting() {
  return std::ranges::find(in_work_, Stage::waiting, &InWork::stage);
}

void QueueWorker::work_until_ended() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ended_ || find_waiting() != in_work_.end(); });
    if (ended_) return;
    const Place place = find_waiting();
    place->stage = Stage::begun;
    const bool is_late = stopping_;
    lock.unlock();
    if (is_late)
      put_back(place);
    else
      work_on(place);
    lock.lock();
    in_work_.erase(place);
    changed_.notify_all();
  }
}

/// The place is this thread's until it is erased; others look at its stage and hold only.
void QueueWorker::work_on(Place place) {
  const aws::Message& message = place->message;
  auto result = parts_.load(message.id, message.body, give_up_);
  end_beats(place);
  finish(message, std::move(result));
}

void QueueWorker::put_back(Place place) {
  end_beats(place);
  retry(place->message, std::chrono::seconds(0));
}

/// A heartbeat after the last word on a message would hide it anew.
void QueueWorker::end_beats(Place place) {
  const std::scoped_lock beat_lock(beat_mutex_);
  const std::scoped_lock lock(mutex_);
  place->stage = Stage::ending;
}

void QueueWorker::finish(const aws::Message& message, MessageResult result) {
  if (result.end == MessageEnd::retry && give_up_) return retry(message, std::chrono::seconds(0));
  if (result.end == MessageEnd::retry && message.receives < options_.receives_max) {
    const auto after = options_.retry.after(message.receives);
    parts_.log.warning("tried again later", {{"requestId", message.id},
                                             {"object", result.object},
                                             {"reason", result.reason},
                                             {"receives", message.receives},
                                             {"afterSeconds", after.count()}});
    return retry(message, after);
  }
  if (result.end == MessageEnd::retry)
    result.reason = fmt::format("given up after {} tries: {}", message.receives, result.reason);
  if (result.end != MessageEnd::done &&
      !parts_.dead_letters.send({.body = message.body, .request_id = message.id, .result = result}))
    return retry(message, options_.retry.after(message.receives));
  if (const auto removed = parts_.queue.remove(message.receipt); !removed)
    parts_.log.warning("not removed, so it will come again: " + removed.error().message,
                       {{"requestId", message.id}});
}

void QueueWorker::retry(const aws::Message& message, std::chrono::seconds after) {
  const auto changed = parts_.queue.change_visibility(message.receipt, after);
  if (changed) return;
  parts_.log.warning("comes again when its time is over: " + changed.error().message,
                     {{"requestId", message.id}});
}

void QueueWorker::beat_until_ended() {
  const auto interval = std::chrono::milliseconds(options_.visibility) / beats_per_visibility;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, interval, [&] { return ended_; })) {
    std::vector<std::string> receipts;
    for (const auto& held : in_work_) receipts.push_back(held.message.receipt);
    lock.unlock();
    for (const auto& receipt : receipts) beat(receipt);
    lock.lock();
  }
}

/// A message that is in work, and that this process still has as far as it knows.
QueueWorker::InWork* QueueWorker::find_held(const std::string& receipt) {
  const auto found = std::ranges::find_if(in_work_, [&](const InWork& held) {
    return held.message.receipt == receipt && held.stage != Stage::ending &&
           held.hold == Hold::kept;
  });
  return found == in_work_.end() ? nullptr : &*found;
}

void QueueWorker::beat(const std::string& receipt) {
  const std::scoped_lock beat_lock(beat_mutex_);
  std::unique_lock lock(mutex_);
  if (find_held(receipt) == nullptr) return;
  lock.unlock();
  const auto extended = parts_.queue.change_visibility(receipt, options_.visibility);
  if (extended) return;
  lock.lock();
  InWork* const held = find_held(receipt);
  if (held == nullptr) return;
  const bool is_lost = extended.error().code != Errc::unavailable;
  if (is_lost) held->hold = Hold::lost;
  parts_.log.warning(is_lost ? "others have this message as well: " + extended.error().message
                             : "not kept hidden: " + extended.error().message,
                     {{"requestId", held->message.id}});
}

}  // namespace meterline::events
