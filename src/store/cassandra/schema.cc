#include "store/cassandra/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/date.h"

namespace meterline::store::cassandra {
namespace {

// Columns of the clustering key come in the order in which days are asked for: a day of a meter,
// or a span of days, is one slice. Versions come newest first.
constexpr std::string_view tables[] = {
    ("CREATE TABLE IF NOT EXISTS {}.reading_days (meter text, year int, date date, channel text, "
     "version blob, day blob, PRIMARY KEY ((meter, year), date, channel, version)) "
     "WITH CLUSTERING ORDER BY (date ASC, channel ASC, version DESC)"),
    // A read of a register: few a year, so that one partition holds all of a meter.
    ("CREATE TABLE IF NOT EXISTS {}.register_reads (meter text, read_at bigint, register text, "
     "version blob, read blob, PRIMARY KEY ((meter), read_at, register, version)) "
     "WITH CLUSTERING ORDER BY (read_at ASC, register ASC, version DESC)"),
    ("CREATE TABLE IF NOT EXISTS {}.day_totals (period text, bucket int, version blob, "
     "first_meter text, last_meter text, totals blob, "
     "PRIMARY KEY ((period, bucket), version, first_meter, last_meter))"),
    ("CREATE TABLE IF NOT EXISTS {}.meters (bucket int, meter text, channel text, year int, "
     "PRIMARY KEY ((bucket), meter, channel, year))"),
    ("CREATE TABLE IF NOT EXISTS {}.deliveries (id blob, content bigint, part int, record blob, "
     "PRIMARY KEY ((id), content, part))"),
    ("CREATE TABLE IF NOT EXISTS {}.deliveries_by_time (month text, delivered_at bigint, id blob, "
     "PRIMARY KEY ((month), delivered_at, id)) "
     "WITH CLUSTERING ORDER BY (delivered_at DESC, id DESC)"),
    ("CREATE TABLE IF NOT EXISTS {}.deliveries_by_receipt (month text, received_at bigint, "
     "id blob, PRIMARY KEY ((month), received_at, id)) "
     "WITH CLUSTERING ORDER BY (received_at DESC, id DESC)"),
    ("CREATE TABLE IF NOT EXISTS {}.deliveries_by_source (source bigint, delivered_at bigint, "
     "id blob, PRIMARY KEY ((source), delivered_at, id)) "
     "WITH CLUSTERING ORDER BY (delivered_at DESC, id DESC)"),
    ("CREATE TABLE IF NOT EXISTS {}.delivery_events (bucket int, id blob, happened_at bigint, "
     "kind int, who text, reason text, PRIMARY KEY ((bucket), id, happened_at, kind, who))"),
    ("CREATE TABLE IF NOT EXISTS {}.catalogue (kind text, name text, PRIMARY KEY ((kind), name))"),
};
static_assert(std::size(tables) == table_names.size());

// Why they are so: docs/operate/cassandra.md, "How files are compacted and compressed".
constexpr std::string_view by_levels =
    "compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'L4'}";
constexpr std::string_view by_tiers =
    "compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4'}";
constexpr std::string_view in_small_chunks =
    "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 16}";
constexpr std::string_view in_large_chunks =
    "compression = {'class': 'ZstdCompressor', 'chunk_length_in_kb': 64}";
struct StorageOfTable {
  std::string_view compaction;
  std::string_view compression;
};
constexpr std::array<StorageOfTable, table_names.size()> storages = {{
    {by_levels, in_small_chunks},  // reading_days
    {by_levels, in_small_chunks},  // register_reads
    {by_tiers, in_large_chunks},   // day_totals
    {by_levels, in_small_chunks},  // meters
    {by_tiers, in_large_chunks},   // deliveries
    {by_tiers, in_small_chunks},   // deliveries_by_time
    {by_tiers, in_small_chunks},   // deliveries_by_receipt
    {by_tiers, in_small_chunks},   // deliveries_by_source
    {by_tiers, in_small_chunks},   // delivery_events
    {by_levels, in_small_chunks},  // catalogue
}};

/// Rows of a few dozen bytes, as a rule; of days, a year of two channels, and 20 MB at worst.
constexpr int page_rows = 5000;
constexpr int page_days = 800;
/// Of totals, 2 MB.
constexpr int page_totals = 16;

constexpr std::array<StatementText, statements_count> texts = {{
    {Statement::insert_day, "insert_day",
     "INSERT INTO {}.reading_days (meter, year, date, channel, version, day) "
     "VALUES (?, ?, ?, ?, ?, ?)",
     0},
    {Statement::select_days, "select_days",
     "SELECT date, channel, version, day FROM {}.reading_days "
     "WHERE meter = ? AND year = ? AND date >= ? AND date <= ?",
     page_days},
    // The channels of a meter begin together and end together, as a rule: a few rows tell.
    {Statement::select_first_days, "select_first_days",
     "SELECT date, channel, version FROM {}.reading_days WHERE meter = ? AND year = ? LIMIT 10",
     page_rows},
    {Statement::select_first_days_all, "select_first_days_all",
     "SELECT date, channel, version FROM {}.reading_days WHERE meter = ? AND year = ?", 200},
    {Statement::select_last_days, "select_last_days",
     "SELECT date, channel, version, day FROM {}.reading_days WHERE meter = ? AND year = ? "
     "ORDER BY date DESC, channel DESC, version ASC LIMIT 10",
     page_rows},
    {Statement::select_last_days_all, "select_last_days_all",
     "SELECT date, channel, version, day FROM {}.reading_days WHERE meter = ? AND year = ? "
     "ORDER BY date DESC, channel DESC, version ASC",
     200},
    {Statement::insert_read, "insert_read",
     "INSERT INTO {}.register_reads (meter, read_at, register, version, read) "
     "VALUES (?, ?, ?, ?, ?)",
     0},
    {Statement::select_reads, "select_reads",
     "SELECT read_at, register, version, read FROM {}.register_reads "
     "WHERE meter = ? AND read_at >= ? AND read_at <= ?",
     1000},
    {Statement::insert_totals, "insert_totals",
     "INSERT INTO {}.day_totals (period, bucket, version, first_meter, last_meter, totals) "
     "VALUES (?, ?, ?, ?, ?, ?)",
     0},
    {Statement::select_totals, "select_totals",
     "SELECT version, first_meter, last_meter, totals FROM {}.day_totals WHERE period = ? AND "
     "bucket = ?",
     page_totals},
    {Statement::insert_meter, "insert_meter",
     "INSERT INTO {}.meters (bucket, meter, channel, year) VALUES (?, ?, ?, ?)", 0},
    {Statement::select_meter, "select_meter",
     "SELECT channel, year FROM {}.meters WHERE bucket = ? AND meter = ?", page_rows},
    {Statement::select_meters, "select_meters",
     "SELECT meter, channel, year FROM {}.meters WHERE bucket = ? AND meter >= ? AND meter <= ?",
     1000},
    {Statement::insert_delivery, "insert_delivery",
     "INSERT INTO {}.deliveries (id, content, part, record) VALUES (?, ?, ?, ?)", 0},
    {Statement::select_delivery, "select_delivery",
     "SELECT record FROM {}.deliveries WHERE id = ? AND content = ?", 1},
    {Statement::insert_delivery_by_time, "insert_delivery_by_time",
     "INSERT INTO {}.deliveries_by_time (month, delivered_at, id) VALUES (?, ?, ?)", 0},
    {Statement::select_deliveries_by_time, "select_deliveries_by_time",
     "SELECT delivered_at, id FROM {}.deliveries_by_time WHERE month = ? AND delivered_at <= ? "
     "ORDER BY delivered_at DESC, id DESC",
     200},
    {Statement::insert_delivery_by_receipt, "insert_delivery_by_receipt",
     "INSERT INTO {}.deliveries_by_receipt (month, received_at, id) VALUES (?, ?, ?)", 0},
    {Statement::select_deliveries_by_receipt, "select_deliveries_by_receipt",
     "SELECT received_at, id FROM {}.deliveries_by_receipt WHERE month = ? AND received_at <= ? "
     "ORDER BY received_at DESC, id DESC",
     200},
    {Statement::insert_delivery_by_source, "insert_delivery_by_source",
     "INSERT INTO {}.deliveries_by_source (source, delivered_at, id) VALUES (?, ?, ?)", 0},
    {Statement::select_deliveries_by_source, "select_deliveries_by_source",
     "SELECT delivered_at, id FROM {}.deliveries_by_source "
     "WHERE source = ? AND delivered_at <= ? ORDER BY delivered_at DESC, id DESC",
     200},
    {Statement::insert_event, "insert_event",
     "INSERT INTO {}.delivery_events (bucket, id, happened_at, kind, who, reason) "
     "VALUES (?, ?, ?, ?, ?, ?)",
     0},
    {Statement::select_events, "select_events",
     "SELECT id, happened_at, kind, who, reason FROM {}.delivery_events WHERE bucket = ?",
     page_rows},
    {Statement::select_events_of, "select_events_of",
     "SELECT id, happened_at, kind, who, reason FROM {}.delivery_events "
     "WHERE bucket = ? AND id = ?",
     page_rows},
    {Statement::insert_name, "insert_name", "INSERT INTO {}.catalogue (kind, name) VALUES (?, ?)",
     0},
    {Statement::select_names, "select_names",
     "SELECT name FROM {}.catalogue WHERE kind = ? AND name >= ? AND name <= ?", page_rows},
}};

/// Of a span, Keyspaces removes up to 1,000 rows at once (Developer Guide, "Functional
/// differences", range delete): years and parts of totals are removed as such on Cassandra only.
constexpr std::array<StatementText, amend_statements_count> amend_texts = {{
    {Statement::select_totals_of, "select_totals_of",
     "SELECT first_meter, last_meter FROM {}.day_totals "
     "WHERE period = ? AND bucket = ? AND version = ?",
     page_rows},
    {Statement::select_totals_keys, "select_totals_keys",
     "SELECT version, first_meter, last_meter FROM {}.day_totals WHERE period = ? AND bucket = ?",
     page_rows},
    {Statement::select_totals_row, "select_totals_row",
     "SELECT totals FROM {}.day_totals WHERE period = ? AND bucket = ? AND version = ? "
     "AND first_meter = ? AND last_meter = ?",
     1},
    {Statement::delete_day, "delete_day",
     "DELETE FROM {}.reading_days WHERE meter = ? AND year = ? AND date = ? AND channel = ? "
     "AND version = ?",
     0},
    {Statement::delete_days_before, "delete_days_before",
     "DELETE FROM {}.reading_days WHERE meter = ? AND year = ? AND date < ?", 0},
    {Statement::delete_year, "delete_year",
     "DELETE FROM {}.reading_days WHERE meter = ? AND year = ?", 0},
    {Statement::delete_read, "delete_read",
     "DELETE FROM {}.register_reads WHERE meter = ? AND read_at = ? AND register = ? "
     "AND version = ?",
     0},
    {Statement::delete_totals, "delete_totals",
     "DELETE FROM {}.day_totals WHERE period = ? AND bucket = ? AND version = ? "
     "AND first_meter = ? AND last_meter = ?",
     0},
    {Statement::delete_totals_part, "delete_totals_part",
     "DELETE FROM {}.day_totals WHERE period = ? AND bucket = ?", 0},
    {Statement::delete_meter_year, "delete_meter_year",
     "DELETE FROM {}.meters WHERE bucket = ? AND meter = ? AND channel = ? AND year = ?", 0},
    {Statement::delete_meter, "delete_meter",
     "DELETE FROM {}.meters WHERE bucket = ? AND meter = ?", 0},
    {Statement::delete_record_parts, "delete_record_parts",
     "DELETE FROM {}.deliveries WHERE id = ? AND content = ?", 0},
    {Statement::delete_delivery_by_source, "delete_delivery_by_source",
     "DELETE FROM {}.deliveries_by_source WHERE source = ? AND delivered_at = ? AND id = ?", 0},
    {Statement::delete_name, "delete_name", "DELETE FROM {}.catalogue WHERE kind = ? AND name = ?",
     0},
    {Statement::delete_names, "delete_names", "DELETE FROM {}.catalogue WHERE kind = ?", 0},
    {Statement::delete_names_to, "delete_names_to",
     "DELETE FROM {}.catalogue WHERE kind = ? AND name <= ?", 0},
}};

constexpr std::uint64_t fnv_start = 0xcbf29ce484222325;

/// FNV-1a, 64 bits. It decides where rows lie, so it never changes.
std::uint64_t fnv(std::string_view bytes, std::uint64_t hash = fnv_start) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

std::int32_t bucket_of_hash(std::uint64_t hash, int buckets) {
  return static_cast<std::int32_t>((hash ^ hash >> 32) % static_cast<std::uint64_t>(buckets));
}

void append_big_endian(std::uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes.substr(0, 8)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
constexpr std::int64_t received_offset = std::int64_t{1} << 62;

std::string by_data_centre(const Replication& replication) {
  std::string centres;
  for (const auto& [name, copies] : replication.centres) {
    std::string quoted;
    for (const char c : name) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    centres += fmt::format(", '{}': {}", quoted, copies);
  }
  return fmt::format("{{'class': 'NetworkTopologyStrategy'{}}}", centres);
}

}  // namespace

bool is_keyspace_name(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= 48 && is_lower(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::string create_keyspace(std::string_view keyspace, const Replication& replication,
                            Dialect dialect) {
  if (dialect == Dialect::keyspaces)
    return fmt::format(
        "CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {{'class': 'SingleRegionStrategy'}}",
        keyspace);
  return fmt::format("CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {}", keyspace,
                     by_data_centre(replication));
}

std::string alter_keyspace(std::string_view keyspace, const Replication& replication) {
  return fmt::format("ALTER KEYSPACE {} WITH replication = {}", keyspace,
                     by_data_centre(replication));
}

Storage storage_of_release(std::string_view release) {
  int major = 0;
  std::from_chars(release.data(), release.data() + release.size(), major);
  return major >= 5 ? Storage::of_cassandra_5 : Storage::of_cluster;
}

std::vector<std::string> create_tables(std::string_view keyspace, Storage storage) {
  std::vector<std::string> statements;
  statements.reserve(std::size(tables));
  for (std::size_t i = 0; i < std::size(tables); ++i) {
    std::string cql = fmt::format(fmt::runtime(tables[i]), keyspace);
    if (storage == Storage::of_cassandra_5)
      cql += fmt::format(" {} {} AND {}", cql.find(" WITH ") == std::string::npos ? "WITH" : "AND",
                         storages[i].compaction, storages[i].compression);
    statements.push_back(std::move(cql));
  }
  return statements;
}

std::span<const StatementText, statements_count> statements() { return texts; }

std::span<const StatementText, amend_statements_count> amend_statements() { return amend_texts; }

int buckets_for(std::int64_t meters) {
  const std::int64_t wanted = (meters + meters_of_bucket - 1) / meters_of_bucket;
  return static_cast<int>(std::clamp<std::int64_t>(wanted, buckets_min, buckets_max));
}

std::int32_t bucket_of(const MeterId& meter, int buckets) {
  return bucket_of_hash(fnv(meter.text()), buckets);
}

std::int32_t totals_bucket_of(std::string_view delivery_id, std::string_view first_meter,
                              int buckets) {
  return bucket_of_hash(fnv(first_meter, fnv(delivery_id)), buckets);
}

std::string days_kind(std::string_view month) { return fmt::format("days {}", month); }
std::string days_kind(std::string_view month, int bucket) {
  return fmt::format("days {}/{:02}", month, bucket);
}

std::int64_t source_key(std::string_view source) { return static_cast<std::int64_t>(fnv(source)); }

void append_version_key(const Version& version, const DeliveryId& delivery, std::string& out) {
  append_big_endian(static_cast<std::uint64_t>(version.stated.micros) ^ sign_bit, out);
  const auto received = std::clamp(version.received.micros, -received_offset, received_offset - 1);
  const auto offset = static_cast<std::uint64_t>(received + received_offset);
  append_big_endian(offset | (version.origin == Origin::source ? sign_bit : 0), out);
  append_big_endian(version.tie, out);
  for (const auto byte : delivery.bytes) out += static_cast<char>(byte);
}

VersionKey parse_version_key(std::string_view bytes) {
  VersionKey key;
  key.version.stated.micros = static_cast<std::int64_t>(big_endian(bytes) ^ sign_bit);
  const auto word = big_endian(bytes.substr(8));
  key.version.origin = (word & sign_bit) != 0 ? Origin::source : Origin::estimate;
  key.version.received.micros = static_cast<std::int64_t>(word & ~sign_bit) - received_offset;
  key.version.tie = big_endian(bytes.substr(16));
  const auto id = bytes.substr(24, key.delivery.bytes.size());
  std::transform(id.begin(), id.end(), key.delivery.bytes.begin(),
                 [](char byte) { return static_cast<std::uint8_t>(byte); });
  return key;
}

std::string month_of(Instant at) {
  constexpr std::int64_t day_micros = std::int64_t{86'400} * 1'000'000;
  std::int64_t days = at.micros / day_micros;
  if (at.micros % day_micros < 0) --days;
  days = std::clamp<std::int64_t>(days, Date::min().days(), Date::max().days());
  return Date::from_days(days)->text().substr(0, 7);
}

}  // namespace meterline::store::cassandra
