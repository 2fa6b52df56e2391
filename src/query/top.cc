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
/// Of a tally, its name, what finds it, and its place in the order.
constexpr std::size_t meter_bytes = 192;

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

/// What is kept of a channel after a span of meters: how many there were, and the first of all.
struct ChannelRanks {
  std::int64_t meters = 0;
  Tallies first;
};

/// The first meters by their sums, at most `limit`.
Result<std::vector<Ranked>> first_of(const Tallies& tallies, const TopQuestion& question) {
  METERLINE_TRY(auto all, ranked(tallies));
  const bool is_highest = question.order == TopOrder::highest;
  const auto comes_first = [&](const Ranked& a, const Ranked& b) {
    if (a.mantissa != b.mantissa) return (a.mantissa > b.mantissa) == is_highest;
    return *a.meter < *b.meter;
  };
  const auto count = std::min(question.limit, all.size());
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(all.begin(), end, all.end(), comes_first);
  all.erase(end, all.end());
  return all;
}

/// No meter is in two spans.
Result<void> add_span_to(ChannelRanks& ranks, Tallies span, const TopQuestion& question) {
  ranks.meters += static_cast<std::int64_t>(span.size());
  span.merge(ranks.first);
  METERLINE_TRY(const auto kept, first_of(span, question));
  Tallies first;
  for (const auto& each : kept) first.emplace(*each.meter, *each.tally);
  ranks.first = std::move(first);
  return {};
}

Result<TopChannel> listed(const Channel& channel, const ChannelRanks& ranks,
                          const TopQuestion& question) {
  METERLINE_TRY(const auto first, first_of(ranks.first, question));
  const auto unit = told_unit(channel.unit, question.unit);
  TopChannel out{.channel = channel, .meters = ranks.meters, .listed = {}};
  out.channel.unit = unit;
  out.listed.reserve(first.size());
  for (const auto& each : first) {
    auto& meter = out.listed.emplace_back();
    meter.meter = *MeterId::parse(*each.meter);
    meter.sum = each.tally->sum;
    meter.readings = each.tally->readings;
    meter.days = each.tally->days;
    METERLINE_CHECK(convert(meter.sum, channel.unit, unit));
  }
  return out;
}

/// What the meters of a span used; none where there are more than `meters_max`.
Result<std::optional<std::map<Channel, Tallies>>> read_tallies(const store::Store& store,
                                                               const store::TotalsQuery& query,
                                                               const TopQuestion& question,
                                                               std::size_t meters_max,
                                                               StopFlag stop) {
  std::map<Channel, Tallies> channels;
  std::size_t held = 0;
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
    const auto [all, is_new] = channels[days.channel].try_emplace(days.meter.text());
    held += is_new ? 1 : 0;
    if (held > meters_max) return fail(Errc::too_large, "too many meters to keep at once");
    all->second.readings += tally.readings;
    all->second.days += tally.days;
    return all->second.sum.add(tally.sum);
  };
  auto read = store.read_months(query, {.days = add});
  if (held > meters_max) return std::optional<std::map<Channel, Tallies>>();
  METERLINE_CHECK(std::move(read));
  return std::optional(std::move(channels));
}

}  // namespace

std::optional<TopOrder> parse_top_order(std::string_view text) {
  if (text == highest) return TopOrder::highest;
  return text == lowest ? std::optional(TopOrder::lowest) : std::nullopt;
}

std::string_view text_of(TopOrder order) { return order == TopOrder::highest ? highest : lowest; }

Result<Top> top(const store::Store& store, const TopQuestion& question, StopFlag stop,
                std::size_t held_bytes) {
  METERLINE_CHECK(check(question));
  const std::size_t meters_max = held_bytes / meter_bytes;
  const store::TotalsQuery all{.dates = question.dates,
                               .as_of = question.as_of.value_or(Instant::end_of_time())};
  std::map<Channel, ChannelRanks> channels;
  const auto add_span = [&](const store::MeterSpan& span) -> Result<bool> {
    store::TotalsQuery query = all;
    query.span = span;
    METERLINE_TRY(auto tallies, read_tallies(store, query, question, meters_max, stop));
    if (!tallies) return false;
    for (auto& [channel, of_span] : *tallies)
      METERLINE_CHECK(add_span_to(channels[channel], std::move(of_span), question));
    return true;
  };
  METERLINE_CHECK(each_span(store, all, meters_max, add_span, stop));
  Top out{.question = question, .channels = {}};
  out.channels.reserve(channels.size());
  for (const auto& [channel, ranks] : channels) {
    METERLINE_TRY(auto one, listed(channel, ranks, question));
    out.channels.push_back(std::move(one));
  }
  return out;
}

}  // namespace meterline::query
