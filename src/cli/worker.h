#pragma once

#include <string>

#include "cli/event_parts.h"
#include "cli/session.h"

namespace meterline::cli {

struct WorkerVerb {
  std::string queue;
  EventOptions events;
  int concurrency = 2;
  int visibility_s = 60;
  int wait_s = 10;
  int grace_s = 25;
  std::string health_listen;       ///< ADDRESS:PORT; empty: no server.
  std::string service = "worker";  ///< In metrics.
};

/// Loads what the messages of a queue name until SIGINT or SIGTERM; then what is in work has its
/// grace, and the rest is put back. The exit code: 0 stopped as asked, 1 the queue or the store
/// cannot be used, 2 wrong usage.
int worker(const WorkerVerb& verb, const Session& session);

}  // namespace meterline::cli
