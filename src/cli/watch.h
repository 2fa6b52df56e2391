#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"
#include "core/result.h"
#include "ingest/ingest.h"
#include "source/disk/watched_folder.h"
#include "store/store.h"
#include "telemetry/log.h"

namespace meterline::cli {

/// A folder whose files are loaded as they come.
struct WatchOptions {
  std::string folder;          ///< Empty: none.
  std::string after = "keep";  ///< `keep`, `move` or `delete`: what becomes of a loaded file.
  int settle_s = 5;            ///< A file is complete once it has stood still for so long.
};

/// So often a folder is looked at.
inline constexpr std::chrono::seconds watch_step{1};

/// `--watch`, which is returned, `--after` and `--settle`.
CLI::Option* add_watch_options(CLI::App& verb, WatchOptions& options);

/// Loads each file of a folder once, when it is complete, and as long as it lives looks for more.
/// A file that cannot be loaded now, as its store cannot be reached, stays and is tried again; one
/// that is refused is never deleted. `done` and `rejected` in the folder are never looked into.
class FolderWatch {
 public:
  struct Parts {
    store::Store& store;
    telemetry::Log& log;                                        ///< Told of each file.
    std::function<void(const DeliveryReport&)> on_report = {};  ///< Of each that was read.
  };

  /// Errors: `invalid_argument` where the folder is none, or what it needs cannot be made in it.
  static Result<std::unique_ptr<FolderWatch>> open(const WatchOptions& options,
                                                   ingest::IngestOptions ingest, Parts parts);

  /// Loads what is complete. Called again and again by one thread at a time.
  void look(source::WatchedFolder::Clock::time_point now);

  /// Whether there is a file that is neither loaded nor failed to be.
  bool is_waiting() const;
  /// Whether files could not be loaded so far and are to be tried again.
  bool has_failures() const { return !failures_.empty(); }

  /// What is being loaded is given up, and nothing more begun. From any thread.
  void stop() { stopping_ = true; }

 private:
  enum class After { keep, move, remove };

  FolderWatch(const WatchOptions& options, After after, ingest::IngestOptions ingest, Parts parts);
  void load(const std::filesystem::path& file, source::WatchedFolder::Clock::time_point now);
  void try_again(const std::filesystem::path& file, std::string_view reason,
                 source::WatchedFolder::Clock::time_point now);
  void put_away(const std::filesystem::path& file, bool is_refused, const std::string& report);

  const std::filesystem::path folder_;
  const After after_;
  const ingest::IngestOptions ingest_;
  const Parts parts_;
  source::WatchedFolder watched_;
  std::map<std::filesystem::path, int> failures_;  ///< In a row.
  std::string told_fault_;                         ///< Of the folder itself; told once.
  std::atomic<bool> stopping_ = false;
};

}  // namespace meterline::cli
