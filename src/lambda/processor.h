#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "aws/queue.h"
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
  events::RetryTimes retry;  ///< Of messages of a queue.
};

/// Loads what events name: those of a bucket or of EventBridge as they come, or a batch of messages
/// of a queue. What will fail again goes to the dead letters, and counts as done. What may succeed
/// later is failed: an event as a whole, so that Lambda invokes again; of a batch only the messages
/// concerned (`batchItemFailures`), which come again after ProcessorOptions::retry.
///
/// Threads: one invocation at a time. All must outlive it.
class Processor {
 public:
  struct Parts {
    events::DeadLetters& dead_letters;
    events::MessageLoad load;
    telemetry::Log& log;
    /// That batches come from; null: what failed stays hidden for the queue's own time.
    aws::Queue* queue = nullptr;
    /// Told how long requests to the store may take from now on; may be empty.
    std::function<void(std::chrono::milliseconds)> limit_store = {};
  };
  Processor(Parts parts, ProcessorOptions options) : parts_(std::move(parts)), options_(options) {}

  tl::expected<std::string, InvocationError> process(const Invocation& invocation);

 private:
  /// Of a batch.
  struct QueueMessage {
    std::string id;
    std::string receipt;
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
  void come_again(const std::string& request_id, const QueueMessage& message,
                  std::chrono::seconds after);

  const Parts parts_;
  const ProcessorOptions options_;
};

}  // namespace meterline::lambda
