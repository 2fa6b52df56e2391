#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// What a store can be wrong about.
enum class DamageKind : std::uint8_t {
  day,       ///< A reading day or register read that cannot be read, or stands where it should not.
  meter,     ///< What is known of a meter is not what its days say.
  total,     ///< A day's total is not what its readings add up to.
  delivery,  ///< A delivery has not brought what its report says.
  file,      ///< A file of the store is not what was written; nothing else is looked at then.
};
std::string_view text_of(DamageKind kind);

struct Damage {
  DamageKind kind = DamageKind::day;
  std::string where;  ///< `meter A, 2019-01-01, consumption/consumption/kWh`, `delivery 0a1b...`
  std::string text;   ///< What is wrong.
  bool operator==(const Damage&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Damage& damage) {
    return out << text_of(damage.kind) << ": " << damage.where << ": " << damage.text;
  }
};

struct CheckReport {
  std::vector<StoreFigure> layout;  ///< What the store tells with StatusOf::files.
  std::int64_t meters = 0;
  std::int64_t days = 0;            ///< Every version of every reading day.
  std::int64_t readings = 0;        ///< In those.
  std::int64_t register_reads = 0;  ///< Every version of each.
  std::int64_t totals = 0;          ///< Meters, channels and dates whose totals were compared.
  std::int64_t deliveries = 0;

  /// Days and register reads of deliveries that the store does not list: loads that never finished,
  /// or that run now. No damage: loading those deliveries again completes them.
  std::int64_t unfinished_days = 0;
  std::int64_t unfinished_deliveries = 0;

  /// Readings that reports name and that are not there: pruned or erased since. Of deliveries
  /// received up to the last amendment less is no damage, and cannot be told from it.
  std::int64_t amended_readings = 0;
  std::int64_t amended_deliveries = 0;

  std::int64_t damage_count = 0;
  std::vector<Damage> damage;  ///< The first of it, up to the cap.
};

struct CheckOptions {
  std::size_t damage_max = 1000;  ///< Told of; what is above is only counted.
  /// Dates with wrong totals whose meters are named; of others the date alone is told.
  std::size_t dates_examined_max = 10;
  /// Meters of one date that are compared at a time: what bounds the memory.
  std::size_t meters_compared_max = 1'000'000;
};

struct CheckHooks {
  const std::atomic<bool>* stop = nullptr;      ///< true: end soon, with `cancelled`.
  std::atomic<std::int64_t>* meters = nullptr;  ///< Counts as it goes.
  std::atomic<std::int64_t>* days = nullptr;
};

/// Compares what is in a store with itself: every packed day can be read, what is known of meters
/// agrees with their days, the days' totals with their readings, and the deliveries' reports with
/// the days they brought. Reads all of the store; memory grows by some 100 bytes for each
/// delivery and 30 for each date, and not with meters or days.
///
/// Damage is in the report and no error. A store that is written to meanwhile may be found to
/// contradict itself where it does not: check again then. Register reads are read and counted, too.
/// Errors: `unavailable` and the like from the store, `cancelled`.
Result<CheckReport> check_store(const Store& store, const CheckOptions& options = {},
                                const CheckHooks& hooks = {});

}  // namespace meterline::store
