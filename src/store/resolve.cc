#include "store/resolve.h"

#include <algorithm>
#include <array>

#include "core/try.h"
#include "store/packed_day.h"

namespace meterline::store {
namespace {

std::size_t count_missing(const std::vector<Quality>& qualities) {
  return static_cast<std::size_t>(std::count(qualities.begin(), qualities.end(), Quality::missing));
}

QualityCounts count_qualities(const std::vector<Quality>& qualities) {
  std::array<std::int64_t, 4> counts{};
  for (const Quality quality : qualities) ++counts[static_cast<std::size_t>(quality)];
  return {
      .actual = counts[0], .substituted = counts[1], .estimated = counts[2], .missing = counts[3]};
}

/// Adds up neighbours of one exponent in 64 bits, which is what nearly every day consists of.
/// A missing reading is zero and may be added like any other.
Result<Sum> sum_of(const std::vector<Decimal>& readings) {
  Sum sum;
  Decimal run;
  for (const Decimal& reading : readings) {
    std::int64_t added = 0;
    if (reading.exponent == run.exponent &&
        !__builtin_add_overflow(run.mantissa, reading.mantissa, &added)) {
      run.mantissa = added;
      continue;
    }
    if (run.mantissa != 0) METERLINE_CHECK(sum.add(run));
    run = reading;
  }
  METERLINE_CHECK(sum.add(run));
  return sum;
}

}  // namespace

Result<void> DayResolver::add(const StoredDay& day) {
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
  day_.version = day.version;
  day_.qualities.swap(scratch_.qualities);
  missing_ = count_missing(day_.qualities);

  const std::size_t slots = day_.qualities.size();
  day_.versions.assign(slots, day.version);
  day_.readings.resize(slots);
  for (std::size_t slot = 0; slot < slots; ++slot)
    day_.readings[slot] = {.mantissa = scratch_.mantissas[slot], .exponent = scratch_.exponent};
}

void DayResolver::complete(Version version) {
  const std::size_t slots = day_.qualities.size();
  if (scratch_.interval != day_.interval || scratch_.qualities.size() != slots) return;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    if (day_.qualities[slot] != Quality::missing) continue;
    if (scratch_.qualities[slot] == Quality::missing) continue;
    day_.qualities[slot] = scratch_.qualities[slot];
    day_.readings[slot] = {.mantissa = scratch_.mantissas[slot], .exponent = scratch_.exponent};
    day_.versions[slot] = version;
    --missing_;
  }
}

Result<void> read_resolved(const Store& store, const DaysQuery& query,
                           const ResolvedVisitor& visit) {
  DayResolver resolver;
  METERLINE_CHECK(store.read_days(query, [&](const StoredDay& day) -> Result<void> {
    const bool same_day = !resolver.empty() && resolver.day().date == day.date &&
                          resolver.day().channel == day.channel;
    if (!resolver.empty() && !same_day) {
      METERLINE_CHECK(visit(resolver.day()));
      resolver.clear();
    }
    return resolver.add(day);
  }));
  if (!resolver.empty()) METERLINE_CHECK(visit(resolver.day()));
  return {};
}

Result<void> Store::read_meter_totals(const DaysQuery& query,
                                      const MeterTotalVisitor& visit) const {
  return read_resolved(*this, query, [&](const ResolvedDay& day) -> Result<void> {
    METERLINE_TRY(const auto total, total_of(query.meter, day));
    return visit(total, day.interval);
  });
}

Result<DayTotal> total_of(const MeterId& meter, const ResolvedDay& day) {
  METERLINE_TRY(const Sum sum, sum_of(day.readings));
  const QualityCounts quality = count_qualities(day.qualities);
  return DayTotal{.meter = meter,
                  .channel = day.channel,
                  .date = day.date,
                  .sum = sum,
                  .readings = day.slots() - quality.missing,
                  .expected = day.slots(),
                  .quality = quality,
                  .version = day.version};
}

}  // namespace meterline::store
