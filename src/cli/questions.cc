#include "cli/questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>

#include "api/batch.h"
#include "api/render.h"
#include "cli/exit_code.h"
#include "cli/groups.h"
#include "cli/meter_list.h"
#include "cli/question_parts.h"
#include "cli/table.h"
#include "core/try.h"
#include "query/changes.h"
#include "query/consumption.h"
#include "query/gaps.h"
#include "query/history.h"
#include "query/portfolio.h"
#include "query/registers.h"

namespace meterline::cli {
namespace {

constexpr auto right = Table::Align::right;

using cli::text_of;
using cli::title_of;

std::string version_of(const query::Total& total) {
  return total.version ? total.version->stated.text() : "-";
}

/// A note in one cell, as far as it can be taken in at a glance.
std::string short_text(const Note* note) {
  return note == nullptr ? std::string() : excerpt_of(meterline::text_of(*note));
}

std::string table_of(const query::Consumption& answer) {
  std::string out;
  for (const auto& channel : answer.channels) {
    std::vector<Table::Column> columns = {{.title = "start"},
                                          {.title = "sum", .align = right},
                                          {.title = "readings", .align = right},
                                          {.title = "stated"}};
    const bool has_notes = !channel.notes.empty();
    if (has_notes) columns.push_back({.title = "note"});
    Table table(columns);
    const auto add = [&](const std::string& start, const query::Total& total, const Note* note) {
      std::vector<std::string> cells = {start, text_of(total.sum), readings_of(total),
                                        version_of(total)};
      if (has_notes) cells.push_back(short_text(note));
      table.add(std::move(cells));
    };
    for (std::size_t i = 0; i < channel.series.size(); ++i) {
      const auto& point = channel.series[i];
      add(api::start_text(point, answer.question.resolution), point.total,
          note_at(channel.notes, i));
    }
    add("total", channel.total, nullptr);
    out +=
        fmt::format("{}{}\n{}", out.empty() ? "" : "\n", title_of(channel.channel), table.text());
  }
  return out;
}

std::string table_of(const query::Top& answer) {
  std::string out;
  for (const auto& [channel, meters, listed] : answer.channels) {
    Table table({{.title = "meter"},
                 {.title = "sum", .align = right},
                 {.title = "readings", .align = right},
                 {.title = "complete days", .align = right}});
    for (const auto& meter : listed)
      table.add(
          {meter.meter.text(), text_of(meter.sum), grouped(meter.readings), grouped(meter.days)});
    out += fmt::format("{}{}: the {} of {} meters\n{}", out.empty() ? "" : "\n", title_of(channel),
                       query::text_of(answer.question.order), grouped(meters), table.text());
  }
  return out.empty() ? "no meter has a reading of those days\n" : out;
}

std::string table_of(const query::Profile& answer) {
  std::string out;
  for (const auto& channel : answer.channels) {
    Table table({{.title = "start"},
                 {.title = "weekday", .align = right},
                 {.title = "days", .align = right},
                 {.title = "weekend", .align = right},
                 {.title = "days", .align = right}});
    for (const auto& point : channel.points)
      table.add({api::start_text(point), text_of(point.weekday.average),
                 grouped(point.weekday.count), text_of(point.weekend.average),
                 grouped(point.weekend.count)});
    out += fmt::format("{}{}\n", out.empty() ? "" : "\n", title_of(channel.channel));
    if (!channel.peak) {
      out += "nothing is known of those days, or it does not add up to hours\n";
      continue;
    }
    const auto resolution = answer.question.resolution;
    out += fmt::format(
        "average {}, peak {} at {}, lowest {} at {}, load factor {}\n{}",
        text_of(channel.all.average), text_of(channel.peak->total.sum),
        api::start_text(*channel.peak, resolution), text_of(channel.lowest->total.sum),
        api::start_text(*channel.lowest, resolution), text_of(channel.load_factor), table.text());
  }
  return out;
}

std::string table_of(const query::Portfolio& answer) {
  std::string out;
  for (const auto& channel : answer.channels) {
    Table table({{.title = "start"},
                 {.title = "sum", .align = right},
                 {.title = "average", .align = right},
                 {.title = "meters", .align = right},
                 {.title = "incomplete", .align = right},
                 {.title = "readings", .align = right}});
    const auto add = [&](const std::string& start, const query::PortfolioTotal& total) {
      table.add({start, text_of(total.total.sum), text_of(total.average), grouped(total.meters),
                 grouped(total.meters_incomplete), readings_of(total.total)});
    };
    for (const auto& point : channel.series) add(point.day.text(), point.total);
    add("total", channel.total);
    out +=
        fmt::format("{}{}\n{}", out.empty() ? "" : "\n", title_of(channel.channel), table.text());
  }
  return out;
}

std::string table_of(const query::Gaps& answer) {
  Table table({{.title = "meter"},
               {.title = "channel"},
               {.title = "days", .align = right},
               {.title = "stored", .align = right},
               {.title = "complete", .align = right},
               {.title = "first gap"}});
  for (const auto& [meter, channels] : answer.meters)
    for (const auto& channel : channels)
      table.add({meter.text(), title_of(channel.channel), grouped(answer.question.dates.size()),
                 grouped(channel.stored), grouped(channel.complete), channel.first_gap.text()});
  const auto& total = answer.total;
  std::string out = table.empty() ? std::string() : table.text() + '\n';
  if (answer.more)
    out += fmt::format("... and more; --limit {} shows twice as many\n", answer.question.limit * 2);
  return out + fmt::format("{} of {} meters have gaps; {} of {} days stored, {} complete\n",
                           grouped(total.meters_with_gaps), grouped(total.meters),
                           grouped(total.stored), grouped(total.days), grouped(total.complete));
}

std::string table_of(const query::MeterGaps& answer) {
  std::string out;
  for (const auto& channel : answer.channels) {
    out += fmt::format("{}{}: {} of {} days stored, {} complete\n", out.empty() ? "" : "\n",
                       title_of(channel.channel), grouped(channel.stored),
                       grouped(answer.question.dates.size()), grouped(channel.complete));
    Table table({{.title = "from"},
                 {.title = "to"},
                 {.title = "days", .align = right},
                 {.title = "readings", .align = right}});
    for (const auto& gap : channel.gaps)
      table.add({gap.dates.from.text(), gap.dates.to.text(), grouped(gap.dates.size()),
                 gap.expected ? fmt::format("{}/{}", gap.readings, *gap.expected) : "-"});
    if (!table.empty()) out += table.text();
  }
  return out;
}

/// `0.305`, `0.305 (substituted)`, `0.305 (substituted; S 14 32 fuse)`, `- (N)`
std::string text_of(const std::optional<Decimal>& reading, Quality quality, const Note* note) {
  std::string text = reading ? reading->text() : "-";
  const bool is_told = reading && quality != Quality::actual;
  if (!is_told && note == nullptr) return text;
  const std::string_view told = is_told ? text_of(quality) : "";
  return text +
         fmt::format(" ({}{}{})", told, is_told && note != nullptr ? "; " : "", short_text(note));
}

/// `01:30+01:00`; without the offset where the zone is not known.
std::string clock_text(const query::DayVersion& version, Date date, int minute) {
  const auto label = version.zone.label(date, minute);
  constexpr std::size_t date_chars = 11;
  constexpr std::size_t minute_chars = 5;
  constexpr std::size_t second_chars = 3;
  return label.substr(date_chars, minute_chars) +
         label.substr(date_chars + minute_chars + second_chars);
}

/// What the source of a version says of its slots.
std::string notes_of(const query::DayVersion& version, Date date) {
  constexpr std::size_t shown_max = 10;
  if (version.notes.empty()) return "";
  Table table({{.title = "from"}, {.title = "to"}, {.title = "note"}});
  const auto shown = std::min(shown_max, version.notes.size());
  const auto clock = [&](std::size_t slot) {
    return clock_text(version, date, static_cast<int>(slot) * version.interval.minutes());
  };
  for (const auto& run : std::span(version.notes).first(shown))
    table.add({clock(run.first), clock(run.end), short_text(&run.note)});
  std::string out =
      fmt::format("\nnotes received {}\n{}", version.version.received.text(), table.text());
  const auto more = version.notes.size() - shown;
  if (more > 0) out += fmt::format("... and {} more; --output json has all\n", more);
  return out;
}

/// What a version changed, slot by slot, as far as it can be taken in at a glance.
std::string changes_of(const query::DayVersion& version, Date date) {
  constexpr std::size_t shown_max = 10;
  if (version.changes.empty()) return "";
  Table table({{.title = "slot"}, {.title = "before", .align = right}, {.title = "after"}});
  const auto shown = std::min(shown_max, version.changes.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& change = version.changes[i];
    table.add({clock_text(version, date, change.minute),
               text_of(change.before, change.quality_before, note_at(version.notes_before, i)),
               text_of(change.after, change.quality_after, note_at(version.notes_after, i))});
  }
  std::string out =
      fmt::format("\nchanged when received {}\n{}", version.version.received.text(), table.text());
  const auto more = version.changes.size() - shown;
  if (more > 0) out += fmt::format("... and {} more; --output json has all\n", more);
  return out;
}

std::string table_of(const query::Changes& answer) {
  Table table({{.title = "meter"},
               {.title = "date"},
               {.title = "channel"},
               {.title = "before", .align = right},
               {.title = "readings", .align = right},
               {.title = "now", .align = right},
               {.title = "readings", .align = right},
               {.title = "changed", .align = right}});
  const auto sum = [](const auto& total) { return total ? text_of(total->sum) : "-"; };
  const auto readings = [](const auto& total) { return total ? readings_of(*total) : "-"; };
  for (const auto& day : answer.days)
    table.add({day.meter.text(), day.date.text(), title_of(day.channel), sum(day.before),
               readings(day.before), sum(day.after), readings(day.after), grouped(day.slots)});
  if (table.empty()) return "nothing changed\n";
  std::string out = table.text();
  if (answer.next)
    out += fmt::format("... and more; --limit {} shows twice as many\n", answer.question.limit * 2);
  return out;
}

std::string counts_text(const query::DayVersion& version) {
  if (version.withdrawn) return "withdrawn";
  return version.counts ? "yes" : "no";
}

std::string table_of(const query::History& answer) {
  std::string out;
  for (const auto& channel : answer.channels) {
    Table table({{.title = "received"},
                 {.title = "stated"},
                 {.title = "sum", .align = right},
                 {.title = "readings", .align = right},
                 {.title = "counts"},
                 {.title = "changed", .align = right},
                 {.title = "source"}});
    std::string changes;
    for (const auto& version : channel.versions) {
      table.add({version.version.received.text(), version.version.stated.text(),
                 text_of(version.total.sum), readings_of(version.total), counts_text(version),
                 std::to_string(version.changes.size()),
                 version.record ? version.record->delivery.source : "a load that never finished"});
      changes +=
          notes_of(version, answer.question.date) + changes_of(version, answer.question.date);
    }
    out += fmt::format("{}{}\n{}{}", out.empty() ? "" : "\n", title_of(channel.channel),
                       table.text(), changes);
  }
  return out.empty() ? "nothing is stored of that day\n" : out;
}

std::string title_of(const MeterRegister& of) {
  std::string title = title_of(of.channel);
  if (!of.id.empty()) title += fmt::format(", register {}", excerpt_of(of.id));
  if (!of.serial.empty()) title += fmt::format(", serial {}", excerpt_of(of.serial));
  return title;
}

std::string table_of(const query::Registers& answer) {
  Table table({{.title = "time"},
               {.title = "value", .align = right},
               {.title = "previous"},
               {.title = "value", .align = right},
               {.title = "counted", .align = right},
               {.title = "stated"},
               {.title = "register"}});
  const auto shown = [](const RegisterState& state) {
    return text_of(state.value, state.quality, state.note.bytes() == 0 ? nullptr : &state.note);
  };
  for (const auto& [read, version, delivery] : answer.reads)
    table.add({read.current.time.text(), shown(read.current),
               read.previous ? read.previous->time.text() : "-",
               read.previous ? shown(*read.previous) : "-",
               read.counted ? read.counted->text() : "-", version.stated.text(),
               title_of(read.of)});
  if (table.empty()) return "no register was read in those days\n";
  std::string out = table.text();
  if (answer.next)
    out += fmt::format("... and more; --limit {} shows twice as many\n", answer.question.limit * 2);
  return out;
}

std::string table_of(const std::vector<store::MeterInfo>& meters) {
  Table table({{.title = "meter"},
               {.title = "channel"},
               {.title = "minutes", .align = right},
               {.title = "first"},
               {.title = "last"},
               {.title = "zone"},
               {.title = "device"}});
  for (const auto& meter : meters) {
    for (const auto& channel : meter.channels)
      table.add({meter.meter.text(), title_of(channel.channel),
                 std::to_string(channel.interval.minutes()), channel.first.text(),
                 channel.last.text(), std::string(channel.zone.text()),
                 channel.facts ? channel.facts->serial : ""});
    if (meter.has_reads) table.add({meter.meter.text(), "register reads", "", "", "", "", ""});
  }
  return table.text();
}

template <class Answer>
void print_answer(const Answer& answer, Output output) {
  switch (output) {
    case Output::json:
      print_line(api::to_json(answer));
      return;
    case Output::csv:
      print_text(api::to_csv(answer));
      return;
    case Output::table:
      print_text(table_of(answer));
  }
}

Result<int> try_query(const QueryVerb& verb, const Session& session) {
  METERLINE_TRY(auto question, question_of<query::ConsumptionQuestion>(verb.options));
  METERLINE_TRY(question.meter, meter_argument(verb.meter));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto answer, query::consumption(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

/// As a question about each would be shown, below its id.
api::BatchForm batch_table() {
  return {.begin = "",
          .between = "\n",
          .end = "",
          .answer =
              [](const query::Consumption& answer) {
                return answer.question.meter.text() + '\n' + table_of(answer);
              },
          .unknown = [](const MeterId& meter) { return meter.text() + "\nno such meter\n"; }};
}

api::BatchForm batch_form(Output output, const query::ConsumptionQuestion& question) {
  if (output == Output::table) return batch_table();
  return output == Output::csv ? api::batch_csv(question) : api::batch_json_lines();
}

/// `path`: of the list, behind its @.
Result<int> try_query_list(const std::string& path, const QuestionOptions& options,
                           const Session& session) {
  constexpr std::size_t piece_bytes = 64 << 10;
  METERLINE_TRY(auto question, question_of<query::ConsumptionQuestion>(options));
  METERLINE_TRY(auto meters, read_meter_list("METER", path));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  const auto asked = std::ssize(meters);
  auto form = batch_form(session.output, question);
  api::Batch batch(*store, std::move(question), std::move(meters), std::move(form));
  while (!batch.is_done() && std::ferror(stdout) == 0) {
    METERLINE_CHECK(batch.answer_up_to(piece_bytes));
    print_text(batch.take());
  }
  if (batch.unknown() == 0) return exit_ok;
  tell(fmt::format("meterline: not known: {} of {} meters\n",
                   grouped(static_cast<std::int64_t>(batch.unknown())), grouped(asked)));
  return exit_failed;
}

Result<int> try_profile(const QueryVerb& verb, const Session& session) {
  METERLINE_TRY(auto question, question_of<query::ConsumptionQuestion>(verb.options));
  METERLINE_TRY(question.meter, meter_argument(verb.meter));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto answer, query::profile(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<int> try_top(const TopVerb& verb, const Session& session) {
  METERLINE_TRY(auto question, question_of<query::TopQuestion>(verb.options));
  METERLINE_TRY(question.unit, answer_unit_option(verb.options.unit));
  question.order = query::parse_top_order(verb.order).value_or(query::TopOrder::highest);
  question.limit = verb.limit;
  METERLINE_TRY(const auto store, AskedStore::open(session, verb.options.group));
  METERLINE_TRY(const auto answer, query::top(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<int> try_portfolio(const QuestionOptions& options, const Session& session) {
  METERLINE_TRY(const auto question, question_of<query::PortfolioQuestion>(options));
  METERLINE_TRY(const auto store, AskedStore::open(session, options.group));
  METERLINE_TRY(const auto answer, query::portfolio(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<int> try_gaps(const GapsVerb& verb, const Session& session) {
  METERLINE_TRY(auto question, question_of<query::GapsQuestion>(verb.options));
  question.limit = verb.limit;
  if (verb.absent == "false") question.absent = query::Absent::left_out;
  METERLINE_TRY(const auto store, AskedStore::open(session, verb.options.group));
  METERLINE_TRY(const auto answer, query::gaps(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<int> try_meter_gaps(const GapsVerb& verb, const Session& session) {
  METERLINE_CHECK(check_one_meter(verb.options.group));
  METERLINE_TRY(auto question, question_of<query::MeterGapsQuestion>(verb.options));
  METERLINE_TRY(question.meter, meter_argument(verb.meter));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto answer, query::meter_gaps(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<int> try_history(const HistoryVerb& verb, const Session& session) {
  query::HistoryQuestion question;
  METERLINE_TRY(question.meter, meter_argument(verb.meter));
  const auto date = Date::parse(verb.date);
  if (!date)
    return fail(Errc::invalid_argument,
                fmt::format("DATE: want a day as 2019-01-31, got \"{}\"", excerpt_of(verb.date)));
  question.date = *date;
  if (!verb.channel.empty()) question.channel = verb.channel;
  METERLINE_TRY(question.flow, flow_option(verb.flow));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto answer, query::history(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<query::RegistersQuestion> question_of(const RegistersVerb& verb) {
  query::RegistersQuestion question{.limit = verb.limit};
  METERLINE_TRY(question.meter, meter_argument(verb.meter));
  if (!verb.from.empty() || !verb.to.empty()) {
    METERLINE_TRY(question.dates, range_options(verb.from, verb.to));
  }
  if (!verb.channel.empty()) question.channel = verb.channel;
  METERLINE_TRY(question.flow, flow_option(verb.flow));
  if (!verb.as_of.empty()) {
    METERLINE_TRY(question.as_of, instant_option("--as-of", verb.as_of));
  }
  return question;
}

Result<int> try_registers(const RegistersVerb& verb, const Session& session) {
  METERLINE_TRY(const auto question, question_of(verb));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto answer, query::registers(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<query::ChangesQuestion> question_of(const ChangesVerb& verb) {
  query::ChangesQuestion question{.limit = verb.limit};
  METERLINE_TRY(question.since, instant_option("--since", verb.since));
  if (!verb.meter.empty()) {
    METERLINE_TRY(question.meter, meter_argument(verb.meter));
  }
  if (!verb.from.empty() || !verb.to.empty()) {
    METERLINE_TRY(question.dates, range_options(verb.from, verb.to));
  }
  if (!verb.channel.empty()) question.channel = verb.channel;
  METERLINE_TRY(question.flow, flow_option(verb.flow));
  return question;
}

/// Page after page, until there are as many days as asked for, or all; those of a meter together.
Result<int> try_changes(const ChangesVerb& verb, const Session& session) {
  if (!verb.meter.empty()) METERLINE_CHECK(check_one_meter(verb.group));
  METERLINE_TRY(auto question, question_of(verb));
  METERLINE_TRY(const auto store, AskedStore::open(session, verb.group));
  query::Changes all;
  do {
    METERLINE_TRY(auto page, query::changes(*store, question));
    std::move(page.days.begin(), page.days.end(), std::back_inserter(all.days));
    all.next = page.next;
    if (page.next) question.after = *page.next;
  } while (all.next && all.days.size() < question.limit);
  all.question = std::move(question);
  print_answer(all, session.output);
  return exit_ok;
}

/// Drops what is beyond the limit; tells whether there was more.
template <class Item>
bool cut_off(std::vector<Item>& items, std::size_t limit) {
  const bool more = items.size() > limit;
  if (more) items.resize(limit);
  return more;
}

template <class Item, class Json, class Csv>
void print_list(std::vector<Item> items, const ListVerb& verb, Output output, const Json& json,
                const Csv& csv) {
  const bool more = cut_off(items, verb.limit);
  switch (output) {
    case Output::json:
      print_line(json(items, more));
      return;
    case Output::csv:
      print_text(csv(items));
      return;
    case Output::table:
      print_text(table_of(items));
      if (more)
        print_text(fmt::format("... and more; --limit {} shows twice as many\n", verb.limit * 2));
  }
}

Result<int> try_meters(const ListVerb& verb, const Session& session) {
  METERLINE_TRY(const auto store, AskedStore::open(session, verb.group));
  METERLINE_TRY(auto found, store->meters({.prefix = verb.prefix, .limit = verb.limit + 1}));
  print_list(std::move(found), verb, session.output, api::meters_json, api::meters_csv);
  return exit_ok;
}

int finish(const Result<int>& done) { return done ? *done : report_error(done.error()); }

}  // namespace

int query(const QueryVerb& verb, const Session& session) {
  if (verb.meter.starts_with('@'))
    return finish(try_query_list(verb.meter.substr(1), verb.options, session));
  return finish(try_query(verb, session));
}
int profile(const QueryVerb& verb, const Session& session) {
  return finish(try_profile(verb, session));
}
int top(const TopVerb& verb, const Session& session) { return finish(try_top(verb, session)); }
int portfolio(const QuestionOptions& options, const Session& session) {
  return finish(try_portfolio(options, session));
}
int gaps(const GapsVerb& verb, const Session& session) {
  return finish(verb.meter.empty() ? try_gaps(verb, session) : try_meter_gaps(verb, session));
}
int history(const HistoryVerb& verb, const Session& session) {
  return finish(try_history(verb, session));
}
int registers(const RegistersVerb& verb, const Session& session) {
  return finish(try_registers(verb, session));
}
int changes(const ChangesVerb& verb, const Session& session) {
  return finish(try_changes(verb, session));
}
int meters(const ListVerb& verb, const Session& session) {
  return finish(try_meters(verb, session));
}

}  // namespace meterline::cli
