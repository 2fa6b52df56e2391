#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/date.h"
#include "core/instant.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// What is to go out of a store for good. Of what stays, answers are as they were:
/// - Of dates from `before` on, all of them.
/// - Where versions go, those as of now and as of every time from the receipt of the oldest version
///   of the day that is kept for itself: what completes such an answer stays, however old it is.
///   Withdrawing a delivery later shows older versions only as far as they are still there.
struct PruneRequest {
  /// Reading days before this one, and register reads of such days on the clocks they were told by.
  std::optional<Date> before = {};
  /// Of a day, or of a read, so many versions are kept for themselves, those received last. At
  /// least one.
  std::optional<std::size_t> versions = {};
  /// Or those received at this time and later; older ones only where answers as of it need them.
  std::optional<Instant> versions_since = {};
  /// Meters up to this one are passed over: a pruning that was ended goes on behind the last meter
  /// that it was done with, but nothing is wrong with it beginning anew.
  MeterId after = {};
  Instant now;  ///< By the caller's clock.
};

enum class PruneMode : std::uint8_t { prune, dry_run };

/// What went, or would go.
struct PruneReport {
  std::int64_t meters = 0;              ///< Looked at.
  std::int64_t meters_changed = 0;      ///< Of those.
  std::int64_t meters_emptied = 0;      ///< Of those, meters of which nothing is left.
  std::int64_t days = 0;                ///< Versions of reading days.
  std::int64_t reads = 0;               ///< Versions of register reads.
  std::optional<DateRange> dates = {};  ///< Of the days.
  MeterId last = {};                    ///< All meters up to this one are done with.
  bool operator==(const PruneReport&) const = default;
};

struct PruneHooks {
  const std::atomic<bool>* stop = nullptr;      ///< true: end soon, with `cancelled`.
  std::atomic<std::int64_t>* meters = nullptr;  ///< Counts as it goes.
  std::atomic<std::int64_t>* days = nullptr;
  /// As in Amendment; called for what is read, too.
  std::function<void(std::size_t requests)> pace = {};
};

/// Takes out of a store what is not to be kept. Ended at any point, `report` says how far it came,
/// and the same again completes it. Beside loads it may leave what they bring; memory is bounded by
/// the versions of one meter. Errors: `invalid_argument` for a request of nothing; those of the
/// store; `cancelled`.
Result<void> prune(Store& store, const PruneRequest& request, PruneMode mode,
                   const PruneHooks& hooks, PruneReport& report);

}  // namespace meterline::store
