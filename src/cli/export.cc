#include "cli/export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

#include "cli/exit_code.h"
#include "cli/export_file.h"
#include "cli/groups.h"
#include "cli/meter_list.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/finding.h"
#include "core/json_writer.h"
#include "core/try.h"
#include "ingest/archive.h"
#include "source/packer.h"
#include "tables/store_table.h"
#include "tables/table.h"
#include "tables/wide_table.h"

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
  METERLINE_TRY(auto listed, read_meter_list("--meter", path));
  std::move(listed.begin(), listed.end(), std::back_inserter(meters));
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

/// Those of the group, too, where one is given.
Result<void> add_group_of(const ExportVerb& verb, const Session& session, const store::Store& store,
                          std::optional<std::vector<MeterId>>& meters) {
  if (verb.group.empty()) return {};
  METERLINE_TRY(const auto group, group_option(session, verb.group));
  METERLINE_TRY(auto ids, ids_of(store, *group));
  if (!meters) meters.emplace();
  std::move(ids.begin(), ids.end(), std::back_inserter(*meters));
  std::sort(meters->begin(), meters->end());
  meters->erase(std::unique(meters->begin(), meters->end()), meters->end());
  return {};
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

Result<void> check_no_terminal() {
  if (isatty(STDOUT_FILENO) == 0) return {};
  return fail(Errc::invalid_argument,
              "export -: standard output is a terminal; send it into a file or a program");
}

Result<void> write_to_stdout(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return {};
  if (errno == EINTR && StopRequest::flag()) return fail(Errc::cancelled, "stopped on request");
  return fail(Errc::unavailable,
              fmt::format("cannot write to standard output: {}", strerror(errno)));
}

Result<int> export_to_stdout(const store::Store& store, const ingest::ArchiveSelection& selection) {
  METERLINE_CHECK(check_no_terminal());
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

/// The months of a span, each with a file of its own: `file(path, dates)` makes one. It gets its
/// name when it is whole: those that are there need not be written again.
Result<int> export_months(const ExportVerb& verb, const std::string& folder,
                          const std::optional<DateRange>& span, std::string_view ending,
                          const std::function<Result<void>(const std::string&, DateRange)>& file) {
  if (!span) return fail(Errc::invalid_argument, "--by-month needs --from and --to");
  const auto& dates = *span;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail(Errc::unavailable,
                fmt::format("cannot make the folder {}: {}", folder, error.message()));
  for (Month month = Month::of(dates.from); month <= Month::of(dates.to); ++month.index) {
    const Date first = month.first_day();
    const auto name = fmt::format("{}.{}", first.text().substr(0, 7), ending);
    const auto path = (std::filesystem::path(folder) / name).string();
    if (std::filesystem::exists(path, error) && !verb.force) continue;
    METERLINE_CHECK(
        file(path, {.from = std::max(first, dates.from),
                    .to = std::min(*Date::from_days(first.days() + month.days() - 1), dates.to)}));
  }
  return exit_ok;
}

ExistingFile existing_of(const ExportVerb& verb) {
  return verb.force ? ExistingFile::replace : ExistingFile::refuse;
}

std::string_view ending_of(source::Packing packing) {
  return packing == source::Packing::gzip ? ".gz" : ".zst";
}

/// As a file's name ends.
std::optional<source::Packing> packing_of_name(std::string_view file) {
  for (const auto packing : {source::Packing::gzip, source::Packing::zstd})
    if (file.ends_with(ending_of(packing))) return packing;
  return std::nullopt;
}

/// Tables for other programs.
class TableExport {
 public:
  TableExport(const ExportVerb& verb, tables::TableOf table, const Session& session)
      : verb_(verb), table_(table), session_(session) {}

  Result<int> run();

 private:
  Result<void> read_form();
  Result<void> read_packing(std::optional<source::Packing> named);
  std::string ending() const;
  Result<tables::TableSummary> write(const DateRange& dates, const tables::BytesSink& sink);
  Result<void> write_file(const std::string& path, const DateRange& dates);
  std::string told(const tables::TableSummary& summary, std::string_view to) const {
    return fmt::format("exported {} rows of {} meters to {}\n", grouped(summary.rows),
                       grouped(summary.meters), to);
  }
  void print(const tables::TableSummary& summary, const std::string& path) const;

  const ExportVerb& verb_;
  const tables::TableOf table_;
  const Session& session_;
  std::unique_ptr<store::Store> store_;
  tables::TableFormat format_ = tables::TableFormat::csv;
  std::optional<source::Packing> packing_;
  std::shared_ptr<const tables::WideLayout> layout_;  ///< Null: of the long form.
  tables::TableSelection selection_;
};

Result<int> TableExport::run() {
  METERLINE_CHECK(read_form());
  if (verb_.wide) METERLINE_CHECK(tables::check_wide(format_, table_));
  METERLINE_TRY(auto selected, selection_of(verb_));
  selection_.meters = std::move(selected.meters);
  if (!verb_.as_of.empty()) {
    METERLINE_TRY(selection_.as_of, instant_option("--as-of", verb_.as_of));
  }
  if (verb_.out == "-") METERLINE_CHECK(check_no_terminal());
  METERLINE_TRY(store_, session_.open_store(session_.store_url, OpenMode::read));
  METERLINE_CHECK(add_group_of(verb_, session_, *store_, selection_.meters));
  const auto dates = selected.dates.value_or(DateRange{.from = Date::min(), .to = Date::max()});
  selection_.dates = dates;
  if (verb_.wide) {  // All files of months have the same columns.
    METERLINE_TRY(layout_, tables::WideLayout::of(*store_, selection_));
  }
  if (verb_.by_month)
    return export_months(
        verb_, verb_.out, selected.dates, ending(),
        [&](const std::string& path, DateRange month) { return write_file(path, month); });
  if (verb_.out == "-") {
    METERLINE_TRY(const auto summary, write(dates, write_to_stdout));
    tell(told(summary, "standard output"));
  } else {
    METERLINE_CHECK(write_file(verb_.out, dates));
  }
  return exit_ok;
}

/// By their names, or by how the file's name ends.
Result<void> TableExport::read_form() {
  std::string_view file = verb_.by_month ? std::string_view() : std::string_view(verb_.out);
  const auto packing = packing_of_name(file);
  if (packing) file = file.substr(0, file.rfind('.'));
  auto name = std::string_view(verb_.format);
  const auto dot = file.rfind('.');
  if (name.empty() && dot != std::string::npos) name = file.substr(dot + 1);
  const auto format = tables::parse_table_format(name);
  if (!format && !verb_.format.empty())
    return fail(Errc::invalid_argument, fmt::format("--format: want {}, got \"{}\"",
                                                    tables::table_format_names, excerpt_of(name)));
  format_ = format.value_or(tables::TableFormat::csv);
  return read_packing(packing);
}

/// `named`: by the end of the file's name.
Result<void> TableExport::read_packing(std::optional<source::Packing> named) {
  const auto& word = verb_.compress;
  packing_ = word.empty() ? named : source::parse_packing(word);
  if (!packing_ && !word.empty() && word != "none")
    return fail(Errc::invalid_argument, fmt::format("--compress: want none, {}, got \"{}\"",
                                                    source::packing_names, excerpt_of(word)));
  if (!packing_ || format_ == tables::TableFormat::csv) return {};
  return fail(
      Errc::invalid_argument,
      fmt::format("{}: Parquet and Arrow are packed in themselves, and are not packed "
                  "again: {}, or take --format csv",
                  word.empty() ? excerpt_of(verb_.out) : "--compress " + word,
                  word.empty() ? "name the file without this ending" : "leave --compress out"));
}

/// Of the file of a month.
std::string TableExport::ending() const {
  const std::string format = verb_.format.empty() ? "csv" : verb_.format;
  return packing_ ? format + std::string(ending_of(*packing_)) : format;
}

Result<tables::TableSummary> TableExport::write(const DateRange& dates,
                                                const tables::BytesSink& sink) {
  const StopRequest stop;
  StoreProgress progress;
  selection_.dates = dates;
  std::unique_ptr<source::Packer> packer;
  if (packing_) {
    METERLINE_TRY(packer, source::Packer::make(*packing_, sink));
  }
  const auto packed = [&](std::string_view bytes) {
    return packer ? packer->add(bytes) : sink(bytes);
  };
  METERLINE_TRY(const auto writer,
                tables::open_table(
                    format_, layout_ ? layout_->columns() : tables::columns_of(table_), packed));
  const tables::TableHooks hooks{
      .stop = &StopRequest::flag(), .meters = &progress.meters(), .days = &progress.days()};
  METERLINE_TRY(const auto summary,
                layout_ ? tables::write_wide_table(*store_, *layout_, selection_, *writer, hooks)
                        : tables::write_store_table(*store_, table_, selection_, *writer, hooks));
  METERLINE_CHECK(writer->finish());
  if (packer) METERLINE_CHECK(packer->finish());
  return summary;
}

Result<void> TableExport::write_file(const std::string& path, const DateRange& dates) {
  METERLINE_TRY(const auto file, ExportFile::create(path, existing_of(verb_)));
  METERLINE_TRY(const auto summary,
                write(dates, [&](std::string_view bytes) { return file->write(bytes); }));
  METERLINE_CHECK(file->finish());
  print(summary, path);
  return {};
}

void TableExport::print(const tables::TableSummary& summary, const std::string& path) const {
  switch (session_.output) {
    case Output::json:
      print_line(JsonWriter()
                     .begin_object()
                     .member("file", path)
                     .member("meters", summary.meters)
                     .member("rows", summary.rows)
                     .end_object()
                     .take());
      return;
    case Output::csv:
      print_text(fmt::format("file,meters,rows\n{},{},{}\n", csv_field(path), summary.meters,
                             summary.rows));
      return;
    case Output::table:
      print_text(told(summary, path));
  }
}

Result<int> try_export(const ExportVerb& verb, const Session& session) {
  if (const auto table = tables::parse_table_of(verb.path))
    return TableExport(verb, *table, session).run();
  if (!verb.format.empty() || !verb.as_of.empty() || !verb.compress.empty() || verb.wide ||
      verb.out != "-")
    return fail(
        Errc::invalid_argument,
        fmt::format("--out, --format, --wide, --compress and --as-of are for tables: want {} "
                    "before them, got \"{}\"",
                    tables::table_of_names, excerpt_of(verb.path)));
  METERLINE_TRY(auto selection, selection_of(verb));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  METERLINE_CHECK(add_group_of(verb, session, *store, selection.meters));
  if (verb.by_month)
    return export_months(
        verb, verb.path, selection.dates, "archive", [&](const std::string& path, DateRange dates) {
          auto of_month = selection;
          of_month.dates = dates;
          return export_to_file(path, existing_of(verb), *store, of_month, session.output);
        });
  if (verb.path == "-") return export_to_stdout(*store, selection);
  METERLINE_CHECK(export_to_file(verb.path, existing_of(verb), *store, selection, session.output));
  return exit_ok;
}

}  // namespace

void add_export(CLI::App& app, ExportVerb& verb) {
  auto* const exporting =
      app.add_subcommand("export",
                         "Write the store, or a part, as one file for ingest to restore; "
                         "or readings, days or months as a table");
  exporting
      ->add_option("FILE", verb.path,
                   "The file to make, or - for standard output; or readings, days or months")
      ->required();
  exporting->add_option("--from", verb.from, "Only days from this one on");
  exporting->add_option("--to", verb.to,
                        "Up to this one, which is included (default: the one of --from alone)");
  exporting->add_option(
      "--meter", verb.meters,
      "Only this meter, or those of @FILE, one on each line (@-: standard input); any number "
      "of times");
  exporting->add_option("--group", verb.group,
                        "Only meters of this group: a name of `meterline groups list`, or a file, "
                        "like ./flats.txt; with --meter, both");
  exporting->add_flag("--by-month", verb.by_month,
                      "Make FILE a folder with a file for each month; those that are there "
                      "stay, so that the same again goes on where it was ended");
  exporting->add_flag("--force", verb.force, "Replace the file if it exists");
  exporting
      ->add_option("-o,--out", verb.out, "Of a table: the file to make, or - for standard output")
      ->capture_default_str();
  exporting->add_option("--format", verb.format,
                        fmt::format("Of a table: {} (default: as the file's name ends, or csv)",
                                    tables::table_format_names));
  exporting->add_flag("--wide", verb.wide,
                      "Of readings as CSV: a row for each day, with a column for each time");
  exporting->add_option("--compress", verb.compress,
                        fmt::format("Of CSV: none, {} (default: as the file's name ends, .gz or "
                                    ".zst, or none)",
                                    source::packing_names));
  exporting->add_option("--as-of", verb.as_of, "Of a table: as it was known then");
}

int export_store(const ExportVerb& verb, const Session& session) {
  const auto done = try_export(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
