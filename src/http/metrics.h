#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/delivery.h"
#include "core/instant.h"
#include "http/server.h"
#include "store/store.h"

namespace meterline::http {

/// Whether a request is for what Metrics::wrap() adds.
bool is_metrics(const api::Request& request);

/// Counts what a server does, for Prometheus.
///
/// Threads: every method may be called from many threads at once.
class Metrics {
 public:
  virtual ~Metrics() = default;

  /// The handler, counted, and with `GET /metrics` added. The Metrics must outlive it. That a body
  /// is wanted (status 100) is no answer, and not counted.
  virtual Handler wrap(Handler handler) = 0;

  /// Shows also what the store asks of its servers, or, of one inside of this process, how large it
  /// is and when it received something last; it must outlive the Metrics. Call before wrap().
  virtual void watch(const store::Store& store) = 0;

  /// Shows also when the last backup was made, where that is known. Call before wrap().
  virtual void watch_backups(std::function<std::optional<Instant>()> last) = 0;

  /// Shows also what the server has in hand, which must outlive the Metrics. Call before wrap().
  virtual void watch(const Usage& usage) = 0;

  /// Counts what became of an upload.
  virtual void count_upload(const DeliveryReport& report) = 0;
};

std::unique_ptr<Metrics> make_metrics();

}  // namespace meterline::http
