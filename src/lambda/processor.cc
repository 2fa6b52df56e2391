#include "lambda/processor.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <optional>
#include <vector>

#include "api/json_writer.h"
#include "core/json.h"
#include "lambda/alarm.h"

namespace meterline::lambda {
namespace {

using events::MessageEnd;
using events::MessageResult;

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
                        .receipt = std::string(find_text(record, {"receiptHandle"}).value_or("")),
                        .body = std::string(find_text(record, {"body"}).value_or("")),
                        .receives = static_cast<int>(receives.value_or(1))});
  }
  return messages;
}

tl::expected<std::string, InvocationError> Processor::process(const Invocation& invocation) {
  const auto end = time_to_give_up(invocation.deadline, options_.margin);
  if (parts_.limit_store) parts_.limit_store(time_until(end));
  const Alarm alarm(end);
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
  api::JsonWriter json;
  json.begin_object().key("batchItemFailures").begin_array();
  for (const auto& message : messages) {
    const bool is_late = stop;
    const auto result = is_late ? MessageResult{.end = MessageEnd::retry,
                                                .reason = "the function has no time left for it"}
                                : process_message(request_id, message, stop);
    if (result.end == MessageEnd::done) continue;
    parts_.log.warning("tried again later", {{"requestId", request_id},
                                             {"messageId", message.id},
                                             {"object", result.object},
                                             {"reason", result.reason},
                                             {"receives", message.receives}});
    come_again(request_id, message,
               is_late ? std::chrono::seconds(0) : options_.retry.after(message.receives));
    json.begin_object().member("itemIdentifier", std::string_view(message.id)).end_object();
  }
  return json.end_array().end_object().take();
}

/// Lambda itself leaves a message that failed hidden for all of the queue's visibility, which is
/// six times what a function may take. Source: AWS Lambda Developer Guide, "Handling errors for an
/// SQS event source in Lambda".
void Processor::come_again(const std::string& request_id, const QueueMessage& message,
                           std::chrono::seconds after) {
  if (parts_.queue == nullptr) return;
  const auto changed = parts_.queue->change_visibility(message.receipt, after);
  if (changed) return;
  parts_.log.warning("comes again when its time is over: " + changed.error().message,
                     {{"requestId", request_id}, {"messageId", message.id}});
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
