#include "query/base_load.h"

#include <algorithm>
#include <map>

#include "core/try.h"

namespace meterline::query {
namespace {

constexpr std::size_t percentile_thousandths = 25;
constexpr std::size_t thousand = 1000;

/// Of so many, which one is the percentile: 0 is the smallest.
std::size_t rank_of(std::size_t count) {
  return (count * percentile_thousandths + thousand - 1) / thousand - 1;
}

bool is_complete(const store::ResolvedDay& day) {
  return day.slots() > 0 &&
         std::count(day.qualities.begin(), day.qualities.end(), Quality::missing) == 0;
}

/// The mean load of an interval by its reading: what it would be in an hour. Power is that.
int per_hour(Unit unit, IntervalLength interval) {
  return adds_up(unit) ? 60 / interval.minutes() : 1;
}

/// Of a complete day.
Result<Sum> base_of(const store::ResolvedDay& day, int hourly) {
  const auto slots = day.mantissas.size();
  int exponent = 0;
  for (std::size_t slot = 0; slot < slots; ++slot)
    exponent = std::min<int>(exponent, day.part(slot).exponent);
  std::vector<Int128> loads;
  loads.reserve(slots);
  for (std::size_t slot = 0; slot < slots; ++slot) {
    Sum load(0, exponent);  // All of one exponent, so that they compare as numbers.
    METERLINE_CHECK(load.add(day.reading(slot)));
    loads.push_back(load.mantissa());
  }
  const auto base = loads.begin() + static_cast<std::ptrdiff_t>(rank_of(slots));
  std::nth_element(loads.begin(), base, loads.end());
  Int128 load = 0;
  if (__builtin_mul_overflow(*base, Int128{hourly}, &load))
    return fail(Errc::too_large, "a load has more digits than an exact total can hold");
  return Sum(load, exponent);
}

struct Gathered {
  Sum sum;
  std::int64_t days = 0;
  std::int64_t intervals = 0;

  Result<void> add(const MeterDay& day) {
    if (day.stored == nullptr || !is_complete(*day.stored)) return {};
    METERLINE_TRY(const auto base, base_of(*day.stored, per_hour(day.channel.unit, day.interval)));
    METERLINE_CHECK(sum.add(base));
    ++days;
    intervals += day.slots;
    return {};
  }
};

}  // namespace

Result<BaseLoad> base_load(const store::Store& store, const MeterDaysQuestion& question,
                           StopFlag stop) {
  std::map<Channel, Gathered> gathered;
  METERLINE_TRY(const auto channels,
                each_meter_day(
                    store, question,
                    [&](const MeterDay& day) { return gathered[day.channel].add(day); }, stop));
  BaseLoad out{.question = question, .channels = {}};
  out.channels.reserve(channels.size());
  for (const auto& channel : channels) {
    const auto& found = gathered[channel];
    auto& one = out.channels.emplace_back();
    one.channel = channel;
    one.days = found.days;
    one.intervals = found.intervals;
    if (found.days == 0) continue;
    METERLINE_TRY(one.base, average_of(found.sum, found.days));
  }
  return out;
}

std::string_view base_unit(Unit kept) {
  switch (kept) {
    case Unit::kWh:
      return text_of(Unit::kW);
    case Unit::kvarh:
      return text_of(Unit::kvar);
    case Unit::kVAh:
      return text_of(Unit::kVA);
    case Unit::m3:
      return "m3/h";
    default:
      return adds_up(kept) ? std::string_view() : text_of(kept);
  }
}

}  // namespace meterline::query
