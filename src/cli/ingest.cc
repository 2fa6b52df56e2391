#include "cli/ingest.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>

#include "api/render.h"
#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/try.h"
#include "ingest/ingest.h"
#include "source/disk/disk_source.h"

namespace meterline::cli {
namespace {

/// Findings shown of one delivery in the table; JSON has all that are kept.
constexpr std::size_t findings_shown_max = 5;

Instant now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {.micros = std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
}

/// What the paths name, in their order.
Result<std::vector<source::Incoming>> incoming_of(const IngestVerb& verb) {
  std::vector<source::Incoming> incoming;
  for (const auto& path : verb.paths) {
    if (path == "-") {
      incoming.push_back(source::stdin_delivery(now()));
      continue;
    }
    METERLINE_TRY(const auto files, source::list_files({path}));
    for (const auto& file : files) {
      METERLINE_TRY(auto delivery, source::file_delivery(file));
      incoming.push_back(std::move(delivery));
    }
  }
  if (!verb.delivered_at.empty()) {
    METERLINE_TRY(const auto at, instant_option("--delivered-at", verb.delivered_at));
    for (auto& delivery : incoming) delivery.delivered_at = at;
  }
  return incoming;
}

std::optional<std::uint64_t> bytes_of(const std::vector<source::Incoming>& incoming) {
  std::uint64_t sum = 0;
  for (const auto& delivery : incoming) {
    if (!delivery.bytes) return std::nullopt;
    sum += *delivery.bytes;
  }
  return sum;
}

/// The file that rejected rows are written to: CSV with the row as it stood as last column.
class RejectsFile {
 public:
  Result<void> open(const std::string& path) {
    out_.open(path, std::ios::binary | std::ios::trunc);
    path_ = path;
    out_ << "source,line,reasons,row\n";
    return check();
  }
  void add(const ingest::RejectedRow& row) {
    out_ << csv_field(row.source) << ',' << row.line << ',' << csv_field(row.reasons) << ','
         << csv_field(row.text) << '\n';
  }
  Result<void> close() {
    out_.close();
    return check();
  }

 private:
  Result<void> check() const {
    if (!out_)
      return fail(Errc::unavailable, fmt::format("cannot write the rejected rows to {}", path_));
    return {};
  }
  std::ofstream out_;
  std::string path_;
};

/// Collects the report of an ingest, and prints it.
class Report {
 public:
  explicit Report(Output output) : output_(output) {}

  void add(const store::DeliveryRecord& record, Progress& progress) {
    if (output_ == Output::table) {
      add_row(record);
      for (const auto& line : notes(record)) progress.print(line);
      return;
    }
    records_.push_back(record);
    if (has_reason(record)) progress.print(reason_line(record));
  }

  void add(const ingest::ArchiveReport& archive, Progress& progress) {
    if (output_ == Output::table)
      table_.add({state_text(archive.state), grouped(archive.rows.read),
                  grouped(archive.rows.stored), grouped(archive.rows.repeated),
                  grouped(archive.rows.rejected), grouped(archive.readings.stored),
                  grouped(archive.readings.missing), grouped(archive.readings.rejected),
                  archive.source});
    if (output_ != Output::json || !archive.reason.empty()) progress.print(archive_line(archive));
    archives_.push_back(archive);
  }

  void print(const ingest::IngestTotals& totals) {
    switch (output_) {
      case Output::json:
        print_line(api::ingest_json(records_, archives_, totals));
        return;
      case Output::csv:
        print_text(api::deliveries_csv(records_));
        return;
      case Output::table:
        print_text(table_.text());
        if (totals.deliveries > 0 || archives_.empty()) print_line(total_line(totals));
    }
  }

 private:
  static std::string total_line(const ingest::IngestTotals& totals) {
    return fmt::format(
        "\n{} deliveries: {} stored, {} already loaded, {} refused, {} failed\n"
        "{} rows read: {} stored, {} repeated, {} rejected; {} readings stored, {} missing, {} "
        "rejected",
        grouped(totals.deliveries), grouped(totals.stored), grouped(totals.skipped),
        grouped(totals.refused), grouped(totals.failed), grouped(totals.rows.read),
        grouped(totals.rows.stored), grouped(totals.rows.repeated), grouped(totals.rows.rejected),
        grouped(totals.readings.stored), grouped(totals.readings.missing),
        grouped(totals.readings.rejected));
  }

  static std::string state_text(DeliveryState state) {
    return state == DeliveryState::skipped ? "already loaded" : std::string(text_of(state));
  }

  static std::string archive_line(const ingest::ArchiveReport& archive) {
    if (!archive.reason.empty())
      return fmt::format("{}: {}: {}\n", archive.source, text_of(archive.state), archive.reason);
    return fmt::format("{}: an archive: {} deliveries restored, {} already loaded\n",
                       archive.source, grouped(archive.restored), grouped(archive.skipped));
  }

  void add_row(const store::DeliveryRecord& record) {
    const auto& report = record.report;
    table_.add({state_text(report.state), grouped(report.rows.read), grouped(report.rows.stored),
                grouped(report.rows.repeated), grouped(report.rows.rejected),
                grouped(report.readings.stored), grouped(report.readings.missing),
                grouped(report.readings.rejected), record.delivery.source});
  }

  static bool has_reason(const store::DeliveryRecord& record) {
    return record.report.state != DeliveryState::skipped && !record.report.reason.empty();
  }

  static std::string reason_line(const store::DeliveryRecord& record) {
    return fmt::format("{}: {}: {}\n", record.delivery.source, text_of(record.report.state),
                       record.report.reason);
  }

  /// What a person should know beside the numbers.
  static std::vector<std::string> notes(const store::DeliveryRecord& record) {
    const auto& [delivery, report] = record;
    std::vector<std::string> lines;
    if (report.state == DeliveryState::skipped) return lines;
    if (has_reason(record)) lines.push_back(reason_line(record));
    std::int64_t count = 0;
    for (const auto of_code : report.finding_counts) count += of_code;
    for (std::size_t i = 0; i < report.findings.size() && i < findings_shown_max; ++i) {
      const auto& finding = report.findings[i];
      lines.push_back(fmt::format("{}:{}: {}: {}: {}\n", delivery.source, finding.line,
                                  text_of(finding.code), finding.text, finding.excerpt));
    }
    const auto more = count - static_cast<std::int64_t>(findings_shown_max);
    if (more > 0)
      lines.push_back(fmt::format("{}: and {} more; --output json lists them\n", delivery.source,
                                  grouped(more)));
    return lines;
  }

  const Output output_;
  std::vector<store::DeliveryRecord> records_;
  std::vector<ingest::ArchiveReport> archives_;
  Table table_{{{.title = "state"},
                {.title = "rows", .align = Table::Align::right},
                {.title = "stored", .align = Table::Align::right},
                {.title = "repeated", .align = Table::Align::right},
                {.title = "rejected", .align = Table::Align::right},
                {.title = "readings", .align = Table::Align::right},
                {.title = "missing", .align = Table::Align::right},
                {.title = "rejected", .align = Table::Align::right},
                {.title = "source"}}};
};

Result<ingest::IngestOptions> options_of(const IngestVerb& verb) {
  ingest::IngestOptions options{.archives = ingest::Archives::restore,
                                .findings_max = verb.findings_max,
                                .threads = verb.threads};
  if (verb.expanded_bytes_max > 0) options.expanded_bytes_max = verb.expanded_bytes_max;
  if (!verb.unit.empty()) {
    const auto unit = parse_unit(verb.unit);
    if (!unit)
      return fail(Errc::invalid_argument, fmt::format("--unit: want one of {}, got \"{}\"",
                                                      unit_names, excerpt_of(verb.unit)));
    options.unit = *unit;
  }
  return options;
}

int exit_code_of(const ingest::IngestTotals& totals) {
  if (totals.failed + totals.refused + totals.archives_failed + totals.archives_refused > 0)
    return exit_failed;
  return totals.rows.rejected > 0 || totals.readings.rejected > 0 ? exit_rejected : exit_ok;
}

Result<int> try_ingest(const IngestVerb& verb, const Session& session) {
  METERLINE_TRY(const auto options, options_of(verb));
  METERLINE_TRY(const auto incoming, incoming_of(verb));
  RejectsFile rejects;
  if (!verb.rejects.empty()) METERLINE_CHECK(rejects.open(verb.rejects));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::create));

  const StopRequest stop;
  Report report(session.output);
  ingest::IngestTotals totals;
  {
    Progress progress(
        {.files = static_cast<std::int64_t>(incoming.size()), .bytes = bytes_of(incoming)});
    ingest::IngestHooks hooks{
        .stop = &StopRequest::flag(),
        .bytes_read = &progress.bytes_read(),
        .files_read = &progress.files_read(),
        .on_archive = [&](const ingest::ArchiveReport& archive) { report.add(archive, progress); }};
    if (!verb.rejects.empty())
      hooks.on_rejected = [&](const ingest::RejectedRow& row) { rejects.add(row); };
    totals = ingest::load_all(
        incoming, *store, options, hooks,
        [&](const store::DeliveryRecord& record) { report.add(record, progress); });
  }
  report.print(totals);
  if (!verb.rejects.empty()) METERLINE_CHECK(rejects.close());
  const auto wanted = static_cast<std::int64_t>(incoming.size());
  const auto done = totals.stored + totals.skipped + totals.archives_stored;
  if (StopRequest::flag() && done + totals.refused + totals.archives_refused < wanted)
    return fail(Errc::cancelled,
                fmt::format("stopped: {} of {} deliveries are stored, none of them in part; run "
                            "the same command again to load the rest",
                            grouped(done), grouped(wanted)));
  return exit_code_of(totals);
}

}  // namespace

int ingest(const IngestVerb& verb, const Session& session) {
  const auto done = try_ingest(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
