#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aws/queue.h"
#include "core/result.h"
#include "events/dead_letters.h"
#include "events/event_load.h"
#include "telemetry/log.h"

namespace meterline::events {

struct QueueWorkerOptions {
  int concurrency = 2;                  ///< Messages in work at once.
  std::chrono::seconds visibility{60};  ///< A message of a worker that died comes back after it.
  std::chrono::seconds wait{10};        ///< Of a receive, for the first message; 0 to 20.
  std::chrono::seconds grace{25};       ///< From stop() until loads are told to give up.
  int receives_max = 5;                 ///< A message that failed so often is given up.
  std::chrono::milliseconds first_backoff{1000};      ///< After an error of the queue, doubled
  std::chrono::milliseconds longest_backoff{60'000};  ///< up to this.
  RetryTimes retry;
};

/// What is done with a message; EventLoad::load().
using MessageLoad = std::function<MessageResult(
    std::string_view request_id, std::string_view message, const std::atomic<bool>& stop)>;

/// Works on the messages of a queue. A message is removed only after what it names is durable, or
/// it is in the dead letters; until then it is hidden from others and kept so by a heartbeat.
/// Losing it to another worker does no harm, as loads are idempotent.
///
/// Threads: run() in one, stop() from any. All must outlive it.
class QueueWorker {
 public:
  struct Parts {
    aws::Queue& queue;
    DeadLetters& dead_letters;
    MessageLoad load;
    /// Whether loads can succeed now; no message is received before.
    std::function<Result<void>()> ready;
    telemetry::Log& log;
  };
  QueueWorker(Parts parts, QueueWorkerOptions options);

  /// Until stop(). Errors of the queue are waited out, but those that say at the very start that it
  /// cannot be used are returned: `not_found`, `refused`, `invalid_argument`.
  Result<void> run();

  /// Receives no more; what is in work has the grace to end, and is then put back into the queue.
  void stop();

 private:
  enum class Stage {
    waiting,  ///< For a thread, for an instant.
    begun,
    ending,  ///< The queue is told what became of it: no more heartbeats.
  };
  enum class Hold { kept, lost };
  struct InWork {
    aws::Message message;
    Stage stage = Stage::waiting;
    Hold hold = Hold::kept;
  };
  using Place = std::list<InWork>::iterator;

  Result<void> receive_until_stopped();
  std::size_t wait_for_room();
  void wait_for(std::chrono::milliseconds time);
  void take(std::vector<aws::Message> messages);
  void end_work();

  void work_until_ended();
  Place find_waiting();
  void work_on(Place place);
  void put_back(Place place);
  void end_beats(Place place);
  void finish(const aws::Message& message, MessageResult result);
  void retry(const aws::Message& message, std::chrono::seconds after);

  void beat_until_ended();
  void beat(const std::string& receipt);
  InWork* find_held(const std::string& receipt);

  const Parts parts_;
  const QueueWorkerOptions options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  ///< Receive no more.
  bool ended_ = false;     ///< All is done, the threads end.
  std::list<InWork> in_work_;
  std::atomic<bool> give_up_ = false;
  std::mutex beat_mutex_;  ///< Held during a heartbeat, so that none comes after the last word.
};

}  // namespace meterline::events
