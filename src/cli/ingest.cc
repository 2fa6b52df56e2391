#include "cli/ingest.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "access/ticker.h"
#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/ingest_paths.h"
#include "cli/ingest_report.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/stop_signals.h"
#include "cli/table.h"
#include "core/finding.h"
#include "core/try.h"
#include "ingest/compare.h"
#include "ingest/ingest.h"
#include "ingest/sweep.h"
#include "store/counting/counting_store.h"

namespace meterline::cli {
namespace {

/// Objects that a sweep holds at a time.
constexpr std::size_t sweep_batch_max = 1000;

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

Result<ingest::IngestOptions> options_of(const IngestVerb& verb) {
  ingest::IngestOptions options{.archives = ingest::Archives::restore,
                                .findings_max = verb.findings_max,
                                .threads = verb.threads,
                                .now = now};
  if (verb.expanded_bytes_max > 0) options.expanded_bytes_max = verb.expanded_bytes_max;
  METERLINE_CHECK(read_file_options(verb.files, options));
  return options;
}

int exit_code_of(const ingest::IngestTotals& totals) {
  if (totals.without_unit > 0) return exit_usage;
  if (totals.failed + totals.refused + totals.archives_failed + totals.archives_refused > 0)
    return exit_failed;
  return totals.rows.rejected > 0 || totals.readings.rejected > 0 ? exit_rejected : exit_ok;
}

/// Loads files in one or several goes, with one report of all.
class Run {
 public:
  Run(const IngestVerb& verb, const Session& session, ingest::IngestOptions options)
      : verb_(verb), options_(std::move(options)), report_(session.output) {}

  Result<void> begin() {
    if (!verb_.delivered_at.empty()) {
      METERLINE_TRY(delivered_at_, instant_option("--delivered-at", verb_.delivered_at));
    }
    return verb_.rejects.empty() ? Result<void>() : rejects_.open(verb_.rejects);
  }

  void load(std::vector<source::Incoming> incoming, store::Store& store, Progress& progress) {
    redate(incoming);
    totals_ += ingest::load_all(
        incoming, store, options_, hooks(progress),
        [&](const store::DeliveryRecord& record) { report_.add(record, progress); });
  }

  void compare(std::vector<source::Incoming> incoming, const store::Store& store,
               Progress& progress) {
    redate(incoming);
    totals_ += ingest::compare_all(
        incoming, store, options_, hooks(progress),
        [&](const store::DeliveryRecord& record, const ingest::Comparison& comparison) {
          report_.add(record, comparison, progress);
        });
  }

  Result<int> finish(const IngestReport::Extras& extras) {
    report_.print(totals_, extras);
    if (!verb_.rejects.empty()) METERLINE_CHECK(rejects_.close());
    return exit_code_of(totals_);
  }

  /// Deliveries of which it is known what became of them.
  std::int64_t done() const {
    return totals_.stored + totals_.skipped + totals_.refused + totals_.archives_stored +
           totals_.archives_refused;
  }
  std::int64_t stored() const { return totals_.stored + totals_.skipped + totals_.archives_stored; }

 private:
  void redate(std::vector<source::Incoming>& incoming) const {
    if (!delivered_at_) return;
    for (auto& delivery : incoming) delivery = source::redated(std::move(delivery), *delivered_at_);
  }
  ingest::IngestHooks hooks(Progress& progress) {
    ingest::IngestHooks hooks{.stop = &StopRequest::flag(),
                              .bytes_read = &progress.bytes_read(),
                              .files_read = &progress.files_read(),
                              .on_archive = [&](const ingest::ArchiveReport& archive) {
                                report_.add(archive, progress);
                              }};
    if (!verb_.rejects.empty())
      hooks.on_rejected = [&](const ingest::RejectedRow& row) { rejects_.add(row); };
    return hooks;
  }

  const IngestVerb& verb_;
  const ingest::IngestOptions options_;
  std::optional<Instant> delivered_at_;
  RejectsFile rejects_;
  IngestReport report_;
  ingest::IngestTotals totals_;
};

void load_all_of(std::vector<source::Incoming> incoming, store::Store& store, Run& run) {
  Progress progress(
      {.files = static_cast<std::int64_t>(incoming.size()), .bytes = bytes_of(incoming)});
  run.load(std::move(incoming), store, progress);
}

Result<int> load(const IngestVerb& verb, const Session& session, Run& run) {
  METERLINE_TRY(auto incoming, incoming_of(verb.paths));
  METERLINE_CHECK(run.begin());
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::create));
  const StopRequest stop;
  const auto wanted = static_cast<std::int64_t>(incoming.size());
  load_all_of(std::move(incoming), *store, run);
  METERLINE_TRY(const int code, run.finish({}));
  if (StopRequest::flag() && run.done() < wanted)
    return fail(Errc::cancelled,
                fmt::format("stopped: {} of {} deliveries are stored, none of them in part; run "
                            "the same command again to load the rest",
                            grouped(run.stored()), grouped(wanted)));
  return code;
}

Result<store::StoreSettings> settings_of(const Session& session) {
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  return store->settings();
}

/// What a load would leave out. A dry run needs no store, and goes on where there is none.
std::vector<std::string> erased_marks(const Session& session) {
  auto settings = settings_of(session);
  if (settings) return std::move(settings->erased);
  if (settings.error().code != Errc::not_found)
    tell(
        fmt::format("meterline: which meters were erased is not known, and their rows are counted "
                    "as if they were stored: {}\n",
                    settings.error().message));
  return {};
}

Result<int> load_dry(const IngestVerb& verb, const Session& session, Run& run) {
  METERLINE_TRY(auto incoming, incoming_of(verb.paths));
  METERLINE_CHECK(run.begin());
  METERLINE_TRY(auto pricing, session.open_pricing(session.store_url));
  const auto store = store::make_counting_store(std::move(pricing), erased_marks(session));
  const StopRequest stop;
  const auto wanted = static_cast<std::int64_t>(incoming.size());
  load_all_of(std::move(incoming), *store, run);
  METERLINE_TRY(const int code, run.finish({.estimate = store->estimate()}));
  if (StopRequest::flag() && run.done() < wanted)
    return fail(Errc::cancelled, "stopped: the estimate is of a part of the files");
  return code;
}

Result<int> compare(const IngestVerb& verb, const Session& session, Run& run) {
  METERLINE_TRY(auto incoming, incoming_of(verb.paths));
  METERLINE_CHECK(run.begin());
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::read));
  const StopRequest stop;
  const auto wanted = static_cast<std::int64_t>(incoming.size());
  {
    Progress progress({.files = wanted, .bytes = bytes_of(incoming)});
    run.compare(std::move(incoming), *store, progress);
  }
  METERLINE_TRY(const int code, run.finish({}));
  if (StopRequest::flag() && run.done() < wanted)
    return fail(Errc::cancelled, "stopped: only a part of the files is compared");
  return code;
}

Result<int> sweep(const IngestVerb& verb, const Session& session, Run& run) {
  METERLINE_TRY(const auto list, objects_below(verb.paths));
  METERLINE_CHECK(run.begin());
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::create));
  const StopRequest stop;
  ingest::SweepCounts counts;
  Result<void> visited;
  {
    Progress progress({});
    visited = list(sweep_batch_max, [&](std::vector<source::Incoming> batch) -> Result<void> {
      if (StopRequest::flag())
        return fail(Errc::cancelled, "stopped: run the same command again to load the rest");
      const auto listed = static_cast<std::int64_t>(batch.size());
      METERLINE_TRY(auto missing, ingest::without_answer(std::move(batch), *store));
      const auto count = static_cast<std::int64_t>(missing.size());
      counts.objects += listed;
      counts.known += listed - count;
      counts.loaded += count;
      run.load(std::move(missing), *store, progress);
      return {};
    });
  }
  METERLINE_TRY(const int code, run.finish({.sweep = counts}));
  METERLINE_CHECK(std::move(visited));
  if (StopRequest::flag() && run.done() < counts.loaded)
    return fail(Errc::cancelled, "stopped: run the same command again to load the rest");
  return code;
}

Result<int> watch(const IngestVerb& verb, const Session& session, ingest::IngestOptions options) {
  const StopSignals signals;
  METERLINE_TRY(const auto log, open_log(verb.log));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::create));
  METERLINE_TRY(const auto folder,
                FolderWatch::open(verb.watch, std::move(options), {.store = *store, .log = *log}));
  log->info("watching", {{"folder", verb.watch.folder}});
  {
    const access::Ticker looks(watch_step, [&] {
      folder->look(source::WatchedFolder::Clock::now());
      if (verb.once && !folder->is_waiting()) signals.stop();
    });
    signals.wait();
    folder->stop();
  }
  log->info("stopping");
  return verb.once && folder->has_failures() ? exit_failed : exit_ok;
}

Result<int> try_ingest(const IngestVerb& verb, const Session& session) {
  METERLINE_TRY(auto options, options_of(verb));
  if (verb.mode == IngestMode::watch) return watch(verb, session, std::move(options));
  if (verb.paths.empty())
    return fail(Errc::invalid_argument,
                "PATH is required; `meterline ingest --help` tells what there is");
  Run run(verb, session, std::move(options));
  switch (verb.mode) {
    case IngestMode::sweep:
      return sweep(verb, session, run);
    case IngestMode::dry_run:
      return load_dry(verb, session, run);
    case IngestMode::compare:
      return compare(verb, session, run);
    case IngestMode::load:
    case IngestMode::watch:
      break;
  }
  return load(verb, session, run);
}

}  // namespace

int ingest(const IngestVerb& verb, const Session& session) {
  const auto done = try_ingest(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
