#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/delivery.h"
#include "core/instant.h"
#include "core/meter_id.h"

namespace meterline::store::cassandra {

// The tables, every statement that is ever sent, and the limits that rows keep. All of it holds
// within what Amazon Keyspaces supports: no lightweight transactions, no client timestamps, no
// filtering, indexes, aggregates or logged batches. docs/operate/cassandra.md has the tables in
// words, and how large partitions become.

/// Stands in the catalogue; a store of another number is not read. It grows with every change of
/// tables or of what their values hold: 3 has versions with two times; 4 has its number of buckets
/// in the catalogue, and is else as 3, of which stores are read and written as they are.
inline constexpr int schema_version = 4;
inline constexpr int schema_version_first = 3;

enum class Dialect { cassandra, keyspaces };

/// `name` is a keyspace that may be used: 1-48 of `a-z 0-9 _`, the first a letter.
bool is_keyspace_name(std::string_view name);

/// Copies of every row, by data centre. On Keyspaces there is no choice.
struct Replication {
  struct Centre {
    std::string name;
    int copies = 3;
    bool operator==(const Centre&) const = default;
  };
  std::vector<Centre> centres;
};

std::string create_keyspace(std::string_view keyspace, const Replication& replication,
                            Dialect dialect);
/// On Cassandra.
std::string alter_keyspace(std::string_view keyspace, const Replication& replication);
/// What a table says of how its files are compacted and compressed, where the cluster knows those
/// ways: Apache Cassandra 5 and later. Elsewhere it is the cluster's own choice.
enum class Storage : std::uint8_t { of_cluster, of_cassandra_5 };
/// By the `release_version` of a node. ScyllaDB says that it is Cassandra 3.
Storage storage_of_release(std::string_view release);
/// One statement for each table.
std::vector<std::string> create_tables(std::string_view keyspace,
                                       Storage storage = Storage::of_cluster);
inline constexpr std::array<std::string_view, 10> table_names = {"reading_days",
                                                                 "register_reads",
                                                                 "day_totals",
                                                                 "meters",
                                                                 "deliveries",
                                                                 "deliveries_by_time",
                                                                 "deliveries_by_receipt",
                                                                 "deliveries_by_source",
                                                                 "delivery_events",
                                                                 "catalogue"};

/// What is prepared. Markers and selected columns stand in the order of the text.
enum class Statement : std::uint8_t {
  insert_day,
  select_days,
  select_first_days,
  select_first_days_all,
  select_last_days,
  select_last_days_all,
  insert_read,
  select_reads,
  insert_totals,
  select_totals,
  insert_meter,
  select_meter,
  select_meters,
  insert_delivery,
  select_delivery,
  insert_delivery_by_time,
  select_deliveries_by_time,
  insert_delivery_by_receipt,
  select_deliveries_by_receipt,
  insert_delivery_by_source,
  select_deliveries_by_source,
  insert_event,
  select_events,
  select_events_of,
  insert_name,
  select_names,
  // Of amendments.
  select_totals_of,
  select_totals_keys,
  select_totals_row,
  delete_day,
  delete_days_before,
  delete_year,
  delete_read,
  delete_totals,
  delete_totals_part,
  delete_meter_year,
  delete_meter,
  delete_record_parts,
  delete_delivery_by_source,
  delete_name,
  delete_names,
  delete_names_to,
};
inline constexpr std::size_t statements_count = 26;
inline constexpr std::size_t amend_statements_count = 16;

struct StatementText {
  Statement statement;
  std::string_view name;  ///< In metrics.
  std::string_view cql;   ///< `{}` stands for the keyspace.
  /// Of the first page of a read, those behind it come to about a MB; 0: it writes.
  int page_rows;
};
std::span<const StatementText, statements_count> statements();
/// Those that only amendments need, the only ones that remove anything: prepared with the first.
std::span<const StatementText, amend_statements_count> amend_statements();

/// Questions to a cluster about itself, without values; `{}` stands for the keyspace.
inline constexpr std::string_view select_replication =
    "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = '{}'";
/// On Keyspaces a keyspace is shown here once tables can be made in it. Source: Amazon Keyspaces
/// Developer Guide, "Check keyspace creation status in Amazon Keyspaces".
inline constexpr std::string_view select_ready_keyspace =
    "SELECT keyspace_name FROM system_schema_mcs.keyspaces WHERE keyspace_name = '{}'";
inline constexpr std::string_view select_tables =
    "SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{}'";
inline constexpr std::string_view select_release = "SELECT release_version FROM system.local";
inline constexpr std::string_view select_centres = "SELECT data_center FROM system.local";
inline constexpr std::string_view select_centres_of_peers = "SELECT data_center FROM system.peers";
/// On Keyspaces a table can be used once its status is ACTIVE.
inline constexpr std::string_view select_table_states =
    "SELECT table_name, status FROM system_schema_mcs.tables WHERE keyspace_name = '{}'";
/// Of one node; its own share of the data.
inline constexpr std::string_view select_disk_usage =
    "SELECT keyspace_name, table_name, mebibytes FROM system_views.disk_usage";
inline constexpr std::string_view select_max_partitions =
    "SELECT keyspace_name, table_name, mebibytes FROM system_views.max_partition_size";
inline constexpr std::string_view select_size_estimates =
    "SELECT table_name, partitions_count, mean_partition_size FROM system.size_estimates "
    "WHERE keyspace_name = '{}'";

/// A batch holds rows of one partition only. Keyspaces takes at most 30; of Cassandra's work on
/// one, and of ours, half is for the batch, not for its rows.
constexpr std::size_t batch_rows_max(Dialect dialect) {
  return dialect == Dialect::keyspaces ? 30 : 200;
}
inline constexpr std::size_t batch_bytes_max = 64 << 10;
/// A row of totals or a part of a report is cut before it grows beyond; Keyspaces takes 1 MB.
inline constexpr std::size_t totals_bytes_max = 128 << 10;
inline constexpr std::size_t delivery_part_bytes = 512 << 10;
/// Of the totals of one meter in one period and delivery, which cannot be cut.
inline constexpr std::size_t meter_totals_bytes_max = 384 << 10;

/// How a store spreads its meters, for good.
struct Layout {
  /// Meters are spread over so many partitions of `meters`, and totals of a period over as many.
  int buckets = 16;
  /// Whether names of days_kind() are spread as well: not in a store of schema 3.
  bool spreads_names = true;
  bool operator==(const Layout&) const = default;
};
/// Of every store of schema 3.
inline constexpr Layout layout_of_schema_3 = {.buckets = 16, .spreads_names = false};
inline constexpr int buckets_min = 16;
inline constexpr int buckets_max = 4096;
/// A bucket is for so many meters, with two channels and ten years: its partition of `meters` then
/// takes 89 MB, and that of a day's totals, restated 30 times, less than half of it.
inline constexpr std::int64_t meters_of_bucket = 62'500;
inline constexpr std::int64_t expected_meters_max = meters_of_bucket * buckets_max;
/// How many buckets a store has that expects so many meters, 0 to expected_meters_max.
int buckets_for(std::int64_t meters);

std::int32_t bucket_of(const MeterId& meter, int buckets);
/// The same rows of totals always go to the same bucket.
std::int32_t totals_bucket_of(std::string_view delivery_id, std::string_view first_meter,
                              int buckets);
std::int64_t source_key(std::string_view source);

/// Ordered as versions are and then by delivery, so that the newest comes first in descending
/// order: stated (8 bytes, big-endian, offset by 2^63), origin (the highest bit) and received (the
/// other 63, offset by 2^62), tie (8), delivery id (16).
inline constexpr std::size_t version_key_bytes = 40;
void append_version_key(const Version& version, const DeliveryId& delivery, std::string& out);
struct VersionKey {
  Version version;
  DeliveryId delivery;
};
/// Of exactly version_key_bytes.
VersionKey parse_version_key(std::string_view bytes);

/// Kinds of names in the catalogue.
inline constexpr std::string_view schema_kind = "schema";
inline constexpr std::string_view totals_kind = "totals";
inline constexpr std::string_view months_kind = "deliveries";
/// How many buckets there are: one name, noted before the schema is.
inline constexpr std::string_view buckets_kind = "buckets";
/// The store's default unit. Should several have been remembered in one moment, the first by name
/// counts: which one is the earlier nobody can tell, and all programs see the same names.
inline constexpr std::string_view unit_kind = "unit";
/// Marks of erased meters: StoreSettings::erased.
inline constexpr std::string_view erased_kind = "erased";
/// When something was taken out of the store, in 20 digits of microseconds; the last one counts.
inline constexpr std::string_view amended_kind = "amended";

/// A period's name among those of totals_kind that says: some meters of the month have days that
/// no row of totals tells of. Those meters are names of the kind days_kind(month) in a store of
/// schema 3; else of days_kind(month, bucket), by their bucket_of().
inline constexpr std::string_view by_days = "days";
std::string days_kind(std::string_view month);
std::string days_kind(std::string_view month, int bucket);

/// `2019-01`: the month that a delivery is listed under; that of 1900-01 or 2199-12 beyond.
std::string month_of(Instant at);

}  // namespace meterline::store::cassandra
