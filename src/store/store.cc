#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/try.h"

namespace meterline::store {
namespace {

/// A question about more months is not answered from months in memory, which it would push out.
constexpr int short_months_max = 24;

/// What is wanted of the days of all meters in a month.
Result<void> visit_presence(const MonthOfMeters& all, Month month, std::uint32_t wanted,
                            const PresenceVisitor& visit) {
  for (const auto& channel : all.channels) {
    for (const auto& meter : channel.meters) {
      if ((meter.stored & wanted) == 0) continue;
      METERLINE_CHECK(visit({.meter = meter.meter,
                             .channel = channel.channel,
                             .first = month.first_day(),
                             .stored = meter.stored & wanted,
                             .complete = meter.complete & wanted}));
    }
  }
  return {};
}

}  // namespace

std::uint32_t days_in(Month month, const DateRange& dates) {
  const int first = month.first_day().days();
  const int from = std::max(0, dates.from.days() - first);
  const int to = std::min(month.days() - 1, dates.to.days() - first);
  if (from > to) return 0;
  return ((std::uint32_t{2} << to) - 1) & ~((std::uint32_t{1} << from) - 1);
}

Date day_of(Month month, std::uint32_t day) {
  return *Date::from_days(month.first_day().days() + std::int64_t{day});
}

Result<void> change_settings(const Amendment& amendment, StoreSettings& settings) {
  std::vector<std::string> erased = settings.erased;
  erased.insert(erased.end(), amendment.erased.begin(), amendment.erased.end());
  std::sort(erased.begin(), erased.end());
  erased.erase(std::unique(erased.begin(), erased.end()), erased.end());
  for (const auto& mark : amendment.allowed) std::erase(erased, mark);
  if (erased.size() > erased_marks_max && erased.size() > settings.erased.size())
    return fail(Errc::too_large, fmt::format("the store remembers {} erased meters, which is as "
                                             "many as it keeps",
                                             erased_marks_max));
  settings.erased = std::move(erased);
  if (amendment.takes_away())
    settings.amended_at = std::max(settings.amended_at, std::optional(amendment.at));
  return {};
}

Result<void> Store::read_day_totals(const TotalsQuery& query, const TotalVisitor& visit) const {
  DayTotal total;
  return read_months(
      query, {.days = [&](const MeterDays& days) { return each_total(days, total, visit); }});
}

Result<void> Store::read_meter_totals(const DaysQuery& query,
                                      const MeterTotalVisitor& visit) const {
  DayTotal total;
  const TotalsQuery totals{
      .dates = query.dates, .as_of = query.as_of, .meters = std::span(&query.meter, 1)};
  return read_months(totals, {.days = [&](const MeterDays& days) {
                       return each_total(days, total, [&](const DayTotal& of_day) {
                         const auto day = of_day.date.days() - days.first.days();
                         return visit(of_day, days.interval(static_cast<std::uint32_t>(day)));
                       });
                     }});
}

Result<void> Store::read_day_presence(const TotalsQuery& query,
                                      const PresenceVisitor& visit) const {
  MonthsVisitor months{.days = visit};
  if (Month::of(query.dates.to).index - Month::of(query.dates.from).index < short_months_max)
    months.month = [&](Month month, const MonthOfMeters& all) -> Result<bool> {
      METERLINE_CHECK(visit_presence(all, month, days_in(month, query.dates), visit));
      return true;
    };
  return read_months(query, months);
}

Result<std::optional<MeterInfo>> Store::meter(const MeterId& meter) const {
  METERLINE_TRY(auto found, meters({.only = meter}));
  if (found.empty()) return std::optional<MeterInfo>();
  return std::optional(std::move(found.front()));
}

Result<std::vector<Channel>> Store::channels(const MeterId& meter) const {
  METERLINE_TRY(auto found,
                meters({.withdrawn = Withdrawn::counted, .only = meter, .names_only = true}));
  std::vector<Channel> channels;
  if (found.empty()) return channels;
  for (auto& known : found.front().channels) channels.push_back(std::move(known.channel));
  return channels;
}

Result<std::optional<DeliveryRecord>> Store::delivery(const DeliveryId& id) const {
  METERLINE_TRY(auto found, deliveries({.id = id}));
  if (found.empty()) return std::optional<DeliveryRecord>();
  return std::optional(std::move(found.front()));
}

Result<StoreSettings> Store::settings() const {
  METERLINE_TRY(auto status, this->status(StatusOf::settings));
  return std::move(status.settings);
}

Result<std::optional<Unit>> Store::default_unit() const {
  METERLINE_TRY(const auto known, settings());
  return known.unit;
}

Result<void> Store::status_error(StatusOf what) const {
  METERLINE_CHECK(status(what));
  return {};
}

}  // namespace meterline::store
