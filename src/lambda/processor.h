#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "events/dead_letters.h"
#include "events/event_load.h"
#include "events/queue_worker.h"
#include "lambda/runtime.h"
#include "telemetry/log.h"

namespace meterline::lambda {

struct ProcessorOptions {
  int receives_max = 5;  ///< Of a message of a queue; then it is given up.
  /// So long before the function is killed, and at most a fifth of its time, loads are told to give
  /// up, so that they end well.
  std::chrono::milliseconds margin{5000};
};

/// Loads what events name: those of a bucket or of EventBridge as they come, or a batch of messages
/// of a queue. What will fail again goes to the dead letters, and counts as done. What may succeed
/// later is failed: an event as a whole, so that Lambda invokes again; of a batch only the messages
/// concerned (`batchItemFailures`).
///
/// Threads: one invocation at a time. All must outlive it.
class Processor {
 public:
  struct Parts {
    events::DeadLetters& dead_letters;
    events::MessageLoad load;
    telemetry::Log& log;
  };
  Processor(Parts parts, ProcessorOptions options) : parts_(std::move(parts)), options_(options) {}

  tl::expected<std::string, InvocationError> process(const Invocation& invocation);

 private:
  /// Of a batch.
  struct QueueMessage {
    std::string id;
    std::string body;
    int receives = 1;
  };
  static std::vector<QueueMessage> messages_of(const std::string& payload);
  tl::expected<std::string, InvocationError> process_event(const Invocation& invocation,
                                                           const std::atomic<bool>& stop);
  std::string process_batch(const std::string& request_id,
                            const std::vector<QueueMessage>& messages,
                            const std::atomic<bool>& stop);
  events::MessageResult process_message(const std::string& request_id, const QueueMessage& message,
                                        const std::atomic<bool>& stop);

  const Parts parts_;
  const ProcessorOptions options_;
};

}  // namespace meterline::lambda
