#include "cli/ingest_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/render.h"

namespace meterline::cli {
namespace {

/// Findings shown of one delivery in the table; JSON has all that are kept.
constexpr std::size_t findings_shown_max = 5;

std::string total_line(const ingest::IngestTotals& totals) {
  std::string line = fmt::format(
      "\n{} deliveries: {} stored, {} already loaded, {} refused, {} failed\n"
      "{} rows read: {} stored, {} repeated, {} rejected; {} readings stored, {} missing, {} "
      "rejected",
      grouped(totals.deliveries), grouped(totals.stored), grouped(totals.skipped),
      grouped(totals.refused), grouped(totals.failed), grouped(totals.rows.read),
      grouped(totals.rows.stored), grouped(totals.rows.repeated), grouped(totals.rows.rejected),
      grouped(totals.readings.stored), grouped(totals.readings.missing),
      grouped(totals.readings.rejected));
  const auto& reads = totals.register_reads;
  if (reads.read > 0)
    line += fmt::format("; {} register reads stored, {} rejected", grouped(reads.stored),
                        grouped(reads.rejected));
  return line;
}

std::string sweep_line(const ingest::SweepCounts& counts) {
  return fmt::format("{} objects looked at: {} known, {} loaded", grouped(counts.objects),
                     grouped(counts.known), grouped(counts.loaded));
}

std::string estimate_lines(const store::StoreEstimate& estimate) {
  std::string lines = fmt::format("\nA dry run: nothing was stored. {} reading days of {} meters",
                                  grouped(estimate.reading_days), grouped(estimate.meters));
  if (estimate.register_reads > 0)
    lines += fmt::format(", {} register reads", grouped(estimate.register_reads));
  if (estimate.dates)
    lines += fmt::format(", {} to {}", estimate.dates->from.text(), estimate.dates->to.text());
  lines +=
      fmt::format("\nA store without them before would take: {} bytes packed; embedded about {}",
                  grouped(estimate.packed_bytes), grouped(estimate.embedded_bytes));
  if (estimate.servers)
    lines += fmt::format("; on Amazon Keyspaces {} write units for {} rows",
                         grouped(estimate.servers->units), grouped(estimate.servers->rows));
  return lines;
}

std::string state_text(DeliveryState state) {
  return state == DeliveryState::skipped ? "already loaded" : std::string(text_of(state));
}

std::string state_text(const store::DeliveryRecord& record) {
  return record.is_withdrawn() ? "withdrawn" : state_text(record.report.state);
}

std::string archive_line(const ingest::ArchiveReport& archive) {
  if (!archive.reason.empty())
    return fmt::format("{}: {}: {}\n", archive.source, text_of(archive.state), archive.reason);
  const auto left_out = archive.left_out == 0
                            ? ""
                            : fmt::format(", {} days and register reads of erased meters left out",
                                          grouped(archive.left_out));
  return fmt::format("{}: an archive: {} deliveries restored, {} already loaded{}\n",
                     archive.source, grouped(archive.restored), grouped(archive.skipped), left_out);
}

bool has_reason(const store::DeliveryRecord& record) { return !record.report.reason.empty(); }

std::string reason_line(const store::DeliveryRecord& record) {
  return fmt::format("{}: {}: {}\n", record.delivery.source, text_of(record.report.state),
                     record.report.reason);
}

/// What a person should know beside the numbers.
std::vector<std::string> notes(const store::DeliveryRecord& record) {
  const auto& delivery = record.delivery;
  const auto& report = record.report;
  std::vector<std::string> lines;
  if (has_reason(record)) lines.push_back(reason_line(record));
  if (report.state == DeliveryState::skipped) return lines;
  std::int64_t count = 0;
  for (const auto of_code : report.finding_counts) count += of_code;
  for (std::size_t i = 0; i < report.findings.size() && i < findings_shown_max; ++i) {
    const auto& finding = report.findings[i];
    lines.push_back(fmt::format("{}:{}: {}: {}: {}\n", delivery.source, finding.line,
                                text_of(finding.code), finding.text, finding.excerpt));
  }
  const auto more = count - static_cast<std::int64_t>(findings_shown_max);
  if (more > 0)
    lines.push_back(
        fmt::format("{}: and {} more; --output json lists them\n", delivery.source, grouped(more)));
  return lines;
}

}  // namespace

IngestReport::IngestReport(Output output)
    : output_(output),
      table_({{.title = "state"},
              {.title = "rows", .align = Table::Align::right},
              {.title = "stored", .align = Table::Align::right},
              {.title = "repeated", .align = Table::Align::right},
              {.title = "rejected", .align = Table::Align::right},
              {.title = "readings", .align = Table::Align::right},
              {.title = "missing", .align = Table::Align::right},
              {.title = "rejected", .align = Table::Align::right},
              {.title = "source"}}) {}

void IngestReport::add(const store::DeliveryRecord& record, Progress& progress) {
  if (output_ == Output::table) {
    add_row(record);
    for (const auto& line : notes(record)) progress.print(line);
    return;
  }
  records_.push_back(record);
  if (has_reason(record)) progress.print(reason_line(record));
}

void IngestReport::add(const store::DeliveryRecord& record, const ingest::Comparison& comparison,
                       Progress& progress) {
  add(record, progress);
  if (output_ == Output::table) records_.push_back(record);
  comparisons_.push_back(comparison);
}

void IngestReport::add(const ingest::ArchiveReport& archive, Progress& progress) {
  if (output_ == Output::table)
    table_.add({state_text(archive.state), grouped(archive.rows.read), grouped(archive.rows.stored),
                grouped(archive.rows.repeated), grouped(archive.rows.rejected),
                grouped(archive.readings.stored), grouped(archive.readings.missing),
                grouped(archive.readings.rejected), archive.source});
  if (output_ != Output::json || !archive.reason.empty()) progress.print(archive_line(archive));
  archives_.push_back(archive);
}

void IngestReport::add_row(const store::DeliveryRecord& record) {
  const auto& report = record.report;
  table_.add({state_text(record), grouped(report.rows.read), grouped(report.rows.stored),
              grouped(report.rows.repeated), grouped(report.rows.rejected),
              grouped(report.readings.stored), grouped(report.readings.missing),
              grouped(report.readings.rejected), record.delivery.source});
}

void IngestReport::print(const ingest::IngestTotals& totals, const Extras& extras) {
  switch (output_) {
    case Output::json:
      print_line(api::ingest_json({.records = records_,
                                   .archives = archives_,
                                   .totals = totals,
                                   .sweep = extras.sweep,
                                   .estimate = extras.estimate,
                                   .comparisons = comparisons_}));
      return;
    case Output::csv:
      print_text(comparisons_.empty() ? api::deliveries_csv(records_)
                                      : api::comparisons_csv(records_, comparisons_));
      if (extras.sweep) tell(sweep_line(*extras.sweep) + '\n');
      if (extras.estimate) tell(estimate_lines(*extras.estimate) + '\n');
      return;
    case Output::table:
      comparisons_.empty() ? print_table(totals, extras) : print_compared(totals);
  }
}

/// Below each file's first line only what differs in it: another sum.
void IngestReport::print_compared(const ingest::IngestTotals& totals) {
  constexpr auto right = Table::Align::right;
  Table table({{.title = "state"},
               {.title = "new days", .align = right},
               {.title = "replacing", .align = right},
               {.title = "not counting", .align = right},
               {.title = "equal", .align = right},
               {.title = "flow"},
               {.title = "unit"},
               {.title = "sum before", .align = right},
               {.title = "after", .align = right},
               {.title = "source"}});
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const auto& days = comparisons_[i].days;
    const auto& sums = comparisons_[i].sums;
    for (std::size_t line = 0; line < std::max<std::size_t>(sums.size(), 1); ++line) {
      std::vector<std::string> cells(10);
      if (line == 0)
        cells = {state_text(records_[i].report.state),
                 grouped(days.added),
                 grouped(days.replacing),
                 grouped(days.not_counting),
                 grouped(days.equal),
                 "",
                 "",
                 "",
                 "",
                 records_[i].delivery.source};
      if (line < sums.size()) {
        cells[5] = text_of(sums[line].flow);
        cells[6] = text_of(sums[line].unit);
        cells[7] = sums[line].before.text();
        cells[8] = sums[line].after.text();
      }
      table.add(std::move(cells));
    }
  }
  print_text(table.text());
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const auto& reads = comparisons_[i].register_reads;
    if (reads == ingest::Comparison::Days()) continue;
    print_line(fmt::format("{}: register reads: {} new, {} replacing, {} not counting, {} equal",
                           records_[i].delivery.source, grouped(reads.added),
                           grouped(reads.replacing), grouped(reads.not_counting),
                           grouped(reads.equal)));
  }
  print_line(total_line(totals));
  print_line("\nCompared with the store: nothing was stored");
}

void IngestReport::print_table(const ingest::IngestTotals& totals, const Extras& extras) {
  const bool is_empty_sweep = extras.sweep && table_.empty();
  if (!is_empty_sweep) print_text(table_.text());
  if (!is_empty_sweep && (totals.deliveries > 0 || archives_.empty()))
    print_line(total_line(totals));
  if (extras.sweep) print_line(sweep_line(*extras.sweep));
  if (extras.estimate) print_line(estimate_lines(*extras.estimate));
}

}  // namespace meterline::cli
