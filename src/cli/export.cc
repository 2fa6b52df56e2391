#include "cli/export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/json_writer.h"
#include "core/try.h"
#include "ingest/archive.h"

namespace meterline::cli {
namespace {

/// What was written, and how many bytes they are.
struct Exported {
  ingest::ArchiveSummary summary;
  std::int64_t bytes = 0;
};

Result<Exported> export_to(const ingest::BytesSink& sink, const Session& session) {
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::existing));
  const StopRequest stop;
  StoreProgress progress;
  Exported exported;
  const auto counted = [&](std::string_view bytes) {
    exported.bytes += static_cast<std::int64_t>(bytes.size());
    return sink(bytes);
  };
  METERLINE_TRY(exported.summary, ingest::write_archive(*store, counted,
                                                        {.stop = &StopRequest::flag(),
                                                         .meters = &progress.meters(),
                                                         .days = &progress.days()}));
  return exported;
}

std::string text_of(const Exported& exported, const std::string& to) {
  const auto& counts = exported.summary.counts;
  return fmt::format(
      "exported {} deliveries, {} meters, {} days and {} register reads to {}: {} bytes\n",
      grouped(counts.deliveries), grouped(counts.meters), grouped(counts.days),
      grouped(counts.reads), to, grouped(exported.bytes));
}

void print_exported(const Exported& exported, const std::string& path, Output output) {
  const auto& [counts, days_left_out, reads_left_out] = exported.summary;
  switch (output) {
    case Output::json:
      print_line(JsonWriter()
                     .begin_object()
                     .member("file", path)
                     .member("bytes", exported.bytes)
                     .member("deliveries", counts.deliveries)
                     .member("meters", counts.meters)
                     .member("days", counts.days)
                     .member("registerReads", counts.reads)
                     .member("daysLeftOut", days_left_out)
                     .member("registerReadsLeftOut", reads_left_out)
                     .end_object()
                     .take());
      return;
    case Output::csv:
      print_text(
          fmt::format("file,bytes,deliveries,meters,days,registerReads,daysLeftOut,"
                      "registerReadsLeftOut\n{},{},{},{},{},{},{},{}\n",
                      csv_field(path), exported.bytes, counts.deliveries, counts.meters,
                      counts.days, counts.reads, days_left_out, reads_left_out));
      return;
    case Output::table:
      print_text(text_of(exported, path));
  }
}

void tell_left_out(const Exported& exported) {
  const auto& summary = exported.summary;
  if (summary.days_left_out + summary.reads_left_out == 0) return;
  tell(
      fmt::format("meterline: {} days and {} register reads are left out: the loads that brought "
                  "them were not finished when the export began\n",
                  grouped(summary.days_left_out), grouped(summary.reads_left_out)));
}

Result<void> write_to_stdout(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return {};
  if (errno == EINTR && StopRequest::flag()) return fail(Errc::cancelled, "stopped on request");
  return fail(Errc::unavailable,
              fmt::format("cannot write to standard output: {}", strerror(errno)));
}

Result<int> export_to_stdout(const Session& session) {
  if (isatty(STDOUT_FILENO) == 1)
    return fail(Errc::invalid_argument,
                "export -: standard output is a terminal; send it into a file or a program");
  METERLINE_TRY(const auto exported, export_to(write_to_stdout, session));
  tell(text_of(exported, "standard output"));
  tell_left_out(exported);
  return exit_ok;
}

Result<int> try_export(const ExportVerb& verb, const Session& session) {
  if (verb.path == "-") return export_to_stdout(session);
  METERLINE_TRY(const auto file, ExportFile::create(verb.path, verb.existing));
  METERLINE_TRY(const auto exported,
                export_to([&](std::string_view bytes) { return file->write(bytes); }, session));
  METERLINE_CHECK(file->finish());
  print_exported(exported, verb.path, session.output);
  tell_left_out(exported);
  return exit_ok;
}

}  // namespace

int export_store(const ExportVerb& verb, const Session& session) {
  const auto done = try_export(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
