#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/objects.h"
#include "events/s3_event.h"
#include "ingest/ingest.h"
#include "store/store.h"
#include "telemetry/log.h"

namespace meterline::events {

/// What is to become of a message; the worst comes last.
enum class MessageEnd {
  done,   ///< All that it names is stored, or nothing of it is for us: remove it.
  dead,   ///< It will fail again however often it is tried: to the dead letters, with `reason`.
  retry,  ///< Try again later.
};

struct MessageResult {
  MessageEnd end = MessageEnd::done;
  std::string reason;  ///< Unless done.
  std::string object;  ///< `s3://bucket/key` that the reason is about, where it is about one.
};

/// Until a message that failed is tried again: `first`, then doubled up to `longest`.
struct RetryTimes {
  std::chrono::seconds first{10};
  std::chrono::seconds longest{600};

  /// `receives`: how often it was received so far, 1 at least.
  std::chrono::seconds after(int receives) const;
};

struct EventLoadOptions {
  ingest::IngestOptions ingest;
  /// Buckets whose objects are loaded; others are ignored with a line in the log. Empty: all.
  std::vector<std::string> buckets;
  /// Told of each delivery, and how long it took; from any thread.
  std::function<void(const DeliveryReport&, std::chrono::microseconds)> on_delivery;
};

/// Loads the objects that a message names, and tells the log of each: who asked (request id),
/// which delivery, rows and findings, how long it took.
///
/// Threads: load() may be called from many threads at once. All must outlive it.
class EventLoad {
 public:
  EventLoad(std::shared_ptr<aws::Objects> objects, store::Store& store, telemetry::Log& log,
            EventLoadOptions options);

  /// A refused file or an object that is gone makes the message `dead`, but only after the other
  /// objects of it are stored; `retry` when one of them could not be, now. When `stop` becomes true
  /// it gives up soon: `retry`.
  MessageResult load(std::string_view request_id, std::string_view message,
                     const std::atomic<bool>& stop);

 private:
  bool is_for_us(std::string_view request_id, const aws::ObjectName& name);
  MessageResult load_object(std::string_view request_id, const CreatedObject& object,
                            const std::atomic<bool>& stop);

  std::shared_ptr<aws::Objects> objects_;
  store::Store& store_;
  telemetry::Log& log_;
  const EventLoadOptions options_;
};

}  // namespace meterline::events
