#pragma once

#include <optional>
#include <vector>

#include "core/decimal.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// A day after its versions are resolved: each reading is that of the newest version that has
/// it. The newest version with any reading sets the interval; versions of another interval
/// length or number of slots do not complete it.
struct ResolvedDay {
  Channel channel;
  Date date;
  IntervalLength interval;
  std::vector<Decimal> readings;   ///< One a slot; zero where missing.
  std::vector<Quality> qualities;  ///< One a slot.
  std::vector<Version> versions;   ///< One a slot; of a missing slot, that of the day.
  Version version;                 ///< As in DayTotal.

  std::int64_t slots() const { return static_cast<std::int64_t>(readings.size()); }
};

using ResolvedVisitor = std::function<Result<void>(const ResolvedDay&)>;

/// Reads days and resolves each; visited by (date, channel) ascending. The ResolvedDay is
/// valid during the call only.
Result<void> read_resolved(const Store& store, const DaysQuery& query,
                           const ResolvedVisitor& visit);

/// Resolves the versions of one (channel, date), given newest first.
class DayResolver {
 public:
  /// A version that can add nothing to a complete day is not even unpacked.
  Result<void> add(const StoredDay& day);
  bool empty() const { return !any_; }
  const ResolvedDay& day() const { return day_; }
  void clear() { any_ = false; }

 private:
  void start(const StoredDay& day);
  void complete(Version version);

  bool any_ = false;
  std::size_t missing_ = 0;  ///< Slots of day_ without a reading.
  ResolvedDay day_;
  ReadingDay scratch_;
};

/// Sums a resolved day. `too_large` when the sum overflows.
Result<DayTotal> total_of(const MeterId& meter, const ResolvedDay& day);

}  // namespace meterline::store
