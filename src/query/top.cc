#include "query/top.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/try.h"

namespace meterline::query {
namespace {

constexpr std::int64_t days_max = 14'610;
constexpr std::string_view highest = "highest";
constexpr std::string_view lowest = "lowest";

struct MeterTally {
  Sum sum;
  std::int64_t readings = 0;
  std::int64_t days = 0;
};
using Tallies = std::unordered_map<std::string, MeterTally>;

Result<void> check(const TopQuestion& question) {
  const DateRange& dates = question.dates;
  if (dates.to < dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", dates.to.text(), dates.from.text()));
  if (dates.size() > days_max)
    return fail(Errc::too_large, "more than 40 years asked for: ask for a shorter time");
  return {};
}

/// All sums of a channel with one exponent, so that they compare as numbers.
struct Ranked {
  Int128 mantissa;
  const std::string* meter;
  const MeterTally* tally;
};

Result<std::vector<Ranked>> ranked(const Tallies& tallies) {
  int exponent = 0;
  for (const auto& [meter, tally] : tallies) exponent = std::min(exponent, tally.sum.exponent());
  std::vector<Ranked> all;
  all.reserve(tallies.size());
  for (const auto& [meter, tally] : tallies) {
    Sum scaled(0, exponent);
    METERLINE_CHECK(scaled.add(tally.sum));
    all.push_back({.mantissa = scaled.mantissa(), .meter = &meter, .tally = &tally});
  }
  return all;
}

Result<TopChannel> listed(const Channel& channel, const Tallies& tallies,
                          const TopQuestion& question) {
  METERLINE_TRY(auto all, ranked(tallies));
  const bool is_highest = question.order == TopOrder::highest;
  const auto comes_first = [&](const Ranked& a, const Ranked& b) {
    if (a.mantissa != b.mantissa) return (a.mantissa > b.mantissa) == is_highest;
    return *a.meter < *b.meter;
  };
  const auto count = std::min(question.limit, all.size());
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(all.begin(), end, all.end(), comes_first);
  const auto unit = told_unit(channel.unit, question.unit);
  TopChannel out{.channel = channel, .meters = static_cast<std::int64_t>(all.size()), .listed = {}};
  out.channel.unit = unit;
  for (auto at = all.begin(); at != end; ++at) {
    auto& meter = out.listed.emplace_back();
    meter.meter = *MeterId::parse(*at->meter);
    meter.sum = at->tally->sum;
    meter.readings = at->tally->readings;
    meter.days = at->tally->days;
    METERLINE_CHECK(convert(meter.sum, channel.unit, unit));
  }
  return out;
}

}  // namespace

std::optional<TopOrder> parse_top_order(std::string_view text) {
  if (text == highest) return TopOrder::highest;
  return text == lowest ? std::optional(TopOrder::lowest) : std::nullopt;
}

std::string_view text_of(TopOrder order) { return order == TopOrder::highest ? highest : lowest; }

Result<Top> top(const store::Store& store, const TopQuestion& question, StopFlag stop) {
  METERLINE_CHECK(check(question));
  std::map<Channel, Tallies> channels;
  store::DayTotal day;
  const auto add = [&](const store::MeterDays& days) -> Result<void> {
    METERLINE_CHECK(check_stop(stop));
    if (!adds_up(days.channel.unit)) return {};
    if (!is_wanted(days.channel, question.channel, question.flow)) return {};
    MeterTally tally;
    METERLINE_CHECK(store::each_total(days, day, [&](const store::DayTotal& total) -> Result<void> {
      tally.readings += total.readings;
      if (total.readings == total.expected) ++tally.days;
      return total.readings > 0 ? tally.sum.add(total.sum) : Result<void>();
    }));
    if (tally.readings == 0) return {};
    auto& all = channels[days.channel][days.meter.text()];
    all.readings += tally.readings;
    all.days += tally.days;
    return all.sum.add(tally.sum);
  };
  METERLINE_CHECK(store.read_months(
      {.dates = question.dates, .as_of = question.as_of.value_or(Instant::end_of_time())},
      {.days = add}));
  Top out{.question = question, .channels = {}};
  for (const auto& [channel, tallies] : channels) {
    METERLINE_TRY(auto one, listed(channel, tallies, question));
    out.channels.push_back(std::move(one));
  }
  return out;
}

}  // namespace meterline::query
