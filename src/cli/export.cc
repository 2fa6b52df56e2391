#include "cli/export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/finding.h"
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

Result<Exported> export_to(const ingest::BytesSink& sink, const store::Store& store,
                           const ingest::ArchiveSelection& selection) {
  const StopRequest stop;
  StoreProgress progress;
  Exported exported;
  const auto counted = [&](std::string_view bytes) {
    exported.bytes += static_cast<std::int64_t>(bytes.size());
    return sink(bytes);
  };
  METERLINE_TRY(exported.summary, ingest::write_archive(store, counted,
                                                        {.stop = &StopRequest::flag(),
                                                         .meters = &progress.meters(),
                                                         .days = &progress.days()},
                                                        selection));
  return exported;
}

Result<void> add_meter(const std::string& text, std::vector<MeterId>& meters) {
  auto meter = MeterId::parse(text);
  if (!meter)
    return fail(Errc::invalid_argument,
                fmt::format("--meter: no meter id: \"{}\"", excerpt_of(text)));
  meters.push_back(*std::move(meter));
  return {};
}

Result<void> add_meters_of(const std::string& path, std::vector<MeterId>& meters) {
  std::ifstream file(path);
  if (!file) return fail(Errc::not_found, fmt::format("--meter: cannot read {}", path));
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) METERLINE_CHECK(add_meter(line, meters));
  }
  return {};
}

Result<ingest::ArchiveSelection> selection_of(const ExportVerb& verb) {
  ingest::ArchiveSelection selection;
  if (!verb.from.empty() || !verb.to.empty()) {
    if (verb.from.empty())
      return fail(Errc::invalid_argument, "--to needs --from: which days are to be exported");
    METERLINE_TRY(selection.dates, range_options(verb.from, verb.to));
  }
  if (verb.meters.empty()) return selection;
  auto& meters = selection.meters.emplace();
  for (const auto& text : verb.meters)
    METERLINE_CHECK(text.starts_with('@') ? add_meters_of(text.substr(1), meters)
                                          : add_meter(text, meters));
  std::sort(meters.begin(), meters.end());
  meters.erase(std::unique(meters.begin(), meters.end()), meters.end());
  return selection;
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

Result<int> export_to_stdout(const store::Store& store, const ingest::ArchiveSelection& selection) {
  if (isatty(STDOUT_FILENO) == 1)
    return fail(Errc::invalid_argument,
                "export -: standard output is a terminal; send it into a file or a program");
  METERLINE_TRY(const auto exported, export_to(write_to_stdout, store, selection));
  tell(text_of(exported, "standard output"));
  tell_left_out(exported);
  return exit_ok;
}

Result<void> export_to_file(const std::string& path, ExistingFile existing,
                            const store::Store& store, const ingest::ArchiveSelection& selection,
                            Output output) {
  METERLINE_TRY(const auto file, ExportFile::create(path, existing));
  METERLINE_TRY(
      const auto exported,
      export_to([&](std::string_view bytes) { return file->write(bytes); }, store, selection));
  METERLINE_CHECK(file->finish());
  print_exported(exported, path, output);
  tell_left_out(exported);
  return {};
}

/// A file gets its name when it is whole: those that are there need not be written again.
Result<int> export_by_month(const ExportVerb& verb, const store::Store& store,
                            const ingest::ArchiveSelection& selection, Output output) {
  if (!selection.dates) return fail(Errc::invalid_argument, "--by-month needs --from and --to");
  const auto& dates = *selection.dates;
  std::error_code error;
  std::filesystem::create_directories(verb.path, error);
  if (error)
    return fail(Errc::unavailable,
                fmt::format("cannot make the folder {}: {}", verb.path, error.message()));
  for (Month month = Month::of(dates.from); month <= Month::of(dates.to); ++month.index) {
    auto of_month = selection;
    const Date first = month.first_day();
    of_month.dates = {.from = std::max(first, dates.from),
                      .to = std::min(*Date::from_days(first.days() + month.days() - 1), dates.to)};
    const auto name = first.text().substr(0, 7) + ".archive";
    const auto path = (std::filesystem::path(verb.path) / name).string();
    const bool is_there = std::filesystem::exists(path, error);
    if (is_there && verb.existing == ExistingFile::refuse) continue;
    METERLINE_CHECK(export_to_file(path, verb.existing, store, of_month, output));
  }
  return exit_ok;
}

Result<int> try_export(const ExportVerb& verb, const Session& session) {
  METERLINE_TRY(const auto selection, selection_of(verb));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  if (verb.by_month) return export_by_month(verb, *store, selection, session.output);
  if (verb.path == "-") return export_to_stdout(*store, selection);
  METERLINE_CHECK(export_to_file(verb.path, verb.existing, *store, selection, session.output));
  return exit_ok;
}

}  // namespace

int export_store(const ExportVerb& verb, const Session& session) {
  const auto done = try_export(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
