#include "cli/lint.h"

#include <fmt/format.h>

#include <array>
#include <numeric>
#include <utility>

#include "api/render.h"
#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/ingest_paths.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/try.h"
#include "ingest/ingest.h"
#include "store/counting/counting_store.h"

namespace meterline::cli {
namespace {

/// As compilers have it: what editors and people find their way by.
std::string text_of(const std::string& source, const Finding& finding) {
  std::string place = source;
  if (finding.line > 0) place += fmt::format(":{}", finding.line);
  if (finding.column > 0) place += fmt::format(":{}", finding.column);
  std::string text = fmt::format("{}: {}: {}: {}", place, text_of(kind_of(finding.code).severity),
                                 text_of(finding.code), finding.text);
  if (!finding.excerpt.empty()) text += fmt::format(": {}", finding.excerpt);
  return text + '\n';
}

/// Of each severity, in their order.
std::array<std::int64_t, 3> counts_by_severity(const DeliveryReport& report) {
  std::array<std::int64_t, 3> counts{};
  for (const auto& kind : finding_kinds)
    counts.at(static_cast<std::size_t>(kind.severity)) +=
        report.finding_counts.at(static_cast<std::size_t>(kind.code));
  return counts;
}

std::int64_t findings_of(const DeliveryReport& report) {
  const auto counts = counts_by_severity(report);
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::string summary_of(const store::DeliveryRecord& record) {
  const auto& report = record.report;
  std::string text = record.delivery.source + ": ";
  if (!report.recognised_by.empty())
    text += fmt::format("{} ({}): ", report.format, report.recognised_by);
  if (report.state != DeliveryState::stored)
    text += fmt::format("{}: {}\n", text_of(report.state), report.reason);
  else
    text += fmt::format("{} rows, {} readings, {} rejected\n", grouped(report.rows.read),
                        grouped(report.readings.read), grouped(report.rows.rejected));
  const auto [notes, warnings, losses] = counts_by_severity(report);
  if (notes + warnings + losses > 0)
    text += fmt::format("{}: losses: {}, warnings: {}, notes: {}\n", record.delivery.source,
                        grouped(losses), grouped(warnings), grouped(notes));
  return text;
}

/// A refused file without findings has a line, too: nothing is said by leaving it out.
std::string csv_of(const store::DeliveryRecord& record) {
  const auto& report = record.report;
  const std::string source = csv_field(record.delivery.source);
  std::string lines;
  if (report.state != DeliveryState::stored)
    lines += fmt::format("{},,,,{},{},\n", source, text_of(report.state), csv_field(report.reason));
  for (const auto& finding : report.findings)
    lines += fmt::format("{},{},{},{},{},{},{}\n", source, finding.line, finding.column,
                         text_of(kind_of(finding.code).severity), text_of(finding.code),
                         csv_field(finding.text), csv_field(finding.excerpt));
  return lines;
}

/// Prints each file's findings as soon as it is read, but for JSON, which is one object.
class Printed {
 public:
  explicit Printed(Output output) : output_(output) {
    if (output_ == Output::csv) print_text("source,line,column,severity,code,text,excerpt\n");
  }

  void add(const store::DeliveryRecord& record) {
    const auto& report = record.report;
    has_failed_ |= report.state == DeliveryState::failed;
    has_findings_ |= report.state != DeliveryState::stored || findings_of(report) > 0;
    if (output_ == Output::json) return records_.push_back(record);
    if (output_ == Output::csv) return print_text(csv_of(record));
    std::string text;
    for (const auto& finding : report.findings) text += text_of(record.delivery.source, finding);
    const auto more = findings_of(report) - std::ssize(report.findings);
    if (more > 0)
      text += fmt::format("{}: and {} more findings; --findings-max tells more of them\n",
                          record.delivery.source, grouped(more));
    print_text(text + summary_of(record));
  }

  int finish(const ingest::IngestTotals& totals) {
    if (output_ == Output::json)
      print_line(api::ingest_json({.records = records_, .archives = {}, .totals = totals}));
    if (has_failed_) return exit_failed;
    return has_findings_ ? exit_rejected : exit_ok;
  }

 private:
  const Output output_;
  bool has_failed_ = false;
  bool has_findings_ = false;
  std::vector<store::DeliveryRecord> records_;
};

Result<int> try_lint(const LintVerb& verb, const Session& session) {
  ingest::IngestOptions options{.findings_max = verb.findings_max, .now = now};
  METERLINE_CHECK(read_file_options(verb.files, options));
  if (!options.unit) options.unit = Unit::unknown;
  METERLINE_TRY(const auto incoming, incoming_of(verb.paths));
  const auto nothing_kept = store::make_counting_store(nullptr);
  Printed printed(session.output);
  const StopRequest stop;
  ingest::IngestTotals totals;
  {
    Progress progress({.files = std::ssize(incoming)});
    totals = ingest::load_all(incoming, *nothing_kept, options,
                              {.stop = &StopRequest::flag(),
                               .bytes_read = &progress.bytes_read(),
                               .files_read = &progress.files_read()},
                              [&](const store::DeliveryRecord& record) { printed.add(record); });
  }
  const int code = printed.finish(totals);
  if (StopRequest::flag() && totals.deliveries < std::ssize(incoming))
    return fail(Errc::cancelled, "stopped: only a part of the files was read");
  return code;
}

}  // namespace

int lint(const LintVerb& verb, const Session& session) {
  const auto done = try_lint(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
