#include "store/resolve.h"

#include <algorithm>
#include <functional>

#include "core/try.h"
#include "store/packed_day.h"

namespace meterline::store {
namespace {

std::size_t count_missing(const std::vector<Quality>& qualities) {
  return static_cast<std::size_t>(std::count(qualities.begin(), qualities.end(), Quality::missing));
}

QualityCounts count_qualities(const std::vector<Quality>& qualities) {
  const auto count = [&](Quality quality) {
    return std::int64_t{std::count(qualities.begin(), qualities.end(), quality)};
  };
  const auto slots = static_cast<std::int64_t>(qualities.size());
  if (const auto actual = count(Quality::actual); actual == slots) return {.actual = slots};
  return {.actual = count(Quality::actual),
          .substituted = count(Quality::substituted),
          .estimated = count(Quality::estimated),
          .missing = count(Quality::missing)};
}

/// Of no more than slots_max mantissas, which always fit. A missing one is zero.
Int128 sum_of(const std::vector<std::int64_t>& mantissas) {
  Int128 sum = 0;
  for (const auto mantissa : mantissas) sum += mantissa;
  return sum;
}

Result<Sum> sum_of(const ResolvedDay& day) {
  if (day.others.empty()) return Sum(sum_of(day.mantissas), day.main.exponent);
  std::vector<Int128> sums(day.others.size() + 1);
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot)
    sums[day.part_of_slot[slot]] += day.mantissas[slot];
  Sum sum(sums[0], day.main.exponent);
  for (std::size_t i = 0; i < day.others.size(); ++i)
    METERLINE_CHECK(sum.add(Sum(sums[i + 1], day.others[i].exponent)));
  return sum;
}

}  // namespace

Result<void> DayResolver::add(const StoredDay& day) {
  if (day.withdrawn) return {};
  if (any_ && missing_ == 0) return {};
  METERLINE_CHECK(unpack_day(day.packed, scratch_));
  if (!any_ || missing_ == day_.qualities.size()) {
    const bool has_reading = count_missing(scratch_.qualities) < scratch_.qualities.size();
    if (!any_ || has_reading) start(day);
    return {};
  }
  complete(day.version);
  return {};
}

void DayResolver::start(const StoredDay& day) {
  any_ = true;
  day_.channel = day.channel;
  day_.date = day.date;
  day_.interval = scratch_.interval;
  day_.zone = scratch_.zone;
  day_.main = {.version = day.version, .exponent = scratch_.exponent};
  day_.mantissas.swap(scratch_.mantissas);
  day_.qualities.swap(scratch_.qualities);
  day_.notes.swap(scratch_.notes);
  day_.others.clear();
  day_.part_of_slot.clear();
  missing_ = count_missing(day_.qualities);
}

void DayResolver::complete(Version version) {
  const std::size_t slots = day_.qualities.size();
  if (scratch_.interval != day_.interval || scratch_.qualities.size() != slots) return;
  if (scratch_.zone != day_.zone && scratch_.zone.is_known() && day_.zone.is_known()) return;
  bool is_part = false;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    if (day_.qualities[slot] != Quality::missing) continue;
    if (scratch_.qualities[slot] == Quality::missing) continue;
    if (!is_part) day_.others.push_back({.version = version, .exponent = scratch_.exponent});
    is_part = true;
    day_.part_of_slot.resize(slots);
    day_.part_of_slot[slot] = static_cast<std::uint16_t>(day_.others.size());
    day_.qualities[slot] = scratch_.qualities[slot];
    day_.mantissas[slot] = scratch_.mantissas[slot];
    --missing_;
  }
  const bool any_notes = !day_.notes.empty() || !scratch_.notes.empty();
  if (is_part && any_notes) complete_notes();
}

/// Slots that the version in scratch_ gave get its notes, or none.
void DayResolver::complete_notes() {
  Notes notes;
  for (std::size_t slot = 0; slot < day_.part_of_slot.size(); ++slot) {
    const bool is_of_scratch = day_.part_of_slot[slot] == day_.others.size();
    const auto* const note = note_at(is_of_scratch ? scratch_.notes : day_.notes, slot);
    if (note != nullptr) append(notes, slot, slot + 1, *note);
  }
  day_.notes.swap(notes);
}

Result<void> read_resolved(const Store& store, const DaysQuery& query,
                           const ResolvedVisitor& visit) {
  Resolving resolving(visit);
  METERLINE_CHECK(store.read_days(query, std::ref(resolving)));
  return resolving.finish();
}

Result<void> Resolving::operator()(const StoredDay& day) {
  const bool is_same = !resolver_.empty() && resolver_.day().date == day.date &&
                       resolver_.day().channel == day.channel;
  if (!is_same) METERLINE_CHECK(finish());
  return resolver_.add(day);
}

Result<void> Resolving::finish() {
  if (resolver_.empty()) return {};
  METERLINE_CHECK(visit_(resolver_.day()));
  resolver_.clear();
  return {};
}

ResolvedDays::ResolvedDays(const DayTotal& total, IntervalLength interval)
    : MeterDays({.meter = total.meter,
                 .channel = total.channel,
                 .first = total.date,
                 .stored = 1,
                 .complete = total.readings == total.expected ? 1U : 0U}),
      total_(total),
      interval_(interval) {}

Result<void> read_resolved_months(const Store& store, const TotalsQuery& query,
                                  const MonthsVisitor& visit) {
  for (const auto& meter : *query.meters)
    METERLINE_CHECK(read_resolved(store,
                                  {.meter = meter, .dates = query.dates, .as_of = query.as_of},
                                  [&](const ResolvedDay& day) -> Result<void> {
                                    METERLINE_TRY(const auto total, total_of(meter, day));
                                    return visit.days(ResolvedDays(total, day.interval));
                                  }));
  return {};
}

Result<DayTotal> total_of(const MeterId& meter, const ResolvedDay& day) {
  METERLINE_TRY(const Sum sum, sum_of(day));
  const QualityCounts quality = count_qualities(day.qualities);
  return DayTotal{.meter = meter,
                  .channel = day.channel,
                  .date = day.date,
                  .sum = sum,
                  .readings = day.slots() - quality.missing,
                  .expected = day.slots(),
                  .quality = quality,
                  .version = day.main.version,
                  .zone = day.zone};
}

}  // namespace meterline::store
