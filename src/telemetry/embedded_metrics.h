#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/delivery.h"
#include "telemetry/log.h"

namespace meterline::telemetry {

/// Metrics of an event as a line of the log that CloudWatch reads them out of, in the namespace
/// `meterline` with the one dimension `Service`. Nothing is written to a log that is text.
/// Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
///
/// Threads: may be used from many threads at once. The log must outlive it.
class EmbeddedMetrics {
 public:
  /// `service`: which part of the system this is, such as the name of a function.
  EmbeddedMetrics(Log& log, std::string service);

  /// What became of a delivery, and how long it took: DeliveriesStored, DeliveriesSkipped,
  /// DeliveriesRefused or DeliveriesFailed; RowsRead, RowsStored, RowsRepeated, RowsRejected,
  /// ReadingsStored, ReadingsMissing, ReadingsRejected, Findings (none of these when it was
  /// skipped); DeliveryDuration.
  void delivery(const DeliveryReport& report, std::chrono::microseconds took);

  /// A message that went to the dead letters: DeadLetters.
  void dead_letter();

  /// A request that was answered: Requests, RequestErrors (status 500 and above),
  /// RequestDuration. The route stands beside them as a property.
  void request(std::string_view route, int status, std::chrono::microseconds took);

 private:
  Log& log_;
  const std::string service_;
};

}  // namespace meterline::telemetry
