#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "store/store.h"

namespace meterline::store {

/// What a store on servers charges for what was written.
struct WriteCost {
  std::int64_t rows = 0;
  std::int64_t units = 0;  ///< Of writing.
  bool operator==(const WriteCost&) const = default;
};

/// What deliveries would take in a store that held nothing before.
struct StoreEstimate {
  std::int64_t reading_days = 0;    ///< Every version of each.
  std::int64_t register_reads = 0;  ///< Every version of each.
  std::int64_t meters = 0;          ///< That have days.
  std::optional<DateRange> dates;   ///< Of the days; empty where there are none.
  std::int64_t packed_bytes = 0;    ///< Of all days and reads: packed_day.h, packed_read.h.
  /// In the embedded store once it is compacted, about: docs/use/dry-run.md tells how close.
  std::int64_t embedded_bytes = 0;
  std::optional<WriteCost> servers;  ///< Empty without a Pricing.
};

/// Writes deliveries as a store on servers would that held nothing before, and counts what that
/// costs instead of sending it.
///
/// Threads: every method may be called from many threads at once.
class Pricing {
 public:
  virtual ~Pricing() = default;
  /// See Store::write.
  virtual Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) = 0;
  virtual WriteCost cost() const = 0;
};

}  // namespace meterline::store
