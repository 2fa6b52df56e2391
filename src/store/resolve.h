#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/decimal.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// A day after its versions are resolved: each reading is that of the newest version that has
/// it. The newest version with any reading sets the interval and the zone; versions of another
/// interval length, number of slots or zone do not complete it, but for those of which no zone is
/// known.
struct ResolvedDay {
  /// What the slots that one version gave have in common.
  struct Part {
    Version version;
    std::int8_t exponent = 0;
  };

  Channel channel;
  Date date;
  IntervalLength interval;
  TimeZone zone;
  std::optional<ChannelFacts> facts;    ///< Of that version.
  std::vector<std::int64_t> mantissas;  ///< One a slot; zero where missing.
  std::vector<Quality> qualities;       ///< One a slot.
  Notes notes;                          ///< Of slots: each of the version that gave it.
  Part main;                            ///< The version is that of DayTotal.
  /// Versions that completed it, and for each slot a place there, plus one; zero is `main`, which
  /// missing slots have, too. Both are empty for most days, which are of one version.
  std::vector<Part> others;
  std::vector<std::uint16_t> part_of_slot;

  std::int64_t slots() const { return static_cast<std::int64_t>(mantissas.size()); }
  const Part& part(std::size_t slot) const {
    if (part_of_slot.empty() || part_of_slot[slot] == 0) return main;
    return others[std::size_t{part_of_slot[slot]} - 1];
  }
  Decimal reading(std::size_t slot) const {
    return {.mantissa = mantissas[slot], .exponent = part(slot).exponent};
  }
};

using ResolvedVisitor = std::function<Result<void>(const ResolvedDay&)>;

/// Reads days and resolves each; visited by (date, channel) ascending. The ResolvedDay is
/// valid during the call only.
Result<void> read_resolved(const Store& store, const DaysQuery& query,
                           const ResolvedVisitor& visit);

/// One day, as the MeterDays of a store that makes total after total.
class ResolvedDays final : public MeterDays {
 public:
  /// `total` must outlive it.
  explicit ResolvedDays(const DayTotal& total, IntervalLength interval = {});

  void fill(std::uint32_t /*day*/, DayTotal& total) const override { total = total_; }
  IntervalLength interval(std::uint32_t /*day*/) const override { return interval_; }

 private:
  const DayTotal& total_;
  const IntervalLength interval_;
};

/// Store::read_months of the meters that the query names, from all that is stored of their days.
Result<void> read_resolved_months(const Store& store, const TotalsQuery& query,
                                  const MonthsVisitor& visit);

/// Resolves the versions of one (channel, date), given newest first.
class DayResolver {
 public:
  /// A version that can add nothing to a complete day is not even unpacked; one of a withdrawn
  /// delivery is as if it were not there.
  Result<void> add(const StoredDay& day);
  bool empty() const { return !any_; }
  const ResolvedDay& day() const { return day_; }
  void clear() { any_ = false; }

 private:
  void start(const StoredDay& day);
  void complete(Version version);
  void complete_notes();

  bool any_ = false;
  std::size_t missing_ = 0;  ///< Slots of day_ without a reading.
  ResolvedDay day_;
  ReadingDay scratch_;
};

/// Takes versions as Store::read_days() visits them, and visits each day when it is resolved.
class Resolving {
 public:
  explicit Resolving(ResolvedVisitor visit) : visit_(std::move(visit)) {}

  Result<void> operator()(const StoredDay& day);
  Result<void> finish();  ///< Visits the last one.

 private:
  const ResolvedVisitor visit_;
  DayResolver resolver_;
};

/// Sums a resolved day. `too_large` when the sum overflows.
Result<DayTotal> total_of(const MeterId& meter, const ResolvedDay& day);

}  // namespace meterline::store
