#include "app/open_store.h"

#include <fmt/core.h>

#include <cstdlib>
#include <optional>
#include <string_view>

#include "core/finding.h"
#include "core/try.h"
#include "store/backup/place.h"
#include "store/relay/relay_server.h"
#include "store/relay/relay_store.h"
#include "store/rocksdb/rocksdb_backup.h"
#include "store/rocksdb/rocksdb_store.h"
#ifdef METERLINE_CLOUD
#include "app/login.h"
#include "app/s3_place.h"
#include "aws/parameters.h"
#include "aws/session.h"
#include "store/cassandra/cassandra_store.h"
#include "store/cassandra/keyspaces_pricing.h"
#endif

namespace meterline::app {
namespace {

/// Loading gains nothing from a large cache.
std::size_t cache_bytes_for(cli::OpenMode mode) {
  return mode == cli::OpenMode::create ? store::rocksdb::cache_bytes_min
                                       : store::rocksdb::suitable_cache_bytes();
}

/// Where a server owns the store, what changes it is handed to that one.
store::Opening<std::unique_ptr<store::Store>> open_folder(const std::string& folder,
                                                          cli::OpenMode mode,
                                                          const std::string& owner) {
  using cli::OpenMode;
  const store::RocksdbOptions options{
      .folder = folder,
      .create = mode == OpenMode::create || mode == OpenMode::serve_create,
      .owner = owner,
      .cache_bytes = cache_bytes_for(mode)};
  if (mode == OpenMode::read) return store::read_rocksdb_store(options);
  auto opened = store::open_rocksdb_store(options);
  const bool may_hand_over = mode == OpenMode::change || mode == OpenMode::create;
  if (opened || opened.error().fault != store::OpenFault::in_use || !may_hand_over) return opened;
  auto handed =
      store::make_relay_store(folder, [options]() -> Result<std::unique_ptr<store::Store>> {
        METERLINE_TRY(auto read, store::read_rocksdb_store(options));
        return read;
      });
  if (!handed) return opened;
  return *std::move(handed);
}

/// Of `rocksdb:DIR`.
std::optional<std::string> folder_of(const std::string& url) {
  constexpr std::string_view scheme = "rocksdb:";
  if (!url.starts_with(scheme) || url.size() == scheme.size()) return std::nullopt;
  return url.substr(scheme.size());
}

tl::unexpected<Error> no_store_url(const std::string& url) {
  // What follows the scheme may contain a password.
  const auto shown = url.find('@') == std::string::npos ? url : url.substr(0, url.find(':'));
  return fail(Errc::invalid_argument,
              fmt::format("--store: want rocksdb:DIR, like rocksdb:./meterline-data, "
                          "cassandra://HOST/KEYSPACE or keyspaces://REGION/KEYSPACE, got \"{}\"",
                          excerpt_of(shown)));
}

bool is_on_a_cluster(std::string_view url) {
  return url.starts_with("cassandra:") || url.starts_with("keyspaces:");
}

/// A folder, or `s3://BUCKET/PREFIX`.
Result<std::unique_ptr<store::backup::Place>> open_place(const std::string& text) {
  if (text.find("://") == std::string::npos) return store::backup::make_folder_place(text);
#ifdef METERLINE_CLOUD
  return open_s3_place(text);
#else
  return fail(Errc::invalid_argument,
              "want a folder; this meterline was built without S3 (-DMETERLINE_CLOUD=OFF)");
#endif
}

#ifdef METERLINE_CLOUD
std::string environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

Result<std::string> parameter(const std::string& name) {
  METERLINE_TRY(const auto session, aws::open_session());
  return aws::read_parameter(*session, name);
}

Result<store::cassandra::CassandraOptions> cluster_of(const std::string& url) {
  METERLINE_TRY(const auto login, read_login(environment, parameter));
  return store::cassandra::parse_cassandra_url(url, [&](const std::string& name) {
    const auto found = login.find(name);
    return found == login.end() ? std::string() : found->second;
  });
}

Result<std::vector<std::string>> init_cluster(const std::string& url,
                                              const cli::InitOptions& options) {
  METERLINE_TRY(const auto cluster, cluster_of(url));
  store::cassandra::InitPlan plan{.copies = {.everywhere = options.replication},
                                  .expected_meters = options.expected_meters.value_or(0)};
  for (const auto& [name, replicas] : options.data_centres)
    plan.copies.by_centre.centres.push_back({.name = name, .copies = replicas});
  METERLINE_TRY(const auto made, store::cassandra::init_cassandra_store(cluster, plan));
  std::vector<std::string> lines;
  if (made.keyspace != store::cassandra::MadeKeyspace::found) {
    const bool is_new = made.keyspace == store::cassandra::MadeKeyspace::made;
    lines.push_back((is_new ? "keyspace " : "replication of keyspace ") + cluster.keyspace);
    for (const auto& [name, kept] : made.replication.centres)
      lines.back() += fmt::format(", {} copies in {}", kept, name);
  }
  for (const auto& table : made.tables) lines.push_back("table " + table);
  if (made.is_spread_anew)
    lines.push_back(fmt::format("{} buckets, for {} meters", made.buckets,
                                made.buckets * store::cassandra::meters_of_bucket));
  return lines;
}
#else
tl::unexpected<Error> without_cluster(std::string_view scheme) {
  return fail(Errc::invalid_argument,
              fmt::format("--store: this meterline was built without stores on Cassandra, ScyllaDB "
                          "and Amazon Keyspaces (-DMETERLINE_CLOUD=OFF), so it cannot open {}://; "
                          "scripts/build.sh builds one that can",
                          scheme));
}
#endif

}  // namespace

store::Opening<std::unique_ptr<store::Store>> open_store(const std::string& url, cli::OpenMode mode,
                                                         const std::string& owner) {
  if (const auto folder = folder_of(url)) return open_folder(*folder, mode, owner);
  if (is_on_a_cluster(url)) {
#ifdef METERLINE_CLOUD
    METERLINE_TRY(const auto options, cluster_of(url));
    METERLINE_TRY(auto opened, store::cassandra::open_cassandra_store(options));
    return opened;
#else
    return without_cluster(url.substr(0, url.find(':')));
#endif
  }
  return no_store_url(url);
}

Result<std::shared_ptr<const void>> share_store(const std::string& url, store::Store& store) {
  const auto folder = folder_of(url);
  if (!folder) return std::shared_ptr<const void>();
  METERLINE_TRY(auto server, store::start_relay(*folder, store));
  return std::shared_ptr<const void>(std::move(server));
}

Result<store::RepairReport> repair_store(const std::string& url, store::RepairMode mode,
                                         const std::string& owner) {
  const auto folder = folder_of(url);
  if (folder) return store::repair_rocksdb_store({.folder = *folder, .owner = owner}, mode);
  if (!is_on_a_cluster(url)) return no_store_url(url);
  return fail(Errc::invalid_argument,
              "--store: only a store in a folder (rocksdb:DIR) is repaired by this; a cluster "
              "repairs itself (`nodetool repair`)");
}

Result<std::vector<std::string>> init_store(const std::string& url, const cli::InitOptions& options,
                                            const std::string& owner) {
  if (is_on_a_cluster(url)) {
#ifdef METERLINE_CLOUD
    return init_cluster(url, options);
#else
    return without_cluster(url.substr(0, url.find(':')));
#endif
  }
  if (options.replication || !options.data_centres.empty())
    return fail(Errc::invalid_argument,
                "--replication, --data-centres: only a store on a cluster has replicas");
  if (options.expected_meters)
    return fail(Errc::invalid_argument,
                "--expected-meters: only a store on a cluster has to know it");
  std::vector<std::string> made;
  const auto there = open_store(url, cli::OpenMode::read, owner);
  if (there) return made;
  if (there.error().code != Errc::not_found) return tl::unexpected(there.error());
  METERLINE_CHECK(open_store(url, cli::OpenMode::create, owner));
  made.push_back(url);
  return made;
}

cli::Backups backups(const std::string& owner) {
  using store::backup::Place;
  const auto options_of = [owner](const std::string& url) -> Result<store::RocksdbOptions> {
    const auto folder = folder_of(url);
    if (folder) return store::RocksdbOptions{.folder = *folder, .owner = owner};
    if (!is_on_a_cluster(url)) return no_store_url(url);
    return fail(Errc::invalid_argument,
                "--store: only a store in a folder (rocksdb:DIR) is backed up by this; a cluster "
                "has its own means (Medusa, snapshots, point-in-time recovery), and `meterline "
                "export` writes an archive of any store");
  };
  return {.open_place = open_place,
          .hold_files =
              [options_of](const std::string& url) -> store::Opening<store::backup::StoreFiles> {
            METERLINE_TRY(const auto options, options_of(url));
            return store::hold_store_files(options);
          },
          .restore = [options_of](const std::string& url, Place& place,
                                  const store::backup::Backup& backup,
                                  const store::backup::Work& work) -> Result<void> {
            METERLINE_TRY(const auto options, options_of(url));
            return store::restore_rocksdb_store(options, place, backup, work);
          }};
}

Result<std::unique_ptr<store::Pricing>> open_pricing(const std::string& url) {
#ifdef METERLINE_CLOUD
  std::int64_t meters = 0;
  // Nothing is asked for there, so that a login may be missing.
  if (const auto cluster = store::cassandra::parse_cassandra_url(url, environment))
    meters = cluster->expected_meters;
  return store::cassandra::make_keyspaces_pricing(store::cassandra::buckets_for(meters));
#else
  static_cast<void>(url);
  return std::unique_ptr<store::Pricing>();
#endif
}

std::string store_kinds() {
#ifdef METERLINE_CLOUD
  return fmt::format("stores: rocksdb, cassandra, keyspaces ({})",
                     store::cassandra::cql_driver_name());
#else
  return "stores: rocksdb (built without cassandra and keyspaces: -DMETERLINE_CLOUD=OFF)";
#endif
}

}  // namespace meterline::app
