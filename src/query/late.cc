#include "query/late.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/try.h"

namespace meterline::query {
namespace {

constexpr std::string_view day_name = "day";
constexpr std::string_view receipt_name = "receipt";
constexpr std::size_t records_at_once = 500;
constexpr std::size_t meters_at_once = 1000;

void extend(std::optional<DateRange>& dates, const DateRange& by) {
  if (!dates) dates = by;
  dates->from = std::min(dates->from, by.from);
  dates->to = std::max(dates->to, by.to);
}

/// Of what meters a page looks at something was received.
class Received {
 public:
  explicit Received(const LateQuestion& question) : question_(question) {}

  /// Reads the records of what was received since.
  Result<void> read(const store::Store& store, StopFlag stop) {
    store::DeliveriesQuery query{.received_after = since(), .limit = records_at_once};
    for (;;) {
      METERLINE_CHECK(check_stop(stop));
      METERLINE_TRY(const auto records, store.deliveries(query));
      for (const auto& record : records)
        if (record.days.dates && !record.is_withdrawn()) add(record.days);
      if (records.size() < query.limit) return {};
      query.after = records.back().delivery.id;
    }
  }

  /// Whether something was received of the meter's channels that count.
  Result<bool> has(const store::Store& store, const MeterId& meter) const {
    const auto found = named_.find(meter);
    const bool is_named = found != named_.end();
    const bool takes_any_channel = !question_.channel && !question_.flow;
    if (is_named && takes_any_channel) return true;
    auto dates = all_;
    if (is_named) extend(dates, *found->second);
    if (!dates) return false;
    bool any = false;
    METERLINE_CHECK(store.read_days(
        {.meter = meter, .dates = *dates}, [&](const store::StoredDay& day) -> Result<void> {
          any |= !day.withdrawn && day.version.received > since() &&
                 is_wanted(day.channel, question_.channel, question_.flow);
          return {};
        }));
    return any;
  }

 private:
  Instant since() const { return std::get<Instant>(question_.since); }

  void add(const store::DeliveredDays& days) {
    if (days.meter_ids.empty()) extend(all_, *days.dates);
    for (const auto& meter : days.meter_ids) {
      if (meter <= question_.after) continue;
      extend(named_[meter], *days.dates);
      // The meters of a page are among the first ones.
      if (named_.size() > late_meters_max) named_.erase(std::prev(named_.end()));
    }
  }

  const LateQuestion& question_;
  std::optional<DateRange> all_;  ///< Days of deliveries that name no meters.
  std::map<MeterId, std::optional<DateRange>> named_;
};

/// `info` has the channels that count.
Result<bool> is_late(const store::Store& store, const LateQuestion& question,
                     const Received& received, const store::MeterInfo& info) {
  if (question.by() == LateBy::receipt) {
    METERLINE_TRY(const bool has_any, received.has(store, info.meter));
    return !has_any;
  }
  const Date since = std::get<Date>(question.since);
  return std::all_of(info.channels.begin(), info.channels.end(),
                     [&](const auto& channel) { return channel.last < since; });
}

}  // namespace

std::optional<LateBy> parse_late_by(std::string_view text) {
  if (text == day_name) return LateBy::day;
  return text == receipt_name ? std::optional(LateBy::receipt) : std::nullopt;
}

std::string_view text_of(LateBy by) { return by == LateBy::day ? day_name : receipt_name; }

Result<Late> late(const store::Store& store, const LateQuestion& question, StopFlag stop) {
  Late out{.question = question, .meters = {}, .next = {}};
  Received received(question);
  if (question.by() == LateBy::receipt) METERLINE_CHECK(received.read(store, stop));
  std::size_t seen = 0;
  store::MetersQuery query{.after = question.after, .limit = meters_at_once};
  for (;;) {
    METERLINE_TRY(auto page, store.meters(query));
    for (auto& info : page) {
      METERLINE_CHECK(check_stop(stop));
      if (out.meters.size() == question.limit || seen == late_meters_max) {
        out.next = query.after;
        return out;
      }
      ++seen;
      query.after = info.meter;
      std::erase_if(info.channels, [&](const auto& known) {
        return !is_wanted(known.channel, question.channel, question.flow);
      });
      if (info.channels.empty()) continue;
      METERLINE_TRY(const bool is_silent, is_late(store, question, received, info));
      if (is_silent) out.meters.push_back(std::move(info));
    }
    if (page.size() < query.limit) return out;
  }
}

}  // namespace meterline::query
