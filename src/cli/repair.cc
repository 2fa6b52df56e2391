#include "cli/repair.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/table.h"
#include "core/finding.h"
#include "core/json_writer.h"
#include "core/try.h"

namespace meterline::cli {
namespace {

constexpr auto right = Table::Align::right;

std::string time_of(const store::LostDelivery& delivery) {
  return delivery.source.empty() ? "" : delivery.delivered_at.text();
}

std::string json_of(const store::RepairReport& report) {
  JsonWriter json;
  json.begin_object()
      .member("applied", !report.damaged.empty())
      .member("writesKept", report.writes_kept)
      .member("dropped", report.dropped)
      .key("lost")
      .begin_array();
  for (const auto& lost : report.lost) {
    json.begin_object()
        .member("file", lost.file.string())
        .member("from", static_cast<std::int64_t>(lost.from))
        .member("to", static_cast<std::int64_t>(lost.to))
        .member("reason", lost.reason)
        .key("deliveries")
        .begin_array();
    for (const auto& delivery : lost.deliveries)
      json.begin_object()
          .member("id", delivery.id.text())
          .member("source", delivery.source)
          .member("deliveredAt", time_of(delivery))
          .end_object();
    json.end_array().end_object();
  }
  json.end_array().member("damagedDatabase", report.damaged.string());
  return json.end_object().take();
}

/// A line for each lost delivery; one without a delivery where none can be read.
template <class Visit>
void each_line(const store::RepairReport& report, const Visit& visit) {
  for (const auto& lost : report.lost) {
    if (lost.deliveries.empty()) visit(lost, store::LostDelivery(), std::string());
    for (const auto& delivery : lost.deliveries) visit(lost, delivery, delivery.id.text());
  }
}

std::string csv_of(const store::RepairReport& report) {
  std::string out = "file,from,to,delivery,source,deliveredAt\n";
  each_line(report, [&](const store::LostBytes& lost, const store::LostDelivery& delivery,
                        const std::string& id) {
    out += fmt::format("{},{},{},{},{},{}\n", csv_field(lost.file.string()), lost.from, lost.to, id,
                       csv_field(delivery.source), time_of(delivery));
  });
  return out;
}

std::string table_of(const store::RepairReport& report) {
  Table table({{.title = "lost in"},
               {.title = "from byte", .align = right},
               {.title = "to byte", .align = right},
               {.title = "delivery"},
               {.title = "source"},
               {.title = "delivered at"}});
  each_line(report, [&](const store::LostBytes& lost, const store::LostDelivery& delivery,
                        const std::string& id) {
    table.add({lost.file.filename().string(), grouped(static_cast<std::int64_t>(lost.from)),
               grouped(static_cast<std::int64_t>(lost.to)), id.empty() ? "cannot be read" : id,
               delivery.source, time_of(delivery)});
  });
  return table.text();
}

void print_repair(const store::RepairReport& report, Output output) {
  switch (output) {
    case Output::json:
      print_line(json_of(report));
      break;
    case Output::csv:
      print_text(csv_of(report));
      break;
    case Output::table:
      if (!report.lost.empty()) print_text(table_of(report));
  }
}

void tell_repair(const store::RepairReport& report) {
  std::fflush(stdout);
  if (!report.finds_damage()) {
    tell(
        "meterline: no log is damaged and nothing lacks its record; nothing was changed (`store "
        "check` reads all the rest)\n");
    return;
  }
  if (report.dropped > 0)
    tell(
        fmt::format("meterline: {} small deliveries have days and no record, as they were never "
                    "acknowledged: they are left out\n",
                    grouped(report.dropped)));
  if (!report.lost.empty())
    tell(
        "meterline: what is listed as lost was read out of damaged bytes and may be wrong; load "
        "those files again\n");
  if (report.damaged.empty())
    tell("meterline: nothing was changed; `meterline store repair --apply` does it\n");
  else
    tell(
        fmt::format("meterline: {} writes of the logs are kept. The damaged database is in {}: "
                    "remove it when it is needed no more\n",
                    grouped(report.writes_kept), report.damaged.string()));
}

Result<int> try_repair(const RepairVerb& verb, const Session& session) {
  METERLINE_TRY(const auto report, session.repair_store(session.store_url, verb.mode));
  print_repair(report, session.output);
  tell_repair(report);
  return report.finds_damage() && report.damaged.empty() ? exit_failed : exit_ok;
}

}  // namespace

int repair_store(const RepairVerb& verb, const Session& session) {
  const auto done = try_repair(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
