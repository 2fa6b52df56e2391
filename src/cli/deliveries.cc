#include "cli/deliveries.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "api/render.h"
#include "cli/exit_code.h"
#include "cli/table.h"
#include "core/finding.h"
#include "core/try.h"

namespace meterline::cli {
namespace {

constexpr auto right = Table::Align::right;
constexpr std::size_t limit_max = 1'000'000;
/// Records are read so many at a time, and those that are not asked for are dropped.
constexpr std::size_t step = 200;

using Records = std::vector<store::DeliveryRecord>;

std::string line_of(const DeliveryId& id, const DeliveryEvent& event) {
  return fmt::format("{} was {} {} by {}{}{}\n", id.text(), meterline::text_of(event.kind),
                     event.at.text(), event.who, event.reason.empty() ? "" : ": ", event.reason);
}

std::string table_of(const std::vector<store::DeliveryRecord>& records) {
  const bool any_reads = std::any_of(records.begin(), records.end(), [](const auto& record) {
    return record.report.register_reads.read > 0;
  });
  std::vector<Table::Column> columns = {{.title = "delivered"},
                                        {.title = "state"},
                                        {.title = "rows", .align = right},
                                        {.title = "stored", .align = right},
                                        {.title = "rejected", .align = right}};
  if (any_reads) columns.push_back({.title = "register reads", .align = right});
  columns.push_back({.title = "id"});
  columns.push_back({.title = "source"});
  Table table(columns);
  std::string notes;
  for (const auto& record : records) {
    const auto& rows = record.report.rows;
    const auto id = record.delivery.id.text();
    std::vector<std::string> cells = {record.delivery.delivered_at.text(),
                                      std::string(api::shown_state(record)), grouped(rows.read),
                                      grouped(rows.stored), grouped(rows.rejected)};
    if (any_reads) cells.push_back(grouped(record.report.register_reads.stored));
    cells.push_back(id);
    cells.push_back(record.delivery.source);
    table.add(std::move(cells));
    for (const auto& event : record.events) notes += line_of(record.delivery.id, event);
  }
  return table.text() + (notes.empty() ? "" : '\n' + notes);
}

struct Wanted {
  std::string source;
  std::string state;
  std::optional<Instant> since;

  bool has(const store::DeliveryRecord& record) const {
    return (state.empty() || api::shown_state(record) == state) &&
           (!since || *since <= record.delivery.received_at);
  }
};

/// The latest first: `limit` of them, and one more where there are more.
Result<Records> read_wanted(const store::Store& store, const Wanted& wanted, std::size_t limit) {
  store::DeliveriesQuery query;
  if (!wanted.source.empty()) query.source = wanted.source;
  if (wanted.state == "withdrawn") query.only = store::DeliveriesOf::withdrawn;
  const bool is_filtered = !wanted.state.empty() || wanted.since;
  query.limit = is_filtered ? step : limit + 1;
  Records found;
  for (;;) {
    METERLINE_TRY(auto page, store.deliveries(query));
    const bool is_last = page.size() < query.limit;
    if (!page.empty()) query.after = page.back().delivery.id;
    std::copy_if(std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()),
                 std::back_inserter(found),
                 [&](const store::DeliveryRecord& record) { return wanted.has(record); });
    if (is_last || found.size() > limit) return found;
  }
}

/// A file's source is its absolute path: one that is there is taken from here.
std::string source_of(const std::string& given) {
  std::error_code error;
  if (given.empty() || !std::filesystem::exists(given, error) || error) return given;
  const auto path = std::filesystem::absolute(given, error).lexically_normal();
  return error ? given : path.string();
}

Result<int> try_list(const DeliveriesVerb& verb, const Session& session) {
  Wanted wanted{.source = source_of(verb.source), .state = verb.state, .since = {}};
  if (verb.only_withdrawn) wanted.state = "withdrawn";
  if (!verb.since.empty()) {
    METERLINE_TRY(wanted.since, instant_option("--since", verb.since));
    // A day is meant from its beginning, where an instant is its end.
    if (const auto day = Date::parse(verb.since))
      wanted.since = Instant::parse(day->text() + "T00:00:00Z");
  }
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(auto found, read_wanted(*store, wanted, verb.limit));
  const bool more = found.size() > verb.limit;
  if (more) found.resize(verb.limit);
  switch (session.output) {
    case Output::json:
      print_line(api::deliveries_json(found, more));
      break;
    case Output::csv:
      print_text(api::deliveries_csv(found));
      break;
    case Output::table:
      print_text(table_of(found));
      if (more)
        print_text(fmt::format("... and more; --limit {} shows twice as many\n", verb.limit * 2));
  }
  return exit_ok;
}

std::string counts_text(const RowCounts& rows) {
  return fmt::format("{} read: {} stored, {} repeated, {} rejected", grouped(rows.read),
                     grouped(rows.stored), grouped(rows.repeated), grouped(rows.rejected));
}

std::string facts_of(const store::DeliveryRecord& record) {
  const auto& delivery = record.delivery;
  const auto& report = record.report;
  Table table({{.title = "delivery"}, {.title = delivery.id.text()}});
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) table.add({name, value});
  };
  add("source", delivery.source);
  add("state", std::string(api::shown_state(record)));
  add("reason", report.reason);
  add("received", delivery.received_at.text());
  add("delivered", delivery.delivered_at.text());
  add("bytes", grouped(static_cast<std::int64_t>(delivery.bytes)));
  add("format", report.format);
  add("recognised by", report.recognised_by);
  add("feed", delivery.feed ? delivery.feed->name : "");
  add("unit", std::string(meterline::text_of(delivery.unit)));
  add("zone", delivery.zone);
  add("rows", counts_text(report.rows));
  const auto& readings = report.readings;
  add("readings",
      fmt::format("{} read: {} stored, {} missing, {} repeated, {} rejected",
                  grouped(readings.read), grouped(readings.stored), grouped(readings.missing),
                  grouped(readings.repeated), grouped(readings.rejected)));
  if (report.register_reads.read > 0) add("register reads", counts_text(report.register_reads));
  if (record.days.dates)
    add("days", fmt::format("{} to {}, {} meters", record.days.dates->from.text(),
                            record.days.dates->to.text(), grouped(record.days.meters)));
  return table.text();
}

std::string findings_of(const DeliveryReport& report) {
  std::int64_t count = 0;
  for (const auto of_code : report.finding_counts) count += of_code;
  if (count == 0) return "";
  Table table({{.title = "line", .align = right},
               {.title = "column", .align = right},
               {.title = "finding"},
               {.title = "text"},
               {.title = "there"}});
  for (const auto& finding : report.findings)
    table.add({grouped(finding.line), finding.column > 0 ? grouped(finding.column) : "",
               std::string(meterline::text_of(finding.code)), finding.text, finding.excerpt});
  auto out = '\n' + table.text();
  const auto kept = static_cast<std::int64_t>(report.findings.size());
  if (count > kept)
    out += fmt::format("... and {} more that were not kept (ingest --findings-max)\n",
                       grouped(count - kept));
  return out;
}

Result<int> try_show(const DeliveriesVerb& verb, const Session& session) {
  const auto id = DeliveryId::parse(verb.id);
  if (!id)
    return fail(Errc::invalid_argument,
                fmt::format("ID: want the 32 hexadecimal digits that `meterline deliveries` "
                            "lists, got \"{}\"",
                            excerpt_of(verb.id)));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_TRY(const auto record, store->delivery(*id));
  if (!record)
    return fail(Errc::not_found,
                fmt::format("no delivery {}; `meterline deliveries` lists them", verb.id));
  switch (session.output) {
    case Output::json:
      print_line(api::to_json(*record));
      break;
    case Output::csv:
      print_text(api::findings_csv(*record));
      break;
    case Output::table:
      print_text(facts_of(*record) + findings_of(record->report));
      for (const auto& event : record->events)
        print_text('\n' + line_of(record->delivery.id, event));
  }
  return exit_ok;
}

int finish(const Result<int>& done) { return done ? *done : report_error(done.error()); }

}  // namespace

int deliveries(const DeliveriesVerb& verb, const Session& session) {
  return finish(try_list(verb, session));
}
int show_delivery(const DeliveriesVerb& verb, const Session& session) {
  return finish(try_show(verb, session));
}

void add_deliveries(CLI::App& app, DeliveriesVerb& verb) {
  auto* const list = app.add_subcommand(
      "deliveries", "What was received, the latest first; or show one with its findings");
  list->add_option("--source", verb.source, "Only from this source: a file's absolute path, ...");
  auto* const state =
      list->add_option("--state", verb.state, "Only those that are stored, refused or withdrawn")
          ->check(CLI::IsMember({"stored", "refused", "withdrawn"}));
  list->add_option("--since", verb.since,
                   "Only what was received from then on: 2019-02-01T06:00:00Z or 2019-02-01");
  list->add_flag("--withdrawn", verb.only_withdrawn, "The same as --state withdrawn")
      ->excludes(state);
  list->add_option("--limit", verb.limit, "Show at most so many")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, limit_max));
  auto* const show = list->add_subcommand(
      "show", "What became of a delivery, with its findings as far as they are kept");
  show->add_option("ID", verb.id, "Its id")->required();
}

}  // namespace meterline::cli
