#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/instant.h"
#include "core/result.h"
#include "ingest/ingest.h"
#include "store/backup/backups.h"
#include "store/backup/place.h"
#include "store/estimate.h"
#include "store/open_error.h"
#include "store/repair.h"
#include "store/store.h"

namespace meterline::cli {

enum class Output { table, json, csv };

enum class OpenMode {
  read,          ///< For questions, beside whoever owns it. No store yet is an error.
  change,        ///< To change it: where a server owns it, that one does it. The same error.
  create,        ///< The same; made when absent.
  serve,         ///< To own it, with the memory for caches that suits the machine. The same error.
  serve_create,  ///< The same; made when absent.
};

/// Opens the store that a URL names; the application gives it.
using StoreOpener = std::function<store::Opening<std::unique_ptr<store::Store>>(
    const std::string& url, OpenMode mode)>;

/// Lets other processes of this machine hand what they change to this one, which owns the store
/// that a URL names, until what it returns is destroyed; null for a store that nobody owns. The
/// application gives it.
using StoreSharer =
    std::function<Result<std::shared_ptr<const void>>(const std::string& url, store::Store& store)>;

/// Replicas of one data centre.
struct DataCentre {
  std::string name;
  int replicas = 0;
  bool operator==(const DataCentre&) const = default;
};

/// How a store on servers is made.
struct InitOptions {
  std::optional<int> replication;        ///< Replicas of a day; empty: as the backend wants it.
  std::vector<DataCentre> data_centres;  ///< Or replicas for each data centre.
  /// Meters that the store will have; empty: as the backend wants it.
  std::optional<std::int64_t> expected_meters;
};

/// Makes the store that a URL names, and tells what was made, a line each: nothing where all was
/// there. The application gives it.
using StoreInitialiser = std::function<Result<std::vector<std::string>>(
    const std::string& url, const InitOptions& options)>;

/// Repairs the store that a URL names; the application gives it.
using StoreRepairer =
    std::function<Result<store::RepairReport>(const std::string& url, store::RepairMode mode)>;

/// How stores in folders are copied away and brought back; the application gives it.
struct Backups {
  /// The place that a text names: a folder, or `s3://BUCKET/PREFIX`.
  std::function<Result<std::unique_ptr<store::backup::Place>>(const std::string& text)> open_place;
  std::function<store::Opening<store::backup::StoreFiles>(const std::string& url)> hold_files;
  std::function<Result<void>(const std::string& url, store::backup::Place& place,
                             const store::backup::Backup& backup, const store::backup::Work& work)>
      restore;
};

/// Counts what loads cost on a store on servers, as the one that a URL names; null where the
/// program has none. The application gives it.
using PricingOpener =
    std::function<Result<std::unique_ptr<store::Pricing>>(const std::string& url)>;

/// What the application gives the command line: here nothing is known of backends.
struct Application {
  StoreOpener open_store;
  StoreSharer share_store;
  StoreInitialiser init_store;
  StoreRepairer repair_store;
  Backups backups;
  PricingOpener open_pricing;
  std::string stores;  ///< What `--version` tells of them, on one line.
};

/// What all verbs share.
struct Session {
  std::string store_url;
  std::string groups;  ///< The folder of groups of meters, which need not be there.
  Output output = Output::table;
  StoreOpener open_store;
  StoreSharer share_store;
  StoreInitialiser init_store;
  StoreRepairer repair_store;
  Backups backups;
  PricingOpener open_pricing;
};

/// Prints `message` as an error; returns the exit code that belongs to it.
int report_error(const Error& error);

/// Prints an answer to standard output. Whether that went well is asked once, at the end of run().
void print_text(std::string_view text);
void print_line(std::string_view text);  ///< And a line end.

/// Tells the user something on standard error, as it stands.
void tell(std::string_view text);

/// A date from an option. `invalid_argument` names the option and the form.
Result<Date> date_option(std::string_view option, const std::string& text);
Result<Instant> instant_option(std::string_view option, const std::string& text);
/// What `--unit` says; empty where it is not given.
Result<std::optional<Unit>> unit_option(const std::string& text);

/// The bytes of a file that has at most `bytes_max`; of a larger one, one more than these, which
/// whoever reads them refuses. `invalid_argument` names the option.
Result<std::string> read_small_file(std::string_view option, const std::string& path,
                                    std::size_t bytes_max);
/// `feeds/mine.toml` as `mine`.
std::string toml_name_of(const std::string& path);

/// What is said of files that do not say it themselves; empty: not given.
struct FileOptions {
  std::string unit;
  std::string zone;
  std::string feed;  ///< A shipped feed, `auto`, `none`, or a file that describes one.
  std::string meter;
  std::string stamp;
  std::string dates;
  int step = 0;
  bool strict = false;
};
/// What `--feed` says. Errors: `invalid_argument`; of a file, those of its description.
Result<ingest::FeedChoice> feed_option(const std::string& text);
/// Errors: `invalid_argument` names the option.
Result<void> read_file_options(const FileOptions& given, ingest::IngestOptions& options);
/// `from` to `to`, or the one day `from` when `to` is empty.
Result<DateRange> range_options(const std::string& from, const std::string& to);

}  // namespace meterline::cli
