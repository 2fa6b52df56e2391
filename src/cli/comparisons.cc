#include "cli/comparisons.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "api/render.h"
#include "cli/exit_code.h"
#include "cli/groups.h"
#include "cli/question_options.h"
#include "cli/question_parts.h"
#include "cli/table.h"
#include "cli/tariffs.h"
#include "core/try.h"
#include "query/base_load.h"
#include "query/comparison.h"
#include "query/late.h"
#include "query/time_of_use.h"

namespace meterline::cli {
namespace {

constexpr auto right = Table::Align::right;

std::string dates_text(const DateRange& dates) {
  return fmt::format("{} to {}", dates.from.text(), dates.to.text());
}

std::string table_of(const query::Comparison& answer) {
  std::string out;
  for (const auto& channel : answer.channels) {
    std::vector<Table::Column> columns = {{.title = "dates"},
                                          {.title = "sum", .align = right},
                                          {.title = "readings", .align = right}};
    const bool is_of_all = !answer.question.meter;
    if (is_of_all) columns.push_back({.title = "meters", .align = right});
    Table table(columns);
    const auto add = [&](const DateRange& dates, const query::PortfolioTotal& all) {
      std::vector<std::string> cells = {dates_text(dates), text_of(all.total.sum),
                                        readings_of(all.total)};
      if (is_of_all) cells.push_back(grouped(all.meters));
      table.add(std::move(cells));
    };
    add(answer.question.dates, channel.total);
    add(answer.question.against, channel.against);
    out += fmt::format("{}{}\n{}difference {}, {} percent\n", out.empty() ? "" : "\n",
                       title_of(channel.channel), table.text(), text_of(channel.difference),
                       text_of(channel.percent));
  }
  return out.empty() ? "no meter has a reading of those days\n" : out;
}

std::string table_of(const query::TimeOfUse& answer) {
  const auto& bands = answer.question.tariff.bands();
  std::string out;
  for (const auto& channel : answer.channels) {
    Table table({{.title = "start"},
                 {.title = "band"},
                 {.title = "sum", .align = right},
                 {.title = "readings", .align = right}});
    const auto add = [&](const std::string& start, const std::vector<query::BandTotal>& totals) {
      for (std::size_t i = 0; i < totals.size(); ++i)
        table.add({start, bands[i], text_of(totals[i].total.sum), readings_of(totals[i].total)});
    };
    for (const auto& point : channel.series) add(point.day.text(), point.bands);
    add("total", channel.bands);
    table.add({"total", "all", text_of(channel.total.sum), readings_of(channel.total)});
    out +=
        fmt::format("{}{}\n{}", out.empty() ? "" : "\n", title_of(channel.channel), table.text());
  }
  return out;
}

std::string table_of(const query::BaseLoad& answer) {
  Table table({{.title = "channel"},
               {.title = "base load", .align = right},
               {.title = "unit"},
               {.title = "complete days", .align = right}});
  for (const auto& channel : answer.channels)
    table.add({title_of(channel.channel), text_of(channel.base),
               std::string(query::base_unit(channel.channel.unit)),
               fmt::format("{}/{}", channel.days, answer.question.dates.size())});
  return table.text();
}

std::string table_of(const query::Late& answer) {
  Table table({{.title = "meter"}, {.title = "channel"}, {.title = "last day"}});
  for (const auto& meter : answer.meters)
    for (const auto& known : meter.channels)
      table.add({meter.meter.text(), title_of(known.channel), known.last.text()});
  if (table.empty()) return "no meter is late\n";
  std::string out = table.text();
  if (answer.next)
    out += fmt::format("... and perhaps more; --limit {} shows twice as many\n",
                       answer.question.limit * 2);
  return out;
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

Result<DateRange> range_against(const CompareVerb& verb, const DateRange& dates) {
  if (!verb.against_from.empty() || !verb.against_to.empty()) {
    METERLINE_TRY(const auto from, date_option("--against-from", verb.against_from));
    if (verb.against_to.empty()) return DateRange{.from = from, .to = from};
    METERLINE_TRY(const auto to, date_option("--against-to", verb.against_to));
    if (to < from)
      return fail(Errc::invalid_argument, fmt::format("--against-to {} is before --against-from {}",
                                                      to.text(), from.text()));
    return DateRange{.from = from, .to = to};
  }
  const auto against = query::parse_against(verb.against);
  return query::range_against(dates, against.value_or(query::Against::year_before));
}

Result<int> try_compare(const CompareVerb& verb, const Session& session) {
  METERLINE_TRY(auto question, question_of<query::CompareQuestion>(verb.options));
  METERLINE_TRY(question.unit, answer_unit_option(verb.options.unit));
  METERLINE_TRY(question.against, range_against(verb, question.dates));
  if (!verb.meter.empty()) {
    METERLINE_CHECK(check_one_meter(verb.options.group));
    METERLINE_TRY(question.meter, meter_argument(verb.meter));
  }
  METERLINE_TRY(const auto store, AskedStore::open(session, verb.options.group));
  METERLINE_TRY(const auto answer, query::compare(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

/// Intervals that reach over the edge of a band are told, as no table shows them.
void tell_straddling(const query::TimeOfUse& answer) {
  for (const auto& channel : answer.channels) {
    std::int64_t straddling = 0;
    for (const auto& band : channel.bands) straddling += band.straddling;
    if (straddling > 0)
      tell(
          fmt::format("{}: {} readings are of intervals that reach into another band; each "
                      "counts where it begins\n",
                      title_of(channel.channel), grouped(straddling)));
  }
}

Result<int> try_time_of_use(const TimeOfUseVerb& verb, const Session& session) {
  METERLINE_TRY(const auto tariff, tariff_option(verb.tariff));
  QuestionOptions options = verb.options;
  const auto resolution = query::BandResolution::parse(options.resolution);
  if (!resolution)
    return fail(Errc::invalid_argument,
                fmt::format("--resolution: want {}, got \"{}\"", query::band_resolution_names,
                            excerpt_of(options.resolution)));
  METERLINE_TRY(const auto meter, meter_argument(verb.meter));
  METERLINE_TRY(auto days, question_of<query::MeterDaysQuestion>(options));
  METERLINE_TRY(const auto unit, answer_unit_option(options.unit));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto answer, query::time_of_use(*store, {.meter = meter,
                                                               .dates = days.dates,
                                                               .tariff = tariff,
                                                               .resolution = *resolution,
                                                               .channel = std::move(days.channel),
                                                               .flow = days.flow,
                                                               .as_of = days.as_of,
                                                               .unit = unit}));
  print_answer(answer, session.output);
  tell_straddling(answer);
  return exit_ok;
}

Result<int> try_base_load(const QueryVerb& verb, const Session& session) {
  METERLINE_TRY(auto question, question_of<query::MeterDaysQuestion>(verb.options));
  METERLINE_TRY(question.meter, meter_argument(verb.meter));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto answer, query::base_load(*store, question));
  print_answer(answer, session.output);
  return exit_ok;
}

Result<query::LateQuestion> question_of(const LateVerb& verb) {
  query::LateQuestion question{.limit = verb.limit};
  if (verb.by == query::text_of(query::LateBy::day)) {
    METERLINE_TRY(question.since, date_option("--since", verb.since));
  } else {
    METERLINE_TRY(question.since, instant_option("--since", verb.since));
  }
  if (!verb.channel.empty()) question.channel = verb.channel;
  METERLINE_TRY(question.flow, flow_option(verb.flow));
  return question;
}

/// Page after page, until there are as many meters as asked for, or all.
Result<int> try_late(const LateVerb& verb, const Session& session) {
  METERLINE_TRY(auto question, question_of(verb));
  METERLINE_TRY(const auto store, AskedStore::open(session, verb.group));
  query::Late all{.question = question, .meters = {}, .next = {}};
  do {
    question.limit = verb.limit - all.meters.size();
    METERLINE_TRY(auto page, query::late(*store, question));
    std::move(page.meters.begin(), page.meters.end(), std::back_inserter(all.meters));
    all.next = page.next;
    if (page.next) question.after = *page.next;
  } while (all.next && all.meters.size() < verb.limit);
  print_answer(all, session.output);
  return exit_ok;
}

int finish(const Result<int>& done) { return done ? *done : report_error(done.error()); }

}  // namespace

int compare(const CompareVerb& verb, const Session& session) {
  return finish(try_compare(verb, session));
}
int time_of_use(const TimeOfUseVerb& verb, const Session& session) {
  return finish(try_time_of_use(verb, session));
}
int base_load(const QueryVerb& verb, const Session& session) {
  return finish(try_base_load(verb, session));
}
int late(const LateVerb& verb, const Session& session) { return finish(try_late(verb, session)); }

void add_compare(CLI::App& app, CompareVerb& verb) {
  auto* const compare = app.add_subcommand(
      "compare", "Two periods beside each other: what was used, the difference, and in percent");
  compare->add_option("METER", verb.meter, "The meter's id (default: all meters together)");
  add_dates(*compare, verb.options);
  add_group(*compare, verb.options.group);
  add_unit(*compare, verb.options);
  auto* const against =
      compare
          ->add_option("--against", verb.against,
                       "Compare with the same dates a year before (year-before, the default), with "
                       "the same weekdays (52-weeks-before), or with as many days up to --from "
                       "(period-before). Whole months are compared with whole months")
          ->check(CLI::IsMember({"year-before", "52-weeks-before", "period-before"}));
  compare->add_option("--against-from", verb.against_from, "Or with the days from this one on")
      ->excludes(against);
  compare
      ->add_option("--against-to", verb.against_to,
                   "Up to this one, inclusive (default: --against-from)")
      ->excludes(against);
}

void add_time_of_use(CLI::App& app, TimeOfUseVerb& verb) {
  auto* const bands =
      app.add_subcommand("time-of-use", "What a meter used in each band of a tariff, exactly");
  bands->add_option("METER", verb.meter, "The meter's id")->required();
  bands->add_option("--tariff", verb.tariff, "A TOML file: see docs/use/tariffs.md")->required();
  add_dates(*bands, verb.options);
  verb.options.resolution = "month";
  add_resolution(*bands, verb.options, "day, week, month, quarter, year or total");
}

void add_base_load(CLI::App& app, QueryVerb& verb) {
  auto* const base = app.add_subcommand(
      "base-load",
      "The load that stands through: the mean of the 2.5th percentiles of a meter's complete days");
  base->add_option("METER", verb.meter, "The meter's id")->required();
  add_dates(*base, verb.options);
}

void add_late(CLI::App& app, LateVerb& verb) {
  auto* const late = app.add_subcommand("late", "Which meters have been silent since");
  late->add_option("--since", verb.since,
                   "A day, yyyy-MM-dd; with --by receipt also a time, 2019-02-01T06:00:00Z")
      ->required();
  late->add_option("--by", verb.by,
                   "day: no reading day of then or later; receipt: nothing received after it")
      ->capture_default_str()
      ->check(CLI::IsMember({"day", "receipt"}));
  add_group(*late, verb.group);
  add_channels(*late, verb.channel, verb.flow);
  add_limit(*late, verb.limit);
}

}  // namespace meterline::cli
