#include "store/cassandra/day_rows.h"

#include <algorithm>
#include <set>

#include "core/try.h"
#include "store/cassandra/registry.h"

namespace meterline::store::cassandra {
namespace {

/// More years than this are asked for only where the meter has days.
constexpr int years_asked_at_most = 3;

tl::unexpected<Error> damaged(const MeterId& meter) {
  return fail(Errc::corrupt, "the store holds a damaged day of meter " + meter.text());
}

/// Takes the rows of select_days and visits them date by date, channels in their order.
class RowsByDate {
 public:
  RowsByDate(const MeterId& meter, Instant as_of, EventsRead& events, const DayVisitor& visit)
      : meter_(meter), as_of_(as_of), events_(events), visit_(visit) {}

  Result<void> add(CqlRow& row) {
    const Date date = row.date();
    const auto channel = row.text();
    const auto version = row.blob();
    const auto packed = row.blob();
    if (!row.ok() || version.size() != version_key_bytes) return damaged(meter_);
    if (used_ > 0 && date != rows_[0].date) METERLINE_CHECK(finish());
    const auto key = parse_version_key(version);
    if (key.version.received > as_of_) return {};
    METERLINE_TRY(const std::size_t number, channel_number(channel));
    if (used_ == rows_.size()) rows_.emplace_back();
    Row& kept = rows_[used_++];
    kept.channel = number;
    kept.date = date;
    kept.version = key;
    kept.packed.assign(packed);
    return {};
  }

  /// Visits what is held.
  Result<void> finish() {
    order_.clear();
    METERLINE_TRY(const auto* events, events_.get());
    for (std::size_t i = 0; i < used_; ++i) order_.push_back(&rows_[i]);
    // Versions of a channel come newest first already.
    std::stable_sort(order_.begin(), order_.end(), [&](const Row* a, const Row* b) {
      return a->channel != b->channel &&
             channels_[a->channel].channel < channels_[b->channel].channel;
    });
    used_ = 0;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const Row* const row = order_[i];
      if (is_said_again(i)) continue;
      METERLINE_CHECK(visit_({.channel = channels_[row->channel].channel,
                              .date = row->date,
                              .version = row->version.version,
                              .delivery = row->version.delivery,
                              .packed = row->packed,
                              .withdrawn = events->is_withdrawn(row->version.delivery, as_of_)}));
    }
    return {};
  }

 private:
  struct Row {
    std::size_t channel = 0;
    Date date;
    VersionKey version;
    std::string packed;
  };
  struct NamedChannel {
    std::string text;
    Channel channel;
  };

  /// A delivery that is loaded by two processes at once, or again after it was cut off, is received
  /// twice and says the same twice: the later receipt, which comes first, stands for both.
  bool is_said_again(std::size_t at) const {
    const Row& row = *order_[at];
    for (std::size_t i = at; i-- > 0 && order_[i]->channel == row.channel;) {
      if (order_[i]->version.version.stated != row.version.version.stated) return false;
      if (order_[i]->version.delivery == row.version.delivery) return true;
    }
    return false;
  }

  Result<std::size_t> channel_number(std::string_view text) {
    for (std::size_t i = 0; i < channels_.size(); ++i)
      if (channels_[i].text == text) return i;
    auto channel = parse_channel(text);
    if (!channel) return damaged(meter_);
    channels_.push_back({.text = std::string(text), .channel = *std::move(channel)});
    return channels_.size() - 1;
  }

  const MeterId& meter_;
  const Instant as_of_;
  EventsRead& events_;
  const DayVisitor& visit_;
  std::vector<NamedChannel> channels_;
  std::vector<Row> rows_;  ///< Of one date; the first used_ of them.
  std::size_t used_ = 0;
  std::vector<const Row*> order_;
};

void days_key(const MeterId& meter, int year, const DateRange& dates, CqlCells& keys) {
  keys.text(meter.text());
  keys.integer(year);
  keys.date(dates.from);
  keys.date(dates.to);
}

/// The years to ask for, ascending.
Result<std::vector<int>> years_of(const Tables& tables, const DaysQuery& query) {
  const int first = query.dates.from.civil().year;
  const int last = query.dates.to.civil().year;
  std::set<int> years;
  if (last - first < years_asked_at_most) {
    for (int year = first; year <= last; ++year) years.insert(year);
  } else {
    METERLINE_TRY(const auto by_channel, read_years(tables, query.meter));
    for (const auto& [channel, found] : by_channel)
      for (const int year : found)
        if (year >= first && year <= last) years.insert(year);
  }
  return std::vector<int>(years.begin(), years.end());
}

}  // namespace

bool take_noted(CqlRow& row, NotedMeter& meter) {
  const auto text = row.text();
  const int year = row.integer();
  if (text == registers_text) return meter.has_reads = true;
  const auto channel = parse_channel(text);
  if (channel) meter.years[*channel].push_back(year);
  return channel.has_value();
}

Result<YearsByChannel> read_years(const Tables& tables, const MeterId& meter) {
  METERLINE_TRY(auto noted, read_noted(tables, meter));
  return std::move(noted.years);
}

Result<NotedMeter> read_noted(const Tables& tables, const MeterId& meter) {
  METERLINE_TRY(const auto layout, tables.layout());
  CqlCells key;
  key.integer(bucket_of(meter, layout.buckets));
  key.text(meter.text());
  NotedMeter noted;
  METERLINE_CHECK(tables.read_rows(Statement::select_meter, key, [&](CqlRow& row) -> Result<void> {
    return take_noted(row, noted) ? Result<void>() : damaged(meter);
  }));
  return noted;
}

Result<void> read_day_rows(const Tables& tables, const DaysQuery& query, const DayVisitor& visit) {
  if (query.dates.size() == 0) return {};
  EventsRead events(tables);
  METERLINE_TRY(const auto years, years_of(tables, query));
  CqlCells keys;
  for (const int year : years) days_key(query.meter, year, query.dates, keys);
  RowsByDate days(query.meter, query.as_of, events, visit);
  METERLINE_CHECK(tables.read_pages(
      Statement::select_days, keys, years.size(), [&](std::size_t, const CqlPage& page) {
        return visit_rows(page, [&](CqlRow& row) { return days.add(row); });
      }));
  return days.finish();
}

Result<void> read_meter_dates(const Tables& tables, const std::vector<MeterDates>& dates,
                              Instant as_of, EventsRead& events, const MeterDayVisitor& visit) {
  CqlCells keys;
  for (const auto& [meter, range] : dates) days_key(meter, range.from.civil().year, range, keys);
  std::size_t current = 0;
  const DayVisitor visit_day = [&](const StoredDay& day) { return visit(current, day); };
  std::optional<RowsByDate> days;
  return tables.read_pages(
      Statement::select_days, keys, dates.size(),
      [&](std::size_t which, const CqlPage& page) -> Result<void> {
        if (!days) days.emplace(dates[which].meter, as_of, events, visit_day);
        current = which;
        METERLINE_CHECK(visit_rows(page, [&](CqlRow& row) { return days->add(row); }));
        if (!page.last) return {};
        METERLINE_CHECK(days->finish());
        days.reset();
        return {};
      },
      short_reads_in_flight);
}

}  // namespace meterline::store::cassandra
