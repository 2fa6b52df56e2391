#include "store/cassandra/totals_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "core/try.h"
#include "store/cassandra/claims.h"
#include "store/cassandra/day_rows.h"
#include "store/cassandra/totals_row.h"
#include "store/resolve.h"

namespace meterline::store::cassandra {
namespace {

/// Days that have to be resolved, or are read instead of totals, are asked for so many at once.
constexpr std::size_t resolved_at_once = 1000;
/// Parts that are read at once: each holds two pages of 2 MB at most.
constexpr std::size_t parts_in_flight = 8;

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt,
              "the store holds damaged day totals; `meterline store check` names them");
}

/// Meters of a month that are answered from their days, whatever else is known of them.
using MetersByDays = std::set<std::string, std::less<>>;

/// Takes pages of totals into claims.
class TotalsReading {
 public:
  TotalsReading(const TotalsQuery& query, EventsRead& events, const MetersByDays& left_out)
      : query_(query), events_(events), left_out_(left_out) {}

  Result<void> add(const TotalsPart& part, const CqlPage& page, Claims& claims) {
    const Date begin = *Date::parse(part.is_month() ? part.period + "-01" : part.period);
    METERLINE_TRY(const auto* events, events_.get());
    return visit_rows(page, [&](CqlRow& row) -> Result<void> {
      const auto version = row.blob();
      const auto first = row.text();
      const auto last = row.text();
      const auto bytes = row.blob();
      if (!row.ok() || version.size() != version_key_bytes) return damaged();
      if (!claims.span().meets(first, last)) return {};
      const auto key = parse_version_key(version);
      if (key.version.received > query_.as_of) return {};
      if (events->is_withdrawn(key.delivery, query_.as_of)) return {};
      return add_row(begin, key, bytes, claims);
    });
  }

 private:
  Result<void> add_row(Date begin, const VersionKey& key, std::string_view bytes, Claims& claims) {
    METERLINE_CHECK(read_totals_row(bytes, row_));
    for (const auto& entry : row_.entries) {
      const auto date = Date::from_days(begin.days() + std::max(1, entry.day) - 1);
      if (!date) return damaged();
      if (!query_.dates.contains(*date) || left_out_.contains(entry.meter)) continue;
      claims.add(entry, *date, key);
    }
    return {};
  }

  const TotalsQuery& query_;
  EventsRead& events_;
  const MetersByDays& left_out_;
  TotalsRow row_;  ///< Used again.
};

/// Answers claims, each when all that is claimed of its day is known.
class DayAnswer {
 public:
  DayAnswer(const Tables& tables, const TotalsQuery& query, EventsRead& events,
            const TotalVisitor& visit)
      : tables_(tables), query_(query), events_(events), visit_(visit) {}

  /// The newest says all when it is complete, or when nothing else is known.
  Result<void> answer(const Claims& claims, const Claim& newest) {
    auto meter = MeterId::parse(claims.meter(newest));
    const auto date = Date::from_days(newest.date);
    if (!meter || !date) return damaged();
    const bool is_settled = newest.readings() == newest.slots || newest.is_of_one_version;
    if (newest.kind == TotalEntry::Kind::unknown || !is_settled) {
      to_resolve_.push_back({.meter = *std::move(meter), .dates = {.from = *date, .to = *date}});
      channels_.push_back(claims.channel(newest));
      return to_resolve_.size() < resolved_at_once ? Result<void>() : resolve();
    }
    total_.meter = *std::move(meter);
    total_.channel = claims.channel(newest);
    total_.date = *date;
    total_.sum = Sum(newest.mantissa, newest.exponent);
    total_.expected = newest.slots;
    total_.readings = newest.readings();
    total_.quality = {.actual = newest.actual,
                      .substituted = newest.substituted,
                      .estimated = newest.estimated,
                      .missing = newest.slots - newest.readings()};
    total_.version = newest.version;
    total_.zone = newest.zone;
    return visit_(total_);
  }

  /// Every day of the meters within `dates`, from what is stored of it.
  Result<void> answer_by_days(const MetersByDays& meters, const DateRange& dates);

  Result<void> finish() { return resolve(); }

 private:
  Result<void> resolve() {
    METERLINE_CHECK(answer_from_days(
        to_resolve_,
        [this](std::size_t which, const Channel& channel) { return channel == channels_[which]; }));
    to_resolve_.clear();
    channels_.clear();
    return {};
  }

  /// Visits these days, of which `is_wanted` tells by their place and channel, from what is stored.
  template <class IsWanted>
  Result<void> answer_from_days(const std::vector<MeterDates>& asked, const IsWanted& is_wanted) {
    std::size_t current = 0;
    Resolving resolving([&](const ResolvedDay& day) -> Result<void> {
      METERLINE_TRY(const auto total, total_of(asked[current].meter, day));
      return visit_(total);
    });
    METERLINE_CHECK(read_meter_dates(tables_, asked, query_.as_of, events_,
                                     [&](std::size_t which, const StoredDay& day) -> Result<void> {
                                       if (which != current) METERLINE_CHECK(resolving.finish());
                                       current = which;
                                       return is_wanted(which, day.channel) ? resolving(day)
                                                                            : Result<void>();
                                     }));
    return resolving.finish();
  }

  const Tables& tables_;
  const TotalsQuery& query_;
  EventsRead& events_;
  const TotalVisitor& visit_;
  DayTotal total_;
  std::vector<MeterDates> to_resolve_;
  std::vector<Channel> channels_;  ///< One for each of to_resolve_.
};

Result<void> DayAnswer::answer_by_days(const MetersByDays& meters, const DateRange& dates) {
  std::vector<MeterDates> asked;
  asked.reserve(std::min(meters.size(), resolved_at_once));
  const auto answer = [&] {
    return answer_from_days(asked, [](std::size_t, const Channel&) { return true; });
  };
  for (const auto& text : meters) {
    auto meter = MeterId::parse(text);
    if (!meter) return damaged();
    asked.push_back({.meter = *std::move(meter), .dates = dates});
    if (asked.size() < resolved_at_once) continue;
    METERLINE_CHECK(answer());
    asked.clear();
  }
  return answer();
}

/// The parts that may hold something of the dates, by month.
Result<std::map<std::string, std::vector<TotalsPart>>> list_parts(const Tables& tables,
                                                                  const DateRange& dates) {
  const std::string from = dates.from.text();
  const std::string to = dates.to.text();
  CqlCells key;
  key.text(totals_kind);
  key.text(from.substr(0, 7));
  key.text(to.substr(0, 7) + "~");
  std::map<std::string, std::vector<TotalsPart>> parts;
  METERLINE_CHECK(tables.read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
    const auto part = parse_totals_part(row.text());
    if (!part) return damaged();
    if (part->is_month() || (part->period >= from && part->period <= to))
      parts[part->period.substr(0, 7)].push_back(*part);
    return {};
  }));
  // Those of the month itself first, then day by day.
  for (auto& [month, found] : parts)
    std::stable_sort(found.begin(), found.end(),
                     [](const TotalsPart& a, const TotalsPart& b) { return a.period < b.period; });
  return parts;
}

/// The days of a month, `2019-01`, that lie within `dates`.
DateRange dates_within(const std::string& month, const DateRange& dates) {
  const Date first = *Date::parse(month + "-01");
  const auto last = Date::from_days(first.days() + Month::of(first).days() - 1);
  return {.from = std::max(first, dates.from), .to = std::min(*last, dates.to)};
}

/// Reads the parts of a month and answers day after day: in one pass where all claims of a day can
/// be held, else for some meters after others.
class MonthAnswer {
 public:
  MonthAnswer(const Tables& tables, const TotalsQuery& query, EventsRead& events, DayAnswer& answer,
              std::size_t held_max)
      : tables_(tables),
        query_(query),
        answer_(answer),
        reading_(query, events, by_days_),
        held_max_(held_max),
        of_month_(held_max / 4),
        of_day_(held_max - held_max / 4) {}

  Result<void> read(const std::string& month, const std::vector<TotalsPart>& parts) {
    month_ = month;
    for (const auto& part : parts) {
      if (!part.names.empty())
        names_.push_back(part);
      else if (part.is_month())
        month_parts_.push_back(part);
      else
        day_parts_.push_back(part);
    }
    SpanOfPass span = SpanOfPass::of(query_.span);
    const std::string end = span.to;
    for (;;) {
      METERLINE_TRY(const std::string to, read_pass(span));
      if (to == end) return {};
      span = {.after = to, .to = end};
    }
  }

 private:
  /// Answers meters from the first of the span on; to which one, is returned.
  Result<std::string> read_pass(SpanOfPass span) {
    METERLINE_CHECK(read_names(span));
    of_month_.begin(span);
    METERLINE_CHECK(read_totals_of(month_parts_, [&](const TotalsPart& part, const CqlPage& page) {
      return reading_.add(part, page, of_month_);
    }));
    span = of_month_.span();
    if (!span.to.empty()) by_days_.erase(by_days_.upper_bound(span.to), by_days_.end());
    METERLINE_CHECK(answer_.answer_by_days(by_days_, dates_within(month_, query_.dates)));
    sort_month();
    METERLINE_CHECK(read_days(span));
    METERLINE_CHECK(answer_rest());
    return span.to;
  }

  /// Takes the first names of the span, and ends it with them where there are more.
  Result<void> read_names(SpanOfPass& span) {
    by_days_.clear();
    const std::size_t names_max = held_max_ / 4;
    for (const auto& part : names_) {
      CqlCells key;
      key.text(part.names);
      key.text(span.after);
      key.text(span.to.empty() ? "~" : span.to);
      auto read = tables_.read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
        const auto name = row.text();
        if (!span.to.empty() && name > span.to) return enough();
        if (name <= span.after) return {};
        by_days_.emplace(name);
        if (by_days_.size() <= names_max) return {};
        by_days_.erase(std::prev(by_days_.end()));
        span.to = *by_days_.rbegin();
        return {};
      });
      if (!is_enough(read)) METERLINE_CHECK(std::move(read));
    }
    return {};
  }

  template <class Take>
  Result<void> read_totals_of(std::span<const TotalsPart> parts, const Take& take) {
    CqlCells keys;
    for (const auto& part : parts) {
      keys.text(part.period);
      keys.integer(part.bucket);
    }
    return tables_.read_pages(
        Statement::select_totals, keys, parts.size(),
        [&](std::size_t which, const CqlPage& page) { return take(parts[which], page); },
        parts_in_flight);
  }

  /// All days one after another; of those that have too many claims the rest in passes of their
  /// own.
  Result<void> read_days(const SpanOfPass& span) {
    struct Rest {
      std::string period;
      SpanOfPass span;
    };
    std::vector<Rest> rests;
    std::string period;
    const auto finish_day = [&]() -> Result<void> {
      if (period.empty()) return {};
      METERLINE_CHECK(answer_day(period));
      if (of_day_.is_shortened())
        rests.push_back({.period = period, .span = {.after = of_day_.span().to, .to = span.to}});
      return {};
    };
    METERLINE_CHECK(read_totals_of(
        day_parts_, [&](const TotalsPart& part, const CqlPage& page) -> Result<void> {
          if (part.period != period) {
            METERLINE_CHECK(finish_day());
            period = part.period;
            of_day_.begin(span);
          }
          return reading_.add(part, page, of_day_);
        }));
    METERLINE_CHECK(finish_day());
    for (const auto& rest : rests) METERLINE_CHECK(read_rest(rest.period, rest.span));
    return {};
  }

  Result<void> read_rest(const std::string& period, SpanOfPass span) {
    const auto parts = std::ranges::equal_range(day_parts_, period, {}, &TotalsPart::period);
    const std::string end = span.to;
    for (;;) {
      of_day_.begin(span);
      METERLINE_CHECK(read_totals_of({parts.begin(), parts.end()},
                                     [&](const TotalsPart& part, const CqlPage& page) {
                                       return reading_.add(part, page, of_day_);
                                     }));
      METERLINE_CHECK(answer_day(period));
      if (!of_day_.is_shortened()) return {};
      span = {.after = of_day_.span().to, .to = end};
    }
  }

  /// What the day's own totals and those of the month say together.
  Result<void> answer_day(const std::string& period) {
    const std::int32_t date = Date::parse(period)->days();
    const auto of_date = std::ranges::equal_range(
        month_order_, date, {}, [&](std::uint32_t which) { return of_month_.all()[which].date; });
    for (const std::uint32_t which : of_date) of_day_.add(of_month_, of_month_.all()[which]);
    answered_.insert(date);
    for (const auto& claim : of_day_.all()) METERLINE_CHECK(answer_.answer(of_day_, claim));
    return {};
  }

  /// Days that only the month knows.
  Result<void> answer_rest() {
    for (const std::uint32_t which : month_order_) {
      const Claim& claim = of_month_.all()[which];
      if (!answered_.contains(claim.date)) METERLINE_CHECK(answer_.answer(of_month_, claim));
    }
    return {};
  }

  void sort_month() {
    answered_.clear();
    month_order_.resize(of_month_.all().size());
    std::iota(month_order_.begin(), month_order_.end(), 0U);
    std::ranges::sort(month_order_, {},
                      [&](std::uint32_t which) { return of_month_.all()[which].date; });
  }

  const Tables& tables_;
  const TotalsQuery& query_;
  DayAnswer& answer_;
  MetersByDays by_days_;
  TotalsReading reading_;
  const std::size_t held_max_;
  Claims of_month_;
  Claims of_day_;
  std::string month_;
  std::vector<TotalsPart> names_;
  std::vector<TotalsPart> month_parts_;
  std::vector<TotalsPart> day_parts_;       ///< By period.
  std::vector<std::uint32_t> month_order_;  ///< The claims of of_month_, by date.
  std::set<std::int32_t> answered_;         ///< Dates, of this pass.
};

}  // namespace

Result<void> read_totals(const Tables& tables, const TotalsQuery& query, const TotalVisitor& visit,
                         std::size_t held_max) {
  if (query.dates.size() == 0) return {};
  EventsRead events(tables);
  METERLINE_TRY(const auto months, list_parts(tables, query.dates));
  DayAnswer answer(tables, query, events, visit);
  for (const auto& [name, parts] : months) {
    MonthAnswer month(tables, query, events, answer, held_max);
    METERLINE_CHECK(month.read(name, parts));
  }
  return answer.finish();
}

}  // namespace meterline::store::cassandra
