#include "store/cassandra/meter_rows.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/try.h"
#include "store/cassandra/day_rows.h"
#include "store/cassandra/event_rows.h"
#include "store/cassandra/register_rows.h"
#include "store/cassandra/registry.h"
#include "store/packed_day.h"

namespace meterline::store::cassandra {
namespace {

/// Every statement that reads an edge of a year stops at so many rows, but for those that end
/// with `_all`.
constexpr std::size_t edge_rows = 10;
/// Meters whose first and last days are asked for at once.
constexpr std::size_t meters_at_once = 500;

tl::unexpected<Error> damaged(const MeterId& meter) {
  return fail(Errc::corrupt, "the store holds a damaged entry of meter " + meter.text());
}

/// A meter on its way to its MeterInfo.
struct Draft {
  MeterId meter;
  NotedMeter noted;
  std::map<Channel, ChannelInfo> channels;  ///< Of which the first day is known.
  std::set<Channel> ended;                  ///< Of which the last day is known, too.
};

enum class Edge { first, last };

/// A year of a meter of which an edge is asked for, and the channels whose edge it must be.
struct EdgeQuestion {
  std::size_t draft;
  int year;
  std::set<Channel> channels;
};

bool is_found(Edge edge, const Draft& draft, const Channel& channel) {
  return edge == Edge::first ? draft.channels.contains(channel) : draft.ended.contains(channel);
}

/// Takes rows of one question in the order of the statement; of last days, versions ascending.
class EdgeAnswer {
 public:
  EdgeAnswer(Edge edge, const DeliveryEvents& events, Draft& draft, const std::set<Channel>& wanted)
      : edge_(edge), events_(events), draft_(draft), wanted_(wanted) {}

  Result<void> add(CqlRow& row) {
    const Date date = row.date();
    const auto channel = parse_channel(row.text());
    const auto version = row.blob();
    const auto packed = edge_ == Edge::last ? row.blob() : std::string_view();
    if (!row.ok() || !channel || version.size() != version_key_bytes) return damaged(draft_.meter);
    const bool counts =
        events_.empty() || !events_.is_withdrawn(parse_version_key(version).delivery);
    if (edge_ == Edge::first) {
      if (counts && wanted_.contains(*channel) && !draft_.channels.contains(*channel))
        draft_.channels[*channel] = {.channel = *channel, .first = date};
      return {};
    }
    // The newest version of a day is the last of its rows, so a day is known when it is over.
    if (!open_ || open_->date != date || open_->channel != *channel) close();
    if (counts && !draft_.ended.contains(*channel) && wanted_.contains(*channel))
      open_ = Open{.date = date, .channel = *channel, .packed = std::string(packed)};
    return {};
  }

  bool is_done() const {
    return std::all_of(wanted_.begin(), wanted_.end(),
                       [&](const Channel& channel) { return is_found(edge_, draft_, channel); });
  }

  /// There are no further rows.
  Result<void> finish() {
    close();
    return std::move(result_);
  }
  Result<void> result() const { return result_; }

 private:
  struct Open {
    Date date;
    Channel channel;
    std::string packed;
  };

  void close() {
    if (!open_ || !result_) return;
    result_ = take_last(*open_);
    open_.reset();
  }

  Result<void> take_last(const Open& day) {
    METERLINE_TRY(const auto parts, split_packed_day(day.packed));
    METERLINE_TRY(const auto grid, grid_info(parts.grid));
    auto& info = draft_.channels[day.channel];
    info.channel = day.channel;
    info.last = day.date;
    info.interval = grid.interval;
    info.zone = grid.zone;
    METERLINE_TRY(info.facts, facts_of(parts.grid));
    draft_.ended.insert(day.channel);
    return {};
  }

  const Edge edge_;
  const DeliveryEvents& events_;
  Draft& draft_;
  const std::set<Channel>& wanted_;
  std::optional<Open> open_;
  Result<void> result_;
};

/// Of channels whose edge is not found yet, their year with so many before it, seen from the edge.
std::vector<EdgeQuestion> questions_of(std::vector<Draft>& drafts, Edge edge, std::size_t before) {
  std::vector<EdgeQuestion> questions;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    std::map<int, std::set<Channel>> by_year;
    for (auto& [channel, years] : drafts[i].noted.years) {
      const bool has_days = edge == Edge::first || drafts[i].channels.contains(channel);
      if (before >= years.size() || !has_days || is_found(edge, drafts[i], channel)) continue;
      std::sort(years.begin(), years.end());
      by_year[edge == Edge::first ? years[before] : years[years.size() - 1 - before]].insert(
          channel);
    }
    for (auto& [year, channels] : by_year)
      questions.push_back({.draft = i, .year = year, .channels = std::move(channels)});
  }
  return questions;
}

void edge_key(const Draft& draft, int year, CqlCells& keys) {
  keys.text(draft.meter.text());
  keys.integer(year);
}

/// Reads the year row by row until every channel's edge is found.
Result<void> read_whole_year(const Tables& tables, Edge edge, const DeliveryEvents& events,
                             const EdgeQuestion& question, Draft& draft) {
  CqlCells key;
  edge_key(draft, question.year, key);
  EdgeAnswer answer(edge, events, draft, question.channels);
  const auto statement =
      edge == Edge::first ? Statement::select_first_days_all : Statement::select_last_days_all;
  auto read = tables.read_rows(statement, key, [&](CqlRow& row) -> Result<void> {
    METERLINE_CHECK(answer.add(row));
    METERLINE_CHECK(answer.result());
    return answer.is_done() ? enough() : Result<void>();
  });
  if (is_enough(read)) return {};
  METERLINE_CHECK(std::move(read));
  return answer.finish();
}

Result<void> ask_edges(const Tables& tables, Edge edge, EventsRead& reading,
                       const std::vector<EdgeQuestion>& questions, std::vector<Draft>& drafts) {
  CqlCells keys;
  for (const auto& question : questions) edge_key(drafts[question.draft], question.year, keys);
  std::vector<std::size_t> unfinished;
  const auto statement =
      edge == Edge::first ? Statement::select_first_days : Statement::select_last_days;
  METERLINE_CHECK(tables.read_pages(
      statement, keys, questions.size(),
      [&](std::size_t which, const CqlPage& page) -> Result<void> {
        const auto& question = questions[which];
        METERLINE_TRY(const auto* events, reading.get());
        EdgeAnswer answer(edge, *events, drafts[question.draft], question.channels);
        METERLINE_CHECK(visit_rows(page, [&](CqlRow& row) { return answer.add(row); }));
        // With fewer rows than asked for, the last day is over as well.
        if (page.rows < edge_rows) METERLINE_CHECK(answer.finish());
        METERLINE_CHECK(answer.result());
        if (page.rows >= edge_rows && !answer.is_done()) unfinished.push_back(which);
        return {};
      },
      short_reads_in_flight));
  for (const std::size_t which : unfinished) {
    METERLINE_TRY(const auto* events, reading.get());
    METERLINE_CHECK(
        read_whole_year(tables, edge, *events, questions[which], drafts[questions[which].draft]));
  }
  return {};
}

/// The outermost years tell, unless all their days are withdrawn or were never finished.
Result<void> read_edges(const Tables& tables, Edge edge, EventsRead& events,
                        std::vector<Draft>& drafts) {
  for (std::size_t before = 0;; ++before) {
    const auto questions = questions_of(drafts, edge, before);
    if (questions.empty()) return {};
    METERLINE_CHECK(ask_edges(tables, edge, events, questions, drafts));
  }
}

/// Where something is withdrawn, only the reads tell whether one of them counts.
Result<void> look_at_reads(const Tables& tables, EventsRead& reading, std::vector<Draft>& drafts) {
  for (auto& draft : drafts) {
    if (!draft.noted.has_reads) continue;
    METERLINE_TRY(const auto* events, reading.get());
    if (events->empty()) return {};
    METERLINE_TRY(draft.noted.has_reads, counts_any_read(tables, draft.meter, reading));
  }
  return {};
}

Result<std::vector<MeterInfo>> finish(const Tables& tables, EventsRead& events,
                                      std::vector<Draft> drafts) {
  METERLINE_CHECK(read_edges(tables, Edge::first, events, drafts));
  METERLINE_CHECK(read_edges(tables, Edge::last, events, drafts));
  METERLINE_CHECK(look_at_reads(tables, events, drafts));
  std::vector<MeterInfo> infos;
  for (auto& draft : drafts) {
    MeterInfo info{
        .meter = std::move(draft.meter), .channels = {}, .has_reads = draft.noted.has_reads};
    for (const auto& [channel, known] : draft.channels)
      if (draft.ended.contains(channel)) info.channels.push_back(known);
    if (!info.channels.empty() || info.has_reads) infos.push_back(std::move(info));
  }
  return infos;
}

using NotedMeters = std::map<std::string, NotedMeter>;  ///< By meter.

/// The meters of one bucket, ascending: as many as are asked for of all buckets.
Result<void> list_bucket(const Tables& tables, std::int32_t bucket, const MetersQuery& query,
                         NotedMeters& found) {
  // '!' stands before every character of a meter id, '~' behind.
  const std::string after = query.after.text().empty() ? "" : query.after.text() + "!";
  CqlCells key;
  key.integer(bucket);
  key.text(std::max(after, query.prefix));
  key.text(query.prefix + "~");
  NotedMeters own;
  const auto read =
      tables.read_rows(Statement::select_meters, key, [&](CqlRow& row) -> Result<void> {
        std::string meter(row.text());
        if (own.size() == query.limit && !own.contains(meter)) return enough();
        if (!take_noted(row, own[meter]))
          return fail(Errc::corrupt, "the store holds a damaged entry of meter " + meter);
        return {};
      });
  if (!is_enough(read)) METERLINE_CHECK(read);
  found.merge(own);
  return {};
}

/// What is noted of the first meters that are asked for.
Result<NotedMeters> list_names(const Tables& tables, const MetersQuery& query) {
  NotedMeters found;
  METERLINE_TRY(const auto layout, tables.layout());
  for (std::int32_t bucket = 0; bucket < layout.buckets; ++bucket) {
    METERLINE_CHECK(list_bucket(tables, bucket, query, found));
    while (found.size() > query.limit) found.erase(std::prev(found.end()));
  }
  return found;
}

/// `last` becomes the last of them.
Result<std::vector<MeterInfo>> infos_of(const Tables& tables, EventsRead& events,
                                        NotedMeters&& noted, MeterId& last) {
  std::vector<MeterInfo> infos;
  std::vector<Draft> drafts;
  const auto finish_drafts = [&]() -> Result<void> {
    METERLINE_TRY(auto some, finish(tables, events, std::move(drafts)));
    std::move(some.begin(), some.end(), std::back_inserter(infos));
    drafts.clear();
    return {};
  };
  for (auto& [text, known] : noted) {
    auto meter = MeterId::parse(text);
    if (!meter) return fail(Errc::corrupt, "the store holds a meter that is none: " + text);
    last = *meter;
    drafts.push_back(
        {.meter = *std::move(meter), .noted = std::move(known), .channels = {}, .ended = {}});
    if (drafts.size() == meters_at_once) METERLINE_CHECK(finish_drafts());
  }
  METERLINE_CHECK(finish_drafts());
  return infos;
}

}  // namespace

Result<std::vector<MeterInfo>> read_meter(const Tables& tables, const MetersQuery& query) {
  METERLINE_TRY(auto noted, read_noted(tables, *query.only));
  if (noted.years.empty() && !noted.has_reads) return std::vector<MeterInfo>();
  if (query.names_only && query.withdrawn == Withdrawn::counted) {
    MeterInfo info{.meter = *query.only, .channels = {}, .has_reads = noted.has_reads};
    for (const auto& [channel, years] : noted.years) info.channels.push_back({.channel = channel});
    return std::vector{std::move(info)};
  }
  EventsRead events(tables, query.withdrawn);
  std::vector<Draft> drafts;
  drafts.push_back({.meter = *query.only, .noted = std::move(noted), .channels = {}, .ended = {}});
  return finish(tables, events, std::move(drafts));
}

Result<std::vector<MeterInfo>> list_meters(const Tables& tables, const MetersQuery& query) {
  EventsRead events(tables, query.withdrawn);
  std::vector<MeterInfo> infos;
  MetersQuery rest = query;
  // A meter that is noted without days does not count.
  while (infos.size() < query.limit) {
    rest.limit = query.limit - infos.size();
    METERLINE_TRY(auto names, list_names(tables, rest));
    const bool is_last = names.size() < rest.limit;
    METERLINE_TRY(auto some, infos_of(tables, events, std::move(names), rest.after));
    std::move(some.begin(), some.end(), std::back_inserter(infos));
    if (is_last) break;
  }
  return infos;
}

}  // namespace meterline::store::cassandra
