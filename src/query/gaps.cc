#include "query/gaps.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/try.h"
#include "query/presence_table.h"
#include "store/resolve.h"

namespace meterline::query {
namespace {

/// 40 years with their leap days, as for portfolio().
constexpr std::int64_t days_max = 14'610;

constexpr std::size_t known_meters_page = 1000;

Result<void> check(const DateRange& dates) {
  if (dates.to < dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", dates.to.text(), dates.from.text()));
  if (dates.size() > days_max)
    return fail(Errc::too_large, "more than 40 years asked for: ask for a shorter time");
  return {};
}

/// The meters of a store one after the other, in pages.
class MeterList {
 public:
  MeterList(const store::Store& store, Absent absent)
      : store_(store), is_last_page_(absent == Absent::left_out) {}

  /// Null behind the last one; none where those absent are left out.
  Result<const store::MeterInfo*> current() {
    if (next_ == page_.size() && !is_last_page_) {
      METERLINE_TRY(page_, store_.meters({.after = page_.empty() ? MeterId() : page_.back().meter,
                                          .limit = known_meters_page,
                                          .names_only = true}));
      next_ = 0;
      is_last_page_ = page_.size() < known_meters_page;
    }
    return next_ == page_.size() ? nullptr : &page_[next_];
  }
  void advance() { ++next_; }

 private:
  const store::Store& store_;
  std::vector<store::MeterInfo> page_;
  std::size_t next_ = 0;
  bool is_last_page_;
};

using Tables = std::map<Channel, PresenceTable>;

/// The days of one channel of a meter.
struct Row {
  const Tables::value_type* table;
  std::size_t row;

  const Channel& channel() const { return table->first; }
  DayCounts counts() const { return table->second.counts(row); }
  Date first_gap() const { return table->second.first_gap(row); }
};

/// The rows of all tables, ascending by meter, then by channel.
class RowsByMeter {
 public:
  explicit RowsByMeter(const Tables& tables) {
    for (const auto& table : tables)
      if (auto order = table.second.rows_in_order(); !order.empty())
        heap_.push_back({.table = &table, .order = std::move(order), .next = 0});
    std::make_heap(heap_.begin(), heap_.end(), is_behind);
  }

  bool at_end() const { return heap_.empty(); }
  std::string_view meter() const { return heap_.front().meter(); }  ///< Of the next row.
  Row take() {
    std::pop_heap(heap_.begin(), heap_.end(), is_behind);
    Cursor& cursor = heap_.back();
    const Row row{.table = cursor.table, .row = cursor.order[cursor.next++]};
    if (cursor.next == cursor.order.size())
      heap_.pop_back();
    else
      std::push_heap(heap_.begin(), heap_.end(), is_behind);
    return row;
  }

 private:
  struct Cursor {
    const Tables::value_type* table;
    std::vector<std::uint32_t> order;
    std::size_t next;
    std::string_view meter() const { return table->second.meter(order[next]); }
  };
  static bool is_behind(const Cursor& a, const Cursor& b) {
    const int order = a.meter().compare(b.meter());
    return order != 0 ? order > 0 : b.table->first < a.table->first;
  }

  std::vector<Cursor> heap_;
};

/// The answer as it is made, meter by meter, ascending.
class GapsAnswer {
 public:
  explicit GapsAnswer(const GapsQuestion& question)
      : question_(question), days_(question.dates.size()) {
    answer_.question = question;
  }

  /// A meter by its rows and, where it is known, by what its channels are.
  Result<void> add(std::string_view meter, const std::vector<Row>& rows,
                   const store::MeterInfo* known) {
    has_gaps_ = false;
    is_listed_ = answer_.meters.size() < question_.limit && meter > question_.after.text();
    for (const Row& row : rows) add_row(row);
    const bool has_absent = known != nullptr && add_absent(*known, rows);
    if (rows.empty() && !has_absent) return {};
    ++answer_.total.meters;
    if (!has_gaps_) return {};
    ++answer_.total.meters_with_gaps;
    if (is_listed_) return list(meter);
    if (meter > question_.after.text()) answer_.more = true;
    return {};
  }

  Gaps take() { return std::move(answer_); }

 private:
  void add_row(const Row& row) {
    const DayCounts counts = row.counts();
    answer_.total.days += days_;
    answer_.total.stored += counts.stored;
    answer_.total.complete += counts.complete;
    if (counts.complete == days_) return;
    has_gaps_ = true;
    if (is_listed_)
      channels_.push_back({.channel = row.channel(),
                           .stored = counts.stored,
                           .complete = counts.complete,
                           .first_gap = row.first_gap()});
  }

  /// The wanted channels that have no row; whether there are any.
  bool add_absent(const store::MeterInfo& known, const std::vector<Row>& rows) {
    bool any = false;
    for (const auto& info : known.channels) {
      const auto& channel = info.channel;
      const auto is_that = [&](const Row& row) { return row.channel() == channel; };
      if (std::any_of(rows.begin(), rows.end(), is_that) ||
          !is_wanted(channel, question_.channel, question_.flow))
        continue;
      any = true;
      answer_.total.days += days_;
      if (is_listed_) channels_.push_back({.channel = channel, .first_gap = question_.dates.from});
    }
    if (any) has_gaps_ = true;
    return any;
  }

  Result<void> list(std::string_view meter) {
    auto id = MeterId::parse(meter);
    if (!id) return fail(Errc::corrupt, fmt::format("the store has a meter \"{}\"", meter));
    std::sort(channels_.begin(), channels_.end(),
              [](const auto& a, const auto& b) { return a.channel < b.channel; });
    answer_.meters.push_back({.meter = *std::move(id), .channels = std::exchange(channels_, {})});
    return {};
  }

  const GapsQuestion& question_;
  const std::int64_t days_;
  bool has_gaps_ = false;
  bool is_listed_ = false;
  std::vector<ChannelDays> channels_;  ///< Of the meter in work, with a gap.
  Gaps answer_;
};

/// Of a row: a name, what finds it, its place in the order; without the bits of days.
constexpr std::size_t row_bytes = 160;

std::size_t rows_max_of(const GapsQuestion& question, std::size_t held_bytes) {
  const auto words = static_cast<std::size_t>(question.dates.size() + 63) / 64;
  return held_bytes / (row_bytes + 2 * words * sizeof(std::uint64_t));
}

/// None where there are more rows than `rows_max`.
Result<std::optional<Tables>> read_presence(const store::Store& store,
                                            const store::TotalsQuery& query,
                                            const GapsQuestion& question, std::size_t rows_max,
                                            StopFlag stop) {
  Tables tables;
  auto last = tables.end();
  std::size_t rows = 0;
  const auto add = [&](const store::DayPresence& part) -> Result<void> {
    METERLINE_CHECK(check_stop(stop));
    if (last == tables.end() || last->first != part.channel) {
      if (!is_wanted(part.channel, question.channel, question.flow)) return {};
      last = tables.try_emplace(part.channel, question.dates).first;
    }
    rows -= last->second.size();
    last->second.add(part);
    rows += last->second.size();
    if (rows > rows_max) return fail(Errc::too_large, "too many meters to keep at once");
    return {};
  };
  auto read = store.read_day_presence(query, add);
  if (rows > rows_max) return std::optional<Tables>();
  METERLINE_CHECK(std::move(read));
  return std::optional(std::move(tables));
}

/// One channel's part of the answer about one meter, made day by day, ascending.
class ChannelOfMeter {
 public:
  ChannelOfMeter(const Channel& channel, const DateRange& dates)
      : dates_(dates), next_day_(dates.from.days()) {
    answer_.channel = channel;
  }

  const Channel& channel() const { return answer_.channel; }
  bool has_days() const { return answer_.stored > 0; }

  void add(const store::ResolvedDay& day) {
    skip_to(day.date.days());
    next_day_ = day.date.days() + 1;
    ++answer_.stored;
    const auto missing = std::count(day.qualities.begin(), day.qualities.end(), Quality::missing);
    if (missing == 0)
      ++answer_.complete;
    else
      answer_.gaps.push_back({.dates = {.from = day.date, .to = day.date},
                              .readings = day.slots() - missing,
                              .expected = day.slots()});
  }

  ChannelGaps finish() {
    skip_to(dates_.to.days() + 1);
    return std::move(answer_);
  }

 private:
  /// The days before `end`, as days since 1970, of which nothing is stored.
  void skip_to(std::int32_t end) {
    if (next_day_ == end) return;
    answer_.gaps.push_back({.dates = {.from = *Date::from_days(next_day_),
                                      .to = *Date::from_days(end - std::int64_t{1})},
                            .expected = std::nullopt});
  }

  DateRange dates_;
  std::int32_t next_day_;  ///< The first that was not looked at yet.
  ChannelGaps answer_;
};

tl::unexpected<Error> unknown(const MeterId& meter) {
  return fail(Errc::not_found, fmt::format("meter {} is not known: no file loaded so far has a day "
                                           "of it",
                                           meter.text()));
}

/// Drops channels without days in the answer that the meter does not have any more: all that was
/// said of them is withdrawn now. `not_found` where nothing is left of the meter.
Result<void> drop_withdrawn(const store::Store& store, const MeterId& meter,
                            std::vector<ChannelOfMeter>& channels) {
  const auto has_days = [](const ChannelOfMeter& channel) { return channel.has_days(); };
  if (!channels.empty() && std::all_of(channels.begin(), channels.end(), has_days)) return {};
  METERLINE_TRY(const auto info, store.meter(meter));
  if (!info && std::none_of(channels.begin(), channels.end(), has_days)) return unknown(meter);
  std::vector<ChannelOfMeter> kept;
  for (auto& channel : channels) {
    const auto is_that = [&](const auto& known) { return known.channel == channel.channel(); };
    if (channel.has_days() ||
        (info && std::any_of(info->channels.begin(), info->channels.end(), is_that)))
      kept.push_back(std::move(channel));
  }
  channels = std::move(kept);
  return {};
}

/// The meters of the span that have rows or are known, ascending.
Result<void> answer_span(const Tables& tables, const store::MeterSpan& span, MeterList& meters,
                         GapsAnswer& answer, StopFlag stop) {
  RowsByMeter rows(tables);
  std::vector<Row> own;
  for (;;) {
    METERLINE_CHECK(check_stop(stop));
    METERLINE_TRY(const store::MeterInfo* known, meters.current());
    if (known != nullptr && !span.contains(known->meter.text())) known = nullptr;
    const bool has_more = !rows.at_end();
    if (!has_more && known == nullptr) return {};
    const bool has_row = has_more && (known == nullptr || rows.meter() <= known->meter.text());
    const std::string_view meter = has_row ? rows.meter() : known->meter.text();
    own.clear();
    if (has_row) own.push_back(rows.take());
    while (has_row && !rows.at_end() && rows.meter() == meter) own.push_back(rows.take());
    if (known != nullptr && known->meter.text() != meter) known = nullptr;
    METERLINE_CHECK(answer.add(meter, own, known));
    if (known != nullptr) meters.advance();
  }
}

}  // namespace

Result<Gaps> gaps(const store::Store& store, const GapsQuestion& question, StopFlag stop,
                  std::size_t held_bytes) {
  METERLINE_CHECK(check(question.dates));
  const std::size_t rows_max = rows_max_of(question, held_bytes);
  const store::TotalsQuery all{.dates = question.dates,
                               .as_of = question.as_of.value_or(Instant::end_of_time())};
  MeterList meters(store, question.absent);
  GapsAnswer answer(question);
  const auto add_span = [&](const store::MeterSpan& span) -> Result<bool> {
    store::TotalsQuery query = all;
    query.span = span;
    METERLINE_TRY(const auto tables, read_presence(store, query, question, rows_max, stop));
    if (tables) METERLINE_CHECK(answer_span(*tables, span, meters, answer, stop));
    return tables.has_value();
  };
  METERLINE_CHECK(each_span(store, all, rows_max, add_span, stop));
  return answer.take();
}

std::string_view kind_of(const Gap& gap) { return gap.expected ? "incomplete" : "missing"; }

Result<MeterGaps> meter_gaps(const store::Store& store, const MeterGapsQuestion& question) {
  METERLINE_CHECK(check(question.dates));
  METERLINE_TRY(const auto known, store.channels(question.meter));
  if (known.empty()) return unknown(question.meter);
  std::vector<ChannelOfMeter> channels;
  for (const auto& channel : known)
    if (is_wanted(channel, question.channel, question.flow))
      channels.emplace_back(channel, question.dates);

  const store::DaysQuery days{.meter = question.meter,
                              .dates = question.dates,
                              .as_of = question.as_of.value_or(Instant::end_of_time())};
  METERLINE_CHECK(
      store::read_resolved(store, days, [&](const store::ResolvedDay& day) -> Result<void> {
        // A channel that became known since the meter was looked up is left to the next question.
        for (auto& channel : channels)
          if (channel.channel() == day.channel) channel.add(day);
        return {};
      }));
  METERLINE_CHECK(drop_withdrawn(store, question.meter, channels));
  MeterGaps out{.question = question, .channels = {}};
  for (auto& channel : channels) out.channels.push_back(channel.finish());
  return out;
}

}  // namespace meterline::query
