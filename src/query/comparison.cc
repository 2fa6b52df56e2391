#include "query/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/try.h"
#include "query/consumption.h"

namespace meterline::query {
namespace {

constexpr std::array<std::string_view, 3> names = {"year-before", "52-weeks-before",
                                                   "period-before"};
constexpr int year_months = 12;
constexpr int weeks_52_days = 364;
constexpr int percent_of_one = 100;

bool is_last_of_month(Date date) { return date.civil().day == Month::of(date).days(); }

bool is_whole_months(const DateRange& dates) {
  return dates.from.civil().day == 1 && is_last_of_month(dates.to);
}

tl::unexpected<Error> too_early() {
  return fail(Errc::invalid_argument,
              fmt::format("the period to compare with would begin before {}", Date::min().text()));
}

/// The whole months so many months before.
Result<DateRange> months_before(const DateRange& dates, int months) {
  Month first = Month::of(dates.from);
  Month last = Month::of(dates.to);
  if (first.index < months) return too_early();
  first.index = static_cast<std::uint16_t>(first.index - months);
  last.index = static_cast<std::uint16_t>(last.index - months);
  const auto end = Date::from_days(last.first_day().days() + std::int64_t{last.days()} - 1);
  return DateRange{.from = first.first_day(), .to = end.value_or(last.first_day())};
}

Result<DateRange> days_before(const DateRange& dates, std::int64_t days) {
  const auto from = Date::from_days(dates.from.days() - days);
  const auto to = Date::from_days(dates.to.days() - days);
  if (!from || !to) return too_early();
  return DateRange{.from = *from, .to = *to};
}

std::optional<Date> year_before(Date date) {
  auto civil = date.civil();
  --civil.year;
  if (civil.month == 2) civil.day = std::min(civil.day, 28);
  return Date::from_civil(civil);
}

PortfolioTotal total_of(const ChannelConsumption& channel) { return {.total = channel.total}; }
PortfolioTotal total_of(const PortfolioChannel& channel) { return channel.total; }

using Compared = std::map<Channel, std::pair<PortfolioTotal, PortfolioTotal>>;

template <class Answer>
Compared side_by_side(const Answer& asked, const Answer& against) {
  Compared both;
  for (const auto& channel : asked.channels) both[channel.channel].first = total_of(channel);
  for (const auto& channel : against.channels) both[channel.channel].second = total_of(channel);
  return both;
}

Result<Compared> read_meter(const store::Store& store, const CompareQuestion& question) {
  ConsumptionQuestion asked{.meter = *question.meter,
                            .dates = question.dates,
                            .resolution = Resolution::year,
                            .channel = question.channel,
                            .flow = question.flow,
                            .as_of = question.as_of,
                            .unit = question.unit};
  METERLINE_TRY(const auto total, consumption(store, asked));
  asked.dates = question.against;
  METERLINE_TRY(const auto against, consumption(store, asked));
  return side_by_side(total, against);
}

Result<Compared> read_all(const store::Store& store, const CompareQuestion& question, StopFlag stop,
                          std::size_t held_bytes) {
  PortfolioQuestion asked{.dates = question.dates,
                          .resolution = Resolution::year,
                          .channel = question.channel,
                          .flow = question.flow,
                          .as_of = question.as_of,
                          .unit = question.unit};
  METERLINE_TRY(const auto total, portfolio(store, asked, stop, held_bytes));
  asked.dates = question.against;
  METERLINE_TRY(const auto against, portfolio(store, asked, stop, held_bytes));
  return side_by_side(total, against);
}

tl::unexpected<Error> too_long() {
  return fail(Errc::too_large, "the change has more digits than an exact total can hold");
}

Result<void> set_change(ComparedChannel& channel) {
  const auto& sum = channel.total.total.sum;
  const auto& base = channel.against.total.sum;
  if (!sum || !base) return {};
  Sum difference = *sum;
  METERLINE_CHECK(difference.add(Sum(-base->mantissa(), base->exponent())));
  channel.difference = difference;
  if (base->mantissa() == 0) return {};
  Int128 hundredfold = 0;
  if (__builtin_mul_overflow(difference.mantissa(), Int128{percent_of_one}, &hundredfold))
    return too_long();
  const Sum size(base->mantissa() < 0 ? -base->mantissa() : base->mantissa(), base->exponent());
  METERLINE_TRY(channel.percent, ratio_of(Sum(hundredfold, difference.exponent()), size, 1));
  return {};
}

}  // namespace

std::optional<Against> parse_against(std::string_view text) {
  const auto* const found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Against>(found - names.begin());
}

std::string_view text_of(Against against) { return names.at(static_cast<std::size_t>(against)); }

Result<DateRange> range_against(const DateRange& dates, Against against) {
  if (dates.to < dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", dates.to.text(), dates.from.text()));
  if (against == Against::weeks_52_before) return days_before(dates, weeks_52_days);
  if (is_whole_months(dates)) {
    const int months = Month::of(dates.to).index - Month::of(dates.from).index + 1;
    return months_before(dates, against == Against::year_before ? year_months : months);
  }
  if (against == Against::period_before) return days_before(dates, dates.size());
  const auto from = year_before(dates.from);
  const auto to = year_before(dates.to);
  if (!from || !to) return too_early();
  return DateRange{.from = *from, .to = *to};
}

Result<Comparison> compare(const store::Store& store, const CompareQuestion& question,
                           StopFlag stop, std::size_t held_bytes) {
  METERLINE_TRY(auto compared, question.meter ? read_meter(store, question)
                                              : read_all(store, question, stop, held_bytes));
  Comparison out{.question = question, .channels = {}};
  out.channels.reserve(compared.size());
  for (auto& [channel, both] : compared) {
    auto& one = out.channels.emplace_back();
    one.channel = channel;
    one.total = both.first;
    one.against = both.second;
    METERLINE_CHECK(set_change(one));
  }
  return out;
}

}  // namespace meterline::query
