#include "lambda/processor.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/json.h"
#include "core/json_writer.h"

namespace meterline::lambda {
namespace {

using events::MessageEnd;
using events::MessageResult;

using Clock = std::chrono::system_clock;

/// Sets a flag at a time, unless it is gone before.
class Alarm {
 public:
  explicit Alarm(Clock::time_point at)
      : thread_([this, at](const std::stop_token& gone) {
          std::unique_lock lock(mutex_);
          if (!changed_.wait_until(lock, gone, at, [] { return false; }) && !gone.stop_requested())
            ring();
        }) {}

  const std::atomic<bool>& rung() const { return rung_; }

 private:
  void ring() {
    rung_ = true;
    rung_.notify_all();
  }

  std::atomic<bool> rung_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

Clock::time_point time_to_give_up(Instant deadline, std::chrono::milliseconds margin) {
  constexpr int part_of_time = 5;
  const Clock::time_point end(std::chrono::microseconds(deadline.micros));
  return end - std::min<Clock::duration>(margin, (end - Clock::now()) / part_of_time);
}

}  // namespace

/// The messages of a batch that a queue gave to the function; empty when it is something else.
/// A record without an id cannot be named among the failures, and is none.
std::vector<Processor::QueueMessage> Processor::messages_of(const std::string& payload) {
  const auto root = parse_json(payload, payload_bytes_max);
  const auto* records = root ? find_member(*root, {"Records"}) : nullptr;
  const auto* list = records == nullptr ? nullptr : records->if_array();
  std::vector<QueueMessage> messages;
  if (list == nullptr) return messages;
  for (const auto& record : *list) {
    const auto id = find_text(record, {"messageId"});
    if (!id || find_text(record, {"eventSource"}) != "aws:sqs") return {};
    const auto receives = find_number(record, {"attributes", "ApproximateReceiveCount"});
    messages.push_back({.id = std::string(*id),
                        .body = std::string(find_text(record, {"body"}).value_or("")),
                        .receives = static_cast<int>(receives.value_or(1))});
  }
  return messages;
}

tl::expected<std::string, InvocationError> Processor::process(const Invocation& invocation) {
  const Alarm alarm(time_to_give_up(invocation.deadline, options_.margin));
  const auto messages = messages_of(invocation.payload);
  if (messages.empty()) return process_event(invocation, alarm.rung());
  return process_batch(invocation.request_id, messages, alarm.rung());
}

tl::expected<std::string, InvocationError> Processor::process_event(const Invocation& invocation,
                                                                    const std::atomic<bool>& stop) {
  const auto result = parts_.load(invocation.request_id, invocation.payload, stop);
  const bool is_settled =
      result.end == MessageEnd::done ||
      (result.end == MessageEnd::dead && parts_.dead_letters.send({
                                             .body = invocation.payload,
                                             .request_id = invocation.request_id,
                                             .result = result,
                                         }));
  if (is_settled) return "{}";
  const bool is_dead = result.end == MessageEnd::dead;
  return tl::unexpected(InvocationError{
      .type = is_dead ? "Meterline.DeadLetter" : "Meterline.Retry",
      .message = result.object.empty() ? result.reason : result.object + ": " + result.reason});
}

std::string Processor::process_batch(const std::string& request_id,
                                     const std::vector<QueueMessage>& messages,
                                     const std::atomic<bool>& stop) {
  JsonWriter json;
  json.begin_object().key("batchItemFailures").begin_array();
  for (const auto& message : messages) {
    const auto result = stop ? MessageResult{.end = MessageEnd::retry,
                                             .reason = "the function has no time left for it"}
                             : process_message(request_id, message, stop);
    if (result.end == MessageEnd::done) continue;
    parts_.log.warning("tried again later", {{"requestId", request_id},
                                             {"messageId", message.id},
                                             {"object", result.object},
                                             {"reason", result.reason},
                                             {"receives", message.receives}});
    json.begin_object().member("itemIdentifier", std::string_view(message.id)).end_object();
  }
  return json.end_array().end_object().take();
}

/// `done` when it is stored or among the dead letters.
MessageResult Processor::process_message(const std::string& request_id, const QueueMessage& message,
                                         const std::atomic<bool>& stop) {
  auto result = parts_.load(request_id, message.body, stop);
  if (result.end == MessageEnd::done) return result;
  if (result.end == MessageEnd::retry && stop)
    result.reason = "it takes longer than the function may run: " + result.reason;
  if (result.end == MessageEnd::retry && message.receives < options_.receives_max) return result;
  if (result.end == MessageEnd::retry)
    result.reason = fmt::format("given up after {} tries: {}", message.receives, result.reason);
  if (parts_.dead_letters.send({.body = message.body, .request_id = request_id, .result = result}))
    return {};
  return result;
}

}  // namespace meterline::lambda
