#include "store/cassandra/totals_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "core/try.h"
#include "store/cassandra/day_rows.h"
#include "store/cassandra/totals_row.h"
#include "store/resolve.h"

namespace meterline::store::cassandra {
namespace {

/// Days that have to be resolved are asked for so many at once.
constexpr std::size_t resolved_at_once = 1000;

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt,
              "the store holds damaged day totals; `meterline store check` names them");
}

/// A partition of day_totals: a day or a month, and a bucket. Or what stands in none: the days of
/// some meters of a month, in bucket `of_days`.
struct Part {
  std::string period;
  std::int32_t bucket = 0;
};
constexpr std::int32_t of_days = -1;

std::optional<Part> parse_part(std::string_view name) {
  const auto slash = name.find('/');
  if (slash != 7 && slash != 10) return std::nullopt;
  Part part{.period = std::string(name.substr(0, slash))};
  if (!Date::parse(slash == 7 ? part.period + "-01" : part.period)) return std::nullopt;
  const auto digits = name.substr(slash + 1);
  if (slash == 7 && digits == by_days) {
    part.bucket = of_days;
    return part;
  }
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, part.bucket);
  if (error != std::errc() || stop != end || part.bucket < 0) return std::nullopt;
  return part;
}

bool is_month(const Part& part) { return part.period.size() == 7; }

/// What one delivery says of one day of a meter.
struct Claim {
  std::string_view meter;
  std::uint32_t channel = 0;
  Date date;
  Version version;
  DeliveryId delivery;
  TotalEntry entry;  ///< Its meter and channel stand above.
};

/// Meters of a month that are answered from their days, whatever else is known of them.
using MetersByDays = std::set<std::string, std::less<>>;

/// What is claimed of days, with the bytes that meters point into.
class Claims {
 public:
  Claims(const TotalsQuery& query, EventsRead& events, const MetersByDays& left_out)
      : query_(query), events_(events), left_out_(left_out) {}

  /// Takes the rows of a part.
  Result<void> add(const Part& part, const CqlPage& page) {
    const std::string first = is_month(part) ? part.period + "-01" : part.period;
    const Date begin = *Date::parse(first);
    METERLINE_TRY(const auto* events, events_.get());
    return visit_rows(page, [&](CqlRow& row) -> Result<void> {
      const auto version = row.blob();
      const auto bytes = row.blob();
      if (!row.ok() || version.size() != version_key_bytes) return damaged();
      const auto key = parse_version_key(version);
      if (key.version.received > query_.as_of) return {};
      if (events->is_withdrawn(key.delivery, query_.as_of)) return {};
      return add_row(begin, key, bytes);
    });
  }

  void clear() {
    claims_.clear();
    rows_.clear();
  }
  std::vector<Claim>& all() { return claims_; }
  const Channel& channel(std::uint32_t number) const { return channels_[number]; }
  std::uint32_t channel_number(const Channel& channel) {
    const auto found = std::find(channels_.begin(), channels_.end(), channel);
    const auto number = static_cast<std::uint32_t>(found - channels_.begin());
    if (found == channels_.end()) channels_.push_back(channel);
    return number;
  }

 private:
  Result<void> add_row(Date begin, const VersionKey& key, std::string_view bytes) {
    auto& row = rows_.emplace_back();
    METERLINE_CHECK(read_totals_row(bytes, row));
    for (const auto& entry : row.entries) {
      const int day = std::max(1, entry.day);
      const auto date = Date::from_days(begin.days() + day - 1);
      if (!date) return damaged();
      if (!query_.dates.contains(*date) || left_out_.contains(entry.meter)) continue;
      const auto channel = channel_number(entry.channel);
      claims_.push_back({.meter = entry.meter,
                         .channel = channel,
                         .date = *date,
                         .version = entry.grid.version(key.version),
                         .delivery = key.delivery,
                         .entry = entry});
    }
    row.entries.clear();
    return {};
  }

  const TotalsQuery& query_;
  EventsRead& events_;
  const MetersByDays& left_out_;
  std::vector<Channel> channels_;
  std::vector<Claim> claims_;
  std::deque<TotalsRow> rows_;
};

/// Answers one day after another.
class DayAnswer {
 public:
  DayAnswer(const Tables& tables, const TotalsQuery& query, EventsRead& events,
            const TotalVisitor& visit)
      : tables_(tables), query_(query), events_(events), visit_(visit) {}

  /// All that is claimed of one day; `claims` are of `channels`.
  Result<void> answer(std::vector<const Claim*>& claims, const Claims& channels) {
    const auto order = [](const Claim* c) { return std::tie(c->meter, c->channel); };
    std::sort(claims.begin(), claims.end(), [&](const Claim* a, const Claim* b) {
      return std::tuple_cat(order(a), std::tie(b->version, b->delivery)) <
             std::tuple_cat(order(b), std::tie(a->version, a->delivery));
    });
    for (std::size_t begin = 0; begin < claims.size();) {
      std::size_t end = begin;
      bool one_version = true;
      for (; end < claims.size() && order(claims[end]) == order(claims[begin]); ++end)
        one_version = one_version && claims[end]->version == claims[begin]->version;
      METERLINE_CHECK(answer_meter(*claims[begin], one_version, channels));
      begin = end;
    }
    return {};
  }

  /// Every day of the meters within `dates`, from what is stored of it.
  Result<void> answer_by_days(const MetersByDays& meters, const DateRange& dates);

  Result<void> finish() { return resolve(); }

 private:
  /// `newest` says all when it is complete, or when nothing else is known.
  Result<void> answer_meter(const Claim& newest, bool one_version, const Claims& channels) {
    auto meter = MeterId::parse(newest.meter);
    if (!meter) return damaged();
    using Kind = TotalEntry::Kind;
    const Kind kind = newest.entry.kind;
    const bool is_settled = newest.entry.quality.missing == 0 || one_version;
    if (kind == Kind::unknown || !is_settled) {
      to_resolve_.push_back(
          {.meter = *std::move(meter), .dates = {.from = newest.date, .to = newest.date}});
      channels_.push_back(channels.channel(newest.channel));
      return to_resolve_.size() < resolved_at_once ? Result<void>() : resolve();
    }
    const auto& quality = newest.entry.quality;
    total_.meter = *std::move(meter);
    total_.channel = channels.channel(newest.channel);
    total_.date = newest.date;
    total_.sum = Sum(newest.entry.mantissa, newest.entry.grid.exponent);
    total_.expected = newest.entry.grid.slots;
    total_.readings = total_.expected - quality.missing;
    total_.quality = quality;
    total_.version = newest.version;
    total_.zone = newest.entry.grid.zone;
    return visit_(total_);
  }

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
  for (const auto& text : meters) {
    auto meter = MeterId::parse(text);
    if (!meter) return damaged();
    asked.push_back({.meter = *std::move(meter), .dates = dates});
  }
  return answer_from_days(asked, [](std::size_t, const Channel&) { return true; });
}

/// The parts that may hold something of the dates, by month.
Result<std::map<std::string, std::vector<Part>>> list_parts(const Tables& tables,
                                                            const DateRange& dates) {
  const std::string from = dates.from.text();
  const std::string to = dates.to.text();
  CqlCells key;
  key.text(totals_kind);
  key.text(from.substr(0, 7));
  key.text(to.substr(0, 7) + "~");
  std::map<std::string, std::vector<Part>> parts;
  METERLINE_CHECK(tables.read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
    const auto part = parse_part(row.text());
    if (!part) return damaged();
    if (is_month(*part) || (part->period >= from && part->period <= to))
      parts[part->period.substr(0, 7)].push_back(*part);
    return {};
  }));
  // Those of the month itself first, then day by day.
  for (auto& [month, found] : parts)
    std::stable_sort(found.begin(), found.end(),
                     [](const Part& a, const Part& b) { return a.period < b.period; });
  return parts;
}

/// The days of a month, `2019-01`, that lie within `dates`.
DateRange dates_within(const std::string& month, const DateRange& dates) {
  const Date first = *Date::parse(month + "-01");
  const auto last = Date::from_days(first.days() + Month::of(first).days() - 1);
  return {.from = std::max(first, dates.from), .to = std::min(*last, dates.to)};
}

/// Reads the parts of a month and answers day after day.
class MonthAnswer {
 public:
  MonthAnswer(const Tables& tables, const TotalsQuery& query, EventsRead& events, DayAnswer& answer)
      : tables_(tables),
        query_(query),
        answer_(answer),
        of_month_(query, events, by_days_),
        of_day_(query, events, by_days_) {}

  Result<void> read(const std::string& month, std::vector<Part> parts) {
    if (std::erase_if(parts, [](const Part& part) { return part.bucket == of_days; }) > 0)
      METERLINE_CHECK(answer_by_days(month));
    CqlCells keys;
    for (const auto& part : parts) {
      keys.text(part.period);
      keys.integer(part.bucket);
    }
    METERLINE_CHECK(tables_.read_pages(
        Statement::select_totals, keys, parts.size(),
        [&](std::size_t which, const CqlPage& page) { return take(parts[which], page); }));
    METERLINE_CHECK(answer_day());
    return answer_rest();
  }

 private:
  Result<void> answer_by_days(const std::string& month) {
    CqlCells key;
    key.text(days_kind(month));
    key.text("");
    key.text("~");
    METERLINE_CHECK(
        tables_.read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
          by_days_.emplace(row.text());
          return {};
        }));
    return answer_.answer_by_days(by_days_, dates_within(month, query_.dates));
  }

  Result<void> take(const Part& part, const CqlPage& page) {
    if (is_month(part)) return of_month_.add(part, page);
    if (part.period != period_) {
      METERLINE_CHECK(answer_day());
      period_ = part.period;
    }
    return of_day_.add(part, page);
  }

  /// Answers the day of period_, of which all is read.
  Result<void> answer_day() {
    if (period_.empty()) return {};
    if (!sorted_) sort_month();
    std::vector<const Claim*> claims;
    const Date date = *Date::parse(period_);
    METERLINE_CHECK(answer_until(date));
    for (auto& claim : of_day_.all()) {
      claim.channel = of_month_.channel_number(of_day_.channel(claim.channel));
      claims.push_back(&claim);
    }
    auto& month = of_month_.all();
    for (; next_ < month.size() && month[next_].date == date; ++next_)
      claims.push_back(&month[next_]);
    METERLINE_CHECK(answer_.answer(claims, of_month_));
    of_day_.clear();
    return {};
  }

  /// Days before `date` that only the month knows.
  Result<void> answer_until(Date date) {
    auto& month = of_month_.all();
    while (next_ < month.size() && month[next_].date < date) {
      std::vector<const Claim*> claims;
      const Date day = month[next_].date;
      for (; next_ < month.size() && month[next_].date == day; ++next_)
        claims.push_back(&month[next_]);
      METERLINE_CHECK(answer_.answer(claims, of_month_));
    }
    return {};
  }

  Result<void> answer_rest() {
    if (!sorted_) sort_month();
    METERLINE_CHECK(answer_until(Date::max()));
    std::vector<const Claim*> claims;
    auto& month = of_month_.all();
    for (; next_ < month.size(); ++next_) claims.push_back(&month[next_]);
    return answer_.answer(claims, of_month_);
  }

  void sort_month() {
    std::stable_sort(of_month_.all().begin(), of_month_.all().end(),
                     [](const Claim& a, const Claim& b) { return a.date < b.date; });
    sorted_ = true;
  }

  const Tables& tables_;
  const TotalsQuery& query_;
  DayAnswer& answer_;
  MetersByDays by_days_;
  Claims of_month_;
  Claims of_day_;
  std::string period_;  ///< Of the day that is being read.
  bool sorted_ = false;
  std::size_t next_ = 0;  ///< Of the month's claims, by date.
};

}  // namespace

Result<void> read_totals(const Tables& tables, const TotalsQuery& query,
                         const TotalVisitor& visit) {
  if (query.dates.size() == 0) return {};
  EventsRead events(tables);
  METERLINE_TRY(const auto months, list_parts(tables, query.dates));
  DayAnswer answer(tables, query, events, visit);
  for (const auto& [name, parts] : months) {
    MonthAnswer month(tables, query, events, answer);
    METERLINE_CHECK(month.read(name, parts));
  }
  return answer.finish();
}

}  // namespace meterline::store::cassandra
