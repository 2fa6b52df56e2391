#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/session.h"
#include "cli/logging.h"
#include "cli/session.h"
#include "core/delivery.h"
#include "core/result.h"
#include "events/dead_letters.h"
#include "events/event_load.h"
#include "store/store.h"
#include "telemetry/embedded_metrics.h"
#include "telemetry/log.h"

namespace meterline::cli {

/// Options of the verbs that work for AWS.
struct EventOptions {
  std::string dead_letter_queue;
  std::string buckets;  ///< Joined by commas.
  FileOptions files;
  LogOptions log{.format = "json"};
  int receives_max = 5;
};

/// All that loads by event: a store that is open, the objects, the dead letters.
class EventParts {
 public:
  struct Names {
    std::string service;  ///< In metrics.
    std::string source;   ///< Of dead letters.
  };
  struct Settings {
    Names names;
    int threads = 0;                                         ///< That parse one file.
    std::function<void(const DeliveryReport&)> on_delivery;  ///< From any thread; may be empty.
  };
  static Result<std::unique_ptr<EventParts>> open(const EventOptions& options,
                                                  const Session& session, const Settings& settings);

  telemetry::Log& log() { return *log_; }
  store::Store& store() { return *store_; }
  events::DeadLetters& dead_letters() { return *dead_letters_; }
  events::EventLoad& load() { return *load_; }
  const std::shared_ptr<aws::Session>& aws() { return aws_; }

 private:
  EventParts() = default;
  events::EventLoadOptions load_options(const EventOptions& options, ingest::IngestOptions ingest,
                                        const Settings& settings);

  std::unique_ptr<telemetry::Log> log_;
  std::unique_ptr<telemetry::EmbeddedMetrics> metrics_;
  std::unique_ptr<store::Store> store_;
  std::shared_ptr<aws::Session> aws_;
  std::unique_ptr<events::DeadLetters> dead_letters_;
  std::unique_ptr<events::EventLoad> load_;
};

}  // namespace meterline::cli
