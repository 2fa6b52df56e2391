#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/delivery.h"

namespace meterline::store {

enum class RepairMode : std::uint8_t {
  look,   ///< Tells what a repair would do, and changes nothing.
  apply,  ///< Puts what is whole in the store's place, and keeps the damaged database beside it.
};

/// A delivery that is lost. All of this was read out of damaged bytes, so it may be wrong.
struct LostDelivery {
  DeliveryId id;
  std::string source;    ///< Empty where it cannot be read.
  Instant delivered_at;  ///< Only where source is not empty.
};

/// Bytes of a log that are no whole writes.
struct LostBytes {
  std::filesystem::path file;
  std::uint64_t from = 0;
  std::uint64_t to = 0;  ///< Exclusive.
  std::string reason;
  std::vector<LostDelivery> deliveries;  ///< As far as they can be read.
};

struct RepairReport {
  std::int64_t writes_kept = 0;  ///< Whole ones in the logs.
  std::vector<LostBytes> lost;
  /// Small deliveries whose days were there and their record was not: never acknowledged.
  std::int64_t dropped = 0;
  /// Where the damaged database is now; empty where nothing was changed.
  std::filesystem::path damaged;

  bool finds_damage() const { return !lost.empty() || dropped > 0; }
};

}  // namespace meterline::store
