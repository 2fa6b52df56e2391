#include "cli/store_verbs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <optional>

#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/question_options.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/finding.h"
#include "core/json_writer.h"
#include "core/meter_id.h"
#include "core/try.h"
#include "store/check.h"

namespace meterline::cli {
namespace {

constexpr auto right = Table::Align::right;
constexpr int replicas_max = 100;
constexpr std::int64_t expected_meters_max = 256'000'000;
constexpr std::size_t data_centre_chars_max = 48;
constexpr std::size_t deliveries_step = 50;
constexpr std::size_t meters_step = 1000;

/// Names with numbers, as they are shown.
using Figures = std::vector<store::StoreFigure>;

std::string table_of(const Figures& figures) {
  Table table({{.title = "what"}, {.title = "number", .align = right}});
  for (const auto& [name, value] : figures) table.add({name, grouped(value)});
  return table.text();
}

// --- init -----------------------------------------------------------------------------------

void print_made(const std::vector<std::string>& made, const Session& session) {
  if (session.output == Output::json) {
    JsonWriter json;
    json.begin_object().key("made").begin_array();
    for (const auto& line : made) json.value(line);
    print_line(json.end_array().end_object().take());
    return;
  }
  if (session.output == Output::csv) print_line("made");
  for (const auto& line : made)
    print_line(session.output == Output::csv ? csv_field(line) : "made " + line);
  if (made.empty()) tell("meterline: the store is there already; nothing was made\n");
}

/// `NAME=N`
std::optional<DataCentre> data_centre_in(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  DataCentre found{.name = std::string(text.substr(0, equals))};
  const auto digits = text.substr(equals + 1);
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, found.replicas);
  const bool is_number =
      error == std::errc() && stop == end && found.replicas >= 1 && found.replicas <= replicas_max;
  const bool is_name = !found.name.empty() && found.name.size() <= data_centre_chars_max &&
                       is_meter_id_text(found.name);
  return is_number && is_name ? std::optional(std::move(found)) : std::nullopt;
}

/// Whether the store did not know it.
Result<bool> remember_unit(Unit unit, const Session& session) {
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::change));
  METERLINE_TRY(const auto before, store->default_unit());
  METERLINE_TRY(const auto now, store->remember_unit(unit));
  if (now != unit)
    return fail(
        Errc::refused,
        fmt::format("--unit {}: the store's unit is {}, for good; a load may name another for "
                    "itself (ingest --unit {})",
                    choice_text(unit), choice_text(now), choice_text(unit)));
  return !before;
}

Result<int> try_init(const InitVerb& verb, const Session& session) {
  InitOptions options;
  if (verb.replication > 0) options.replication = verb.replication;
  if (verb.expected_meters > 0) options.expected_meters = verb.expected_meters;
  if (!verb.data_centres.empty()) {
    METERLINE_TRY(options.data_centres, parse_data_centres(verb.data_centres));
  }
  METERLINE_TRY(const auto unit, unit_option(verb.unit));
  METERLINE_TRY(auto made, session.init_store(session.store_url, options));
  if (unit) {
    METERLINE_TRY(const bool is_new, remember_unit(*unit, session));
    if (is_new) made.push_back(fmt::format("unit {}", choice_text(*unit)));
  }
  print_made(made, session);
  return exit_ok;
}

// --- check ----------------------------------------------------------------------------------

std::string json_of(const store::CheckReport& report) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : report.layout) json.member(name, value);
  json.member("meters", report.meters)
      .member("days", report.days)
      .member("readings", report.readings)
      .member("registerReads", report.register_reads)
      .member("totals", report.totals)
      .member("deliveries", report.deliveries)
      .key("unfinished")
      .begin_object()
      .member("deliveries", report.unfinished_deliveries)
      .member("days", report.unfinished_days)
      .end_object()
      .key("amended")
      .begin_object()
      .member("deliveries", report.amended_deliveries)
      .member("readings", report.amended_readings)
      .end_object()
      .member("damageCount", report.damage_count)
      .key("damage")
      .begin_array();
  for (const auto& damage : report.damage)
    json.begin_object()
        .member("kind", store::text_of(damage.kind))
        .member("where", damage.where)
        .member("text", damage.text)
        .end_object();
  return json.end_array().end_object().take();
}

std::string csv_of(const store::CheckReport& report) {
  std::string out = "kind,where,text\n";
  for (const auto& damage : report.damage)
    out += fmt::format("{},{},{}\n", store::text_of(damage.kind), csv_field(damage.where),
                       csv_field(damage.text));
  return out;
}

std::string table_of(const store::CheckReport& report) {
  Figures figures = {{.name = "meters", .value = report.meters},
                     {.name = "days", .value = report.days},
                     {.name = "readings", .value = report.readings},
                     {.name = "register_reads", .value = report.register_reads},
                     {.name = "totals", .value = report.totals},
                     {.name = "deliveries", .value = report.deliveries},
                     {.name = "damage", .value = report.damage_count}};
  figures.insert(figures.begin(), report.layout.begin(), report.layout.end());
  std::string out = table_of(figures);
  if (report.damage.empty()) return out;
  Table table({{.title = "damage"}, {.title = "where"}, {.title = "text"}});
  for (const auto& damage : report.damage)
    table.add({std::string(store::text_of(damage.kind)), damage.where, damage.text});
  return out + '\n' + table.text();
}

void print_check(const store::CheckReport& report, Output output) {
  switch (output) {
    case Output::json:
      print_line(json_of(report));
      break;
    case Output::csv:
      print_text(csv_of(report));
      break;
    case Output::table:
      print_text(table_of(report));
  }
}

void tell_check(const store::CheckReport& report) {
  std::fflush(stdout);
  if (report.unfinished_days > 0)
    tell(
        fmt::format("meterline: {} days or register reads are of {} deliveries that are not "
                    "listed: loads that never "
                    "finished, or that run now. Loading those files again completes them\n",
                    grouped(report.unfinished_days), grouped(report.unfinished_deliveries)));
  if (report.amended_deliveries > 0)
    tell(
        fmt::format("meterline: {} readings of {} deliveries are no longer there: something was "
                    "pruned or erased since they came\n",
                    grouped(report.amended_readings), grouped(report.amended_deliveries)));
  if (report.damage_count > 0)
    tell(
        fmt::format("meterline: the store contradicts itself in {} places{}; load the files again "
                    "into a new store, or restore an archive\n",
                    grouped(report.damage_count),
                    report.damage_count > static_cast<std::int64_t>(report.damage.size())
                        ? ", of which the first are shown"
                        : ""));
}

Result<int> try_check(const CheckVerb& verb, const Session& session) {
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  std::optional<store::CheckReport> report;
  {
    const StopRequest stop;
    StoreProgress progress;
    METERLINE_TRY(report, store::check_store(*store, {.damage_max = verb.limit},
                                             {.stop = &StopRequest::flag(),
                                              .meters = &progress.meters(),
                                              .days = &progress.days()}));
  }
  print_check(*report, session.output);
  tell_check(*report);
  return report->damage_count > 0 ? exit_failed : exit_ok;
}

// --- stats ----------------------------------------------------------------------------------

struct Stats {
  std::optional<Unit> unit;  ///< Of readings whose files name none.
  std::int64_t meters = 0;
  std::int64_t channels = 0;  ///< Of all meters.
  std::optional<DateRange> dates;
  std::int64_t deliveries = 0;
  RowCounts rows;
  ReadingCounts readings;
  RowCounts register_reads;  ///< Of the rows.
  Figures figures;
};

Result<void> add_meters(const store::Store& store, Stats& stats) {
  store::MetersQuery query{.prefix = "", .after = {}, .limit = meters_step};
  for (;;) {
    METERLINE_TRY(const auto page, store.meters(query));
    for (const auto& meter : page) {
      ++stats.meters;
      for (const auto& channel : meter.channels) {
        ++stats.channels;
        if (!stats.dates) stats.dates = {.from = channel.first, .to = channel.last};
        stats.dates->from = std::min(stats.dates->from, channel.first);
        stats.dates->to = std::max(stats.dates->to, channel.last);
      }
    }
    if (page.size() < query.limit) return {};
    query.after = page.back().meter;
  }
}

Result<void> add_deliveries(const store::Store& store, Stats& stats) {
  store::DeliveriesQuery query{.limit = deliveries_step};
  for (;;) {
    METERLINE_TRY(const auto page, store.deliveries(query));
    for (const auto& record : page) {
      ++stats.deliveries;
      stats.rows += record.report.rows;
      stats.readings += record.report.readings;
      stats.register_reads += record.report.register_reads;
    }
    if (page.size() < query.limit) return {};
    query.after = page.back().delivery.id;
  }
}

Result<Stats> stats_of(const store::Store& store) {
  Stats stats;
  METERLINE_CHECK(add_meters(store, stats));
  METERLINE_CHECK(add_deliveries(store, stats));
  METERLINE_TRY(stats.unit, store.default_unit());
  METERLINE_TRY(auto size, store.status(store::StatusOf::size));
  stats.figures = std::move(size.figures);
  return stats;
}

std::string unit_of(const Stats& stats) {
  return std::string(stats.unit ? choice_text(*stats.unit) : "");
}
std::string first_of(const Stats& stats) { return stats.dates ? stats.dates->from.text() : ""; }
std::string last_of(const Stats& stats) { return stats.dates ? stats.dates->to.text() : ""; }

std::string json_of(const Stats& stats) {
  const auto known = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  JsonWriter json;
  json.begin_object()
      .member("meters", stats.meters)
      .member("channels", stats.channels)
      .member("first", known(first_of(stats)))
      .member("last", known(last_of(stats)))
      .member("deliveries", stats.deliveries)
      .member("rows", stats.rows.stored)
      .member("readings", stats.readings.stored)
      .member("missing", stats.readings.missing)
      .member("registerReads", stats.register_reads.stored)
      .member("unit", known(unit_of(stats)))
      .key("figures")
      .begin_object();
  for (const auto& [name, value] : stats.figures) json.member(name, value);
  return json.end_object().end_object().take();
}

/// Names and values, the store's own last.
std::vector<std::pair<std::string, std::string>> rows_of(const Stats& stats,
                                                         std::string (*text)(std::int64_t)) {
  std::vector<std::pair<std::string, std::string>> rows = {
      {"meters", text(stats.meters)},
      {"channels", text(stats.channels)},
      {"first", first_of(stats)},
      {"last", last_of(stats)},
      {"deliveries", text(stats.deliveries)},
      {"rows", text(stats.rows.stored)},
      {"readings", text(stats.readings.stored)},
      {"missing", text(stats.readings.missing)},
      {"register_reads", text(stats.register_reads.stored)},
      {"unit", unit_of(stats)}};
  for (const auto& [name, value] : stats.figures) rows.emplace_back(name, text(value));
  return rows;
}

void print_stats(const Stats& stats, Output output) {
  Table table({{.title = "what"}, {.title = "value", .align = right}});
  switch (output) {
    case Output::json:
      print_line(json_of(stats));
      return;
    case Output::csv:
      print_line("what,value");
      for (const auto& [name, value] :
           rows_of(stats, [](std::int64_t number) { return std::to_string(number); }))
        print_line(fmt::format("{},{}", name, value));
      return;
    case Output::table:
      for (auto& [name, value] : rows_of(stats, grouped)) table.add({name, value});
      print_text(table.text());
  }
}

Result<int> try_stats(const Session& session) {
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto stats, stats_of(*store));
  print_stats(stats, session.output);
  return exit_ok;
}

int finish(const Result<int>& done) { return done ? *done : report_error(done.error()); }

}  // namespace

Result<std::vector<DataCentre>> parse_data_centres(std::string_view text) {
  std::vector<DataCentre> found;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    auto data_centre = data_centre_in(text.substr(at, end - at));
    const bool is_new =
        data_centre && std::none_of(found.begin(), found.end(), [&](const DataCentre& other) {
          return other.name == data_centre->name;
        });
    if (!is_new)
      return fail(Errc::invalid_argument,
                  fmt::format("--data-centres: want NAME=N,NAME=N, like dc1=3,dc2=2, each once and "
                              "N from 1 to {}, got \"{}\"",
                              replicas_max, excerpt_of(text)));
    found.push_back(*std::move(data_centre));
    at = end + 1;
  }
  return found;
}

int init_store(const InitVerb& verb, const Session& session) {
  return finish(try_init(verb, session));
}
int check_store(const CheckVerb& verb, const Session& session) {
  return finish(try_check(verb, session));
}
int store_stats(const Session& session) { return finish(try_stats(session)); }

void add_init(CLI::App& store, InitVerb& verb) {
  auto* const init = store.add_subcommand("init", "Make the store that --store names");
  auto* const replication =
      init->add_option("--replication", verb.replication,
                       "Servers that keep each day, no more than a data centre has (default: 3; "
                       "Keyspaces has its own)")
          ->check(CLI::Range(1, replicas_max));
  init->add_option("--data-centres", verb.data_centres,
                   "Instead: NAME=N[,NAME=N...], servers of each data centre")
      ->excludes(replication);
  init->add_option("--expected-meters", verb.expected_meters,
                   "Meters that a store on a cluster will have, by which it is spread for good "
                   "(default: up to 1,000,000)")
      ->check(CLI::Range(std::int64_t{1}, expected_meters_max));
  init->add_option("--unit", verb.unit,
                   "Unit of readings in files that name none, remembered for good: Wh, kWh, MWh, "
                   "varh, ..., or unknown for none (default: the first that a load names)");
}

void add_check(CLI::App& store, CheckVerb& verb) {
  auto* const check = store.add_subcommand("check", "Compare what is in the store with itself");
  check->add_option("--limit", verb.limit, "Show at most so many findings")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, list_limit_max));
}

}  // namespace meterline::cli
