#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aws/queue.h"
#include "core/result.h"
#include "events/event_load.h"
#include "telemetry/log.h"

namespace meterline::events {

/// A message that is given up.
struct DeadLetter {
  std::string_view body;        ///< As it was received.
  std::string_view request_id;  ///< Of the try that gave it up.
  MessageResult result;         ///< Why.
};

struct DeadLetterOptions {
  std::string source;               ///< The queue or function that gives messages up.
  std::function<void()> on_letter;  ///< Told of each that was sent; from any thread.
};

/// Sends messages that will fail however often they are tried to a queue for people to look at,
/// with the attributes `reason`, `source`, `requestId` and `object`.
///
/// Threads: may be used from many threads at once. The log must outlive it.
class DeadLetters {
 public:
  /// `queue`: null when there is none; then every send fails.
  DeadLetters(std::unique_ptr<aws::Queue> queue, telemetry::Log& log, DeadLetterOptions options);

  /// When it returns without error, the letter is in the queue. Errors: those of the queue, and
  /// `invalid_argument` where there is none.
  Result<void> send(const DeadLetter& letter);

 private:
  const std::unique_ptr<aws::Queue> queue_;
  telemetry::Log& log_;
  const DeadLetterOptions options_;
};

}  // namespace meterline::events
