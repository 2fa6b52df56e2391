#include "cli/worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <optional>
#include <thread>

#include "api/api.h"
#include "api/problem.h"
#include "aws/queue.h"
#include "cli/exit_code.h"
#include "cli/serve.h"
#include "cli/stop_signals.h"
#include "core/try.h"
#include "events/queue_worker.h"
#include "http/metrics.h"
#include "http/server.h"

namespace meterline::cli {
namespace {

/// /healthz, /readyz and /metrics of a worker, and nothing of its store.
class HealthServer {
 public:
  HealthServer(http::Metrics& metrics, store::Store& store, telemetry::Log& log)
      : context_{.store = store,
                 .ingest = {},
                 .now = [] { return Instant{}; },
                 .stopping = &stopping_},
        metrics_(metrics),
        log_(log) {}

  /// Answers from now on; does nothing when `listen` is empty.
  Result<void> start(const std::string& listen) {
    if (listen.empty()) return {};
    METERLINE_TRY(auto address, parse_listen(listen, "--health-listen"));
    METERLINE_TRY(server_, http::start({.address = address.address,
                                        .port = address.port,
                                        .threads = 1,
                                        .upload_threads = 1,
                                        .log = &log_,
                                        .connections_max = connections_max},
                                       metrics_.wrap([this](const api::Request& request) {
                                         return answer(request);
                                       })));
    address.port = server_->port();
    print_text(fmt::format("listening on http://{}\n", address.text()));
    std::fflush(stdout);
    return {};
  }

  void tell_stopping() { stopping_ = true; }

 private:
  static constexpr std::size_t connections_max = 100;

  api::Response answer(const api::Request& request) const {
    const auto route = request.target.name();
    if (route == "health" || route == "ready" || route == "problems")
      return api::handle(request, context_);
    return api::problem(404, "a worker has /healthz, /readyz and /metrics only");
  }

  std::atomic<bool> stopping_ = false;
  const api::Context context_;
  http::Metrics& metrics_;
  telemetry::Log& log_;
  std::unique_ptr<http::Server> server_;
};

int threads_of_a_load(const WorkerVerb& verb) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return std::max(1, cores / verb.concurrency);
}

events::QueueWorkerOptions options_of(const WorkerVerb& verb) {
  return {.concurrency = verb.concurrency,
          .visibility = std::chrono::seconds(verb.visibility_s),
          .wait = std::chrono::seconds(verb.wait_s),
          .grace = std::chrono::seconds(verb.grace_s),
          .receives_max = verb.events.receives_max};
}

/// Works until a signal comes or the queue turns out to be none.
Result<void> work(const WorkerVerb& verb, EventParts& parts, HealthServer& health) {
  const auto queue = aws::make_queue(parts.aws(), verb.queue);
  events::QueueWorker worker(
      {.queue = *queue,
       .dead_letters = parts.dead_letters(),
       .load = [&](auto id, auto message,
                   const auto& stop) { return parts.load().load(id, message, stop); },
       .ready = [&] { return parts.store().ready(); },
       .log = parts.log()},
      options_of(verb));
  const StopSignals signals;
  Result<void> result;
  std::jthread running([&] {
    result = worker.run();
    signals.stop();
  });
  parts.log().info("working", {{"queue", verb.queue}, {"concurrency", verb.concurrency}});
  signals.wait();
  health.tell_stopping();
  parts.log().info("stopping", {{"graceSeconds", verb.grace_s}});
  worker.stop();
  running.join();
  return result;
}

}  // namespace

int worker(const WorkerVerb& verb, const Session& session) {
  const auto metrics = http::make_metrics();
  auto parts = EventParts::open(
      verb.events, session,
      {.names = {.service = verb.service, .source = verb.queue},
       .threads = threads_of_a_load(verb),
       .on_delivery = [&](const DeliveryReport& report) { metrics->count_upload(report); }});
  if (!parts) return report_error(parts.error());
  metrics->watch((*parts)->store());
  HealthServer health(*metrics, (*parts)->store(), (*parts)->log());
  if (const auto started = health.start(verb.health_listen); !started)
    return report_error(started.error());
  const auto result = work(verb, **parts, health);
  if (result) return exit_ok;
  tell(fmt::format("meterline: --queue {}: {}\n", verb.queue, result.error().message));
  return exit_failed;
}

}  // namespace meterline::cli
