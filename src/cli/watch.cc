#include "cli/watch.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <system_error>
#include <utility>

#include "api/render.h"
#include "core/text.h"
#include "core/try.h"
#include "source/disk/disk_source.h"

namespace meterline::cli {
namespace {

namespace fs = std::filesystem;
using Clock = source::WatchedFolder::Clock;
using telemetry::LogLevel;

constexpr int settle_s_max = 3600;
/// A file is tried again after ten seconds, and then after twice as long each time.
constexpr std::chrono::seconds try_again_first{10};
constexpr std::chrono::seconds try_again_max{300};
constexpr int doublings_max = 5;
/// Of files of one name that were moved: `a.csv`, `a.csv.2`, ...
constexpr int same_name_max = 100'000;

constexpr const char* done_folder = "done";
constexpr const char* rejected_folder = "rejected";

/// What a file's load came to.
struct Loaded {
  std::vector<store::DeliveryRecord> records;
  std::vector<ingest::ArchiveReport> archives;
  ingest::IngestTotals totals;

  bool has_failed() const { return totals.failed + totals.archives_failed > 0; }
  bool is_refused() const { return totals.refused + totals.archives_refused > 0; }
  /// The report of `meterline ingest`.
  std::string report() const {
    return api::ingest_json({.records = records,
                             .archives = archives,
                             .totals = totals,
                             .sweep = {},
                             .estimate = {},
                             .comparisons = {}}) +
           '\n';
  }
  std::string reason() const {
    for (const auto& record : records)
      if (record.report.state == DeliveryState::failed) return record.report.reason;
    for (const auto& archive : archives)
      if (archive.state == DeliveryState::failed) return archive.reason;
    return "";
  }
};

void tell(telemetry::Log& log, const store::DeliveryRecord& record) {
  const auto& report = record.report;
  const auto& codes = report.finding_counts;
  const bool is_read = report.state != DeliveryState::failed;
  log.write(report.state == DeliveryState::refused ? LogLevel::warning : LogLevel::info,
            fmt::format("delivery {}", text_of(report.state)),
            {{"file", record.delivery.source},
             {"delivery", is_read ? record.delivery.id.text() : std::string()},
             {"reason", report.reason},
             {"rowsRead", report.rows.read},
             {"rowsStored", report.rows.stored},
             {"rowsRepeated", report.rows.repeated},
             {"rowsRejected", report.rows.rejected},
             {"findings", std::accumulate(codes.begin(), codes.end(), std::int64_t{0})}});
}

/// A name that is free, of the file's in that folder.
std::optional<fs::path> free_name(const fs::path& wanted) {
  for (int number = 1; number <= same_name_max; ++number) {
    fs::path name = wanted;
    if (number > 1) name += fmt::format(".{}", number);
    std::error_code error;
    if (!fs::exists(fs::symlink_status(name, error))) return name;
  }
  return std::nullopt;
}

}  // namespace

CLI::Option* add_watch_options(CLI::App& verb, WatchOptions& options) {
  auto* const watch = verb.add_option(
      "--watch", options.folder,
      "Load the files of this folder and of those below it, now and as they come, each once it "
      "is complete");
  verb.add_option("--after", options.after,
                  "What becomes of a file that --watch has loaded: keep; move, to done or rejected "
                  "in that folder, with its report beside it; or delete, unless it is refused")
      ->capture_default_str()
      ->check(CLI::IsMember({"keep", "move", "delete"}))
      ->envname("METERLINE_WATCH_AFTER")
      ->needs(watch);
  verb.add_option("--settle", options.settle_s,
                  "Seconds for which a file has to stand still to be complete")
      ->capture_default_str()
      ->check(CLI::Range(0, settle_s_max))
      ->needs(watch);
  return watch;
}

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(const WatchOptions& options,
                                                       ingest::IngestOptions ingest, Parts parts) {
  const fs::path folder(options.folder);
  std::error_code error;
  if (!fs::is_directory(folder, error) || error)
    return fail(Errc::invalid_argument,
                fmt::format("--watch {}: want a folder that is there{}", excerpt_of(options.folder),
                            error ? ": " + error.message() : ""));
  const After after = options.after == "move"     ? After::move
                      : options.after == "delete" ? After::remove
                                                  : After::keep;
  if (after == After::move) {
    for (const auto* const name : {done_folder, rejected_folder}) {
      fs::create_directory(folder / name, error);
      if (error)
        return fail(Errc::invalid_argument,
                    fmt::format("--watch {}: cannot make the folder {} in it: {}",
                                excerpt_of(options.folder), name, error.message()));
    }
  }
  ingest.archives = ingest::Archives::refuse;
  return std::unique_ptr<FolderWatch>(
      new FolderWatch(options, after, std::move(ingest), std::move(parts)));
}

FolderWatch::FolderWatch(const WatchOptions& options, After after, ingest::IngestOptions ingest,
                         Parts parts)
    : folder_(options.folder),
      after_(after),
      ingest_(std::move(ingest)),
      parts_(std::move(parts)),
      watched_(folder_, std::chrono::seconds(options.settle_s), {done_folder, rejected_folder}) {}

void FolderWatch::look(Clock::time_point now) {
  if (stopping_) return;
  const auto files = watched_.complete(now);
  const std::string fault = files ? std::string() : files.error().message;
  if (!fault.empty() && fault != told_fault_) parts_.log.error(fault);
  told_fault_ = fault;
  if (!files) return;
  for (const auto& file : *files) {
    if (stopping_) return;
    load(file, now);
  }
}

bool FolderWatch::is_waiting() const {
  return std::ranges::any_of(watched_.waiting(),
                             [&](const fs::path& file) { return !failures_.contains(file); });
}

void FolderWatch::load(const fs::path& file, Clock::time_point now) {
  const auto incoming = source::file_delivery(folder_ / file, source::Links::refuse);
  if (!incoming) return try_again(file, incoming.error().message, now);
  Loaded loaded;
  ingest::IngestHooks hooks;
  hooks.stop = &stopping_;
  hooks.on_archive = [&](const ingest::ArchiveReport& archive) {
    loaded.archives.push_back(archive);
    if (archive.state == DeliveryState::refused)
      parts_.log.warning("archive refused", {{"file", archive.source}, {"reason", archive.reason}});
  };
  loaded.totals = ingest::load_all(
      {*incoming}, parts_.store, ingest_, hooks,
      [&](const store::DeliveryRecord& record) { loaded.records.push_back(record); });
  if (stopping_ && loaded.has_failed()) return;
  if (loaded.has_failed()) return try_again(file, loaded.reason(), now);
  failures_.erase(file);
  for (const auto& record : loaded.records) {
    tell(parts_.log, record);
    if (parts_.on_report) parts_.on_report(record.report);
  }
  // Else it was not complete after all: as it is now, it is loaded once it stands still.
  if (watched_.is_unchanged(file)) put_away(file, loaded.is_refused(), loaded.report());
}

void FolderWatch::try_again(const fs::path& file, std::string_view reason, Clock::time_point now) {
  const int failures = failures_[file]++;
  const auto wait =
      std::min(try_again_first * (1 << std::min(failures, doublings_max)), try_again_max);
  watched_.again(file, now + wait);
  parts_.log.error("delivery failed", {{"file", (folder_ / file).string()},
                                       {"reason", reason},
                                       {"triedAgainAfterSeconds", wait.count()}});
}

void FolderWatch::put_away(const fs::path& file, bool is_refused, const std::string& report) {
  if (after_ == After::keep || (after_ == After::remove && is_refused)) return;
  const fs::path from = folder_ / file;
  std::error_code error;
  if (after_ == After::remove) {
    fs::remove(from, error);
    if (error)
      parts_.log.error("cannot delete a file that is loaded",
                       {{"file", from.string()}, {"reason", error.message()}});
    return;
  }
  const auto to = free_name(folder_ / (is_refused ? rejected_folder : done_folder) / file);
  if (to) fs::create_directories(to->parent_path(), error);
  if (to && !error) fs::rename(from, *to, error);
  if (!to || error)
    return parts_.log.error("cannot move a file that is loaded",
                            {{"file", from.string()},
                             {"reason", to ? error.message() : "there are too many of its name"}});
  const fs::path beside = to->string() + ".report.json";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  out << report;
  out.close();
  if (!out) parts_.log.error("cannot write a report", {{"file", beside.string()}});
}

}  // namespace meterline::cli
