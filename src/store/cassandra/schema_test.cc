#include "store/cassandra/schema.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "core/reading_day.h"
#include "core/register_read.h"
#include "store/cassandra/registry.h"
#include "store/cassandra/totals_row.h"
#include "store/packed_day.h"

namespace meterline::store::cassandra {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

// Amazon Keyspaces, "Quotas" and "Supported Cassandra APIs" of its developer guide.
constexpr std::size_t row_bytes_of_keyspaces = 1 << 20;
constexpr std::size_t partition_key_bytes_of_keyspaces = 2048;
constexpr std::size_t clustering_bytes_of_keyspaces = 850;
constexpr std::size_t batch_rows_of_keyspaces = 30;

std::vector<std::string> every_statement() {
  auto all = create_tables("ks");
  for (const auto& text : statements()) all.push_back(fmt::format(fmt::runtime(text.cql), "ks"));
  for (const auto text : {select_replication, select_tables, select_centres,
                          select_centres_of_peers, select_table_states, select_ready_keyspace})
    all.push_back(fmt::format(fmt::runtime(text), "ks"));
  all.push_back(create_keyspace("ks", {}, Dialect::keyspaces));
  return all;
}

TEST(Schema, UsesNothingThatKeyspacesLacks) {
  for (const auto& cql : every_statement()) {
    for (const std::string banned : {"ALLOW FILTERING",
                                     "USING ",
                                     "BATCH",
                                     "COUNT(",
                                     "SUM(",
                                     "MIN(",
                                     "MAX(",
                                     "AVG(",
                                     "GROUP BY",
                                     "DISTINCT",
                                     "PER PARTITION",
                                     "INDEX",
                                     "VIEW",
                                     "counter",
                                     "static",
                                     " IN ",
                                     "TRUNCATE",
                                     "DELETE",
                                     "UPDATE",
                                     "TOKEN(",
                                     "JSON",
                                     "duration",
                                     "frozen"})
      EXPECT_THAT(cql, Not(HasSubstr(banned)));
    if (!cql.starts_with("CREATE")) {
      EXPECT_THAT(cql, Not(HasSubstr(" IF "))) << cql;
    }
  }
}

/// Rows, years, and the rows of one key: Keyspaces takes spans of one partition.
TEST(Schema, OnlyAmendmentsRemoveAndOnlyOfOnePartition) {
  for (const auto& text : amend_statements()) {
    const std::string cql(text.cql);
    const bool removes = cql.starts_with("DELETE FROM {}.");
    EXPECT_TRUE(removes || cql.starts_with("SELECT ") || cql.starts_with("INSERT ")) << cql;
    EXPECT_EQ(removes, text.page_rows == 0) << cql;
    for (const std::string banned : {"USING ", " IF ", " IN ", "ALLOW", "TOKEN("})
      EXPECT_THAT(cql, Not(HasSubstr(banned)));
  }
}

TEST(Schema, NumbersItsStatementsInOrder) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < amend_statements_count; ++i)
    EXPECT_EQ(static_cast<std::size_t>(amend_statements()[i].statement), statements_count + i);
  for (std::size_t i = 0; i < statements_count; ++i) {
    EXPECT_EQ(static_cast<std::size_t>(statements()[i].statement), i);
    names.insert(statements()[i].name);
  }
  EXPECT_EQ(names.size(), statements_count);
}

// ScyllaDB: "Limits" of its manual, `batch_size_warn_threshold_in_kb` of its scylla.yaml, and "Data
// distribution with tablets". It is held to what is written there, not run.
constexpr std::size_t batch_warning_of_scylladb = 128 << 10;
constexpr std::size_t batch_rows_of_scylladb = 65'535;
constexpr std::size_t key_bytes_of_scylladb = 65'533;
constexpr std::size_t good_row_bytes_of_scylladb = 1 << 20;
constexpr std::size_t name_chars_of_scylladb = 48;

TEST(Schema, KeepsWithinTheLimitsOfScylladb) {
  EXPECT_LE(batch_rows_max(Dialect::cassandra), batch_rows_of_scylladb);
  // A batch is full before its last row is added; of those that go in batches a day is the largest.
  constexpr std::size_t largest_day = row_bytes_of_keyspaces / 16;
  EXPECT_LE(batch_bytes_max + largest_day, batch_warning_of_scylladb);
  EXPECT_LT(totals_bytes_max + meter_totals_bytes_max, good_row_bytes_of_scylladb);
  EXPECT_LT(delivery_part_bytes, good_row_bytes_of_scylladb);
  EXPECT_LE(meter_id_chars_max + 4, key_bytes_of_scylladb);
  for (const auto name : table_names) EXPECT_LE(name.size(), name_chars_of_scylladb);
  EXPECT_FALSE(is_keyspace_name(std::string(name_chars_of_scylladb + 1, 'k')));
}

/// With tablets there are no counters, views or indexes, and the strategy is by data centre.
TEST(Schema, UsesNothingThatScylladbLacksWithTablets) {
  EXPECT_EQ(storage_of_release("3.0.8"), Storage::of_cluster) << "as ScyllaDB says of itself";
  for (const auto& cql : create_tables("ks", storage_of_release("3.0.8"))) {
    for (const std::string lacking :
         {"counter", "VIEW", "INDEX", "cdc", "UnifiedCompaction", "compression", "static"})
      EXPECT_THAT(cql, Not(HasSubstr(lacking)));
  }
  const Replication replication{.centres = {{.name = "dc1", .copies = 3}}};
  for (const auto& cql :
       {create_keyspace("ks", replication, Dialect::cassandra), alter_keyspace("ks", replication)})
    EXPECT_THAT(cql, HasSubstr("NetworkTopologyStrategy"));
}

/// Cassandra 5 is told how to keep the files of each table.
TEST(Schema, SaysForEveryTableHowItsFilesAreKept) {
  EXPECT_EQ(storage_of_release("5.0.9"), Storage::of_cassandra_5);
  EXPECT_EQ(storage_of_release("4.1.3"), Storage::of_cluster);
  EXPECT_EQ(storage_of_release(""), Storage::of_cluster);
  const auto plain = create_tables("ks");
  const auto stated = create_tables("ks", Storage::of_cassandra_5);
  ASSERT_EQ(plain.size(), stated.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_TRUE(stated[i].starts_with(plain[i])) << stated[i];
    EXPECT_THAT(stated[i], HasSubstr("compaction = {'class': 'UnifiedCompactionStrategy'"));
    EXPECT_THAT(stated[i], HasSubstr(" AND compression = {'class': '"));
    EXPECT_EQ(stated[i].find(" WITH "), stated[i].rfind(" WITH "));
  }
}

/// The columns of a table between two marks of its definition.
std::vector<std::string> columns_between(const std::string& table, const std::string& begin,
                                         const std::string& end) {
  const auto from = table.find(begin) + begin.size();
  std::string text = table.substr(from, table.find(end, from) - from) + ", ";
  std::vector<std::string> columns;
  for (std::size_t comma = text.find(", "); comma != std::string::npos; comma = text.find(", ")) {
    if (comma > 0) columns.push_back(text.substr(0, comma));
    text.erase(0, comma + 2);
  }
  return columns;
}

/// A read that names a whole partition is served by the nodes that have it, by no scan.
TEST(Schema, EveryReadAndRemovalNamesOnePartition) {
  std::vector<StatementText> all(statements().begin(), statements().end());
  all.insert(all.end(), amend_statements().begin(), amend_statements().end());
  for (const auto& text : all) {
    const std::string cql(text.cql);
    if (!cql.starts_with("SELECT") && !cql.starts_with("DELETE")) continue;
    bool found = false;
    for (const auto& table : create_tables("{}")) {
      const std::string name = columns_between(table, "EXISTS ", " (")[0];
      if (cql.find("FROM " + name + " ") == std::string::npos) continue;
      found = true;
      for (const auto& column : columns_between(table, "PRIMARY KEY ((", ")"))
        EXPECT_THAT(cql, HasSubstr(column + " = ?")) << "partition key of " << name;
    }
    EXPECT_TRUE(found) << cql;
  }
}

TEST(Schema, KeepsWithinTheSizesOfKeyspaces) {
  EXPECT_LE(batch_rows_max(Dialect::keyspaces), batch_rows_of_keyspaces);
  const std::size_t channel = channel_name_chars_max + std::string("/consumption/kvarh").size();
  EXPECT_LE(meter_id_chars_max + 4, partition_key_bytes_of_keyspaces);
  EXPECT_LE(4 + channel + version_key_bytes, clustering_bytes_of_keyspaces);  // reading_days
  EXPECT_LE(version_key_bytes + 2 * meter_id_chars_max, clustering_bytes_of_keyspaces);  // totals
  EXPECT_LE(meter_id_chars_max + channel + 4, clustering_bytes_of_keyspaces);            // meters
  EXPECT_LE(8 + channel + 2 + 2 * register_word_bytes_max + version_key_bytes,
            clustering_bytes_of_keyspaces);  // register_reads
  EXPECT_LE(delivery_part_bytes + 1024, row_bytes_of_keyspaces);
  // A row of totals is below its limit before the last meter is added to it.
  EXPECT_LE(totals_bytes_max + meter_totals_bytes_max + 1024, row_bytes_of_keyspaces);
}

/// The largest day: 25 hours of minutes, readings of 18 digits that nothing repeats.
TEST(Schema, TheLargestDayIsFarBelowTheLargestRow) {
  ReadingDay day{.interval = *IntervalLength::from_minutes(1), .exponent = -18};
  std::uint64_t state = 1;
  for (int i = 0; i < slots_max; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    day.mantissas.push_back(static_cast<std::int64_t>(state % 1'000'000'000'000'000'000) *
                            (state >> 63 != 0 ? 1 : -1));
    day.qualities.push_back(static_cast<Quality>(state >> 40 & 3));
    if (day.qualities.back() == Quality::missing) day.mantissas.back() = 0;
  }
  std::string packed;
  pack_day(day, packed);
  EXPECT_LT(packed.size(), row_bytes_of_keyspaces / 16);
}

TEST(Schema, TakesKeyspaceNames) {
  for (const auto& name : {"a"s, "meterline"s, "m_2"s, std::string(48, 'k')})
    EXPECT_TRUE(is_keyspace_name(name)) << name;
  for (const auto& name :
       {""s, "2a"s, "_a"s, "A"s, "a-b"s, "a;drop"s, "a.b"s, std::string(49, 'k')})
    EXPECT_FALSE(is_keyspace_name(name)) << name;
}

TEST(Schema, WritesAKeyspace) {
  EXPECT_EQ(create_keyspace("ks", {.centres = {{.name = "dc1", .copies = 3}, {"o'k", 1}}},
                            Dialect::cassandra),
            "CREATE KEYSPACE IF NOT EXISTS ks WITH replication = {'class': "
            "'NetworkTopologyStrategy', 'dc1': 3, 'o''k': 1}");
  EXPECT_EQ(create_keyspace("ks", {}, Dialect::keyspaces),
            "CREATE KEYSPACE IF NOT EXISTS ks WITH replication = {'class': "
            "'SingleRegionStrategy'}");
}

TEST(Schema, FilesDeliveriesByMonth) {
  constexpr std::int64_t second = 1'000'000;
  EXPECT_EQ(month_of({.micros = 0}), "1970-01");
  EXPECT_EQ(month_of({.micros = -1}), "1969-12");
  EXPECT_EQ(month_of({.micros = 1'548'979'199 * second + 999'999}), "2019-01");
  EXPECT_EQ(month_of({.micros = 1'548'979'200 * second}), "2019-02");
  EXPECT_EQ(month_of(Instant::end_of_time()), "2199-12");
  EXPECT_EQ(month_of({.micros = std::numeric_limits<std::int64_t>::min()}), "1900-01");
}

/// Where rows lie never changes: a store would lose them.
TEST(Schema, BucketsStayAsTheyAre) {
  EXPECT_EQ(bucket_of(*MeterId::parse("EE00027"), 16), 10);
  EXPECT_EQ(bucket_of(*MeterId::parse("EE00027"), 160), 154);
  EXPECT_EQ(source_key("/data/2019-01.csv"), 7127638196396737827);
  EXPECT_EQ(totals_bucket_of(std::string(32, 'v'), "EE00027", 16), 12);
  EXPECT_EQ(days_kind("2019-01"), "days 2019-01");
  EXPECT_EQ(days_kind("2019-01", 7), "days 2019-01/07");
}

RC_GTEST_PROP(Schema, VersionKeysOrderAsVersionsDo, ()) {
  const auto any = [] {
    VersionKey key;
    key.version.stated.micros = *rc::gen::element<std::int64_t>(-5, -1, 0, 1, 7, 1'600'000'000);
    key.version.origin = *rc::gen::element(Origin::estimate, Origin::source);
    key.version.received.micros = *rc::gen::element<std::int64_t>(-5, 0, 1, 1'600'000'000);
    key.version.tie = *rc::gen::element<std::uint64_t>(0, 1, 0xff00000000000000);
    key.delivery.bytes[*rc::gen::inRange<std::size_t>(0, 16)] = *rc::gen::arbitrary<std::uint8_t>();
    return key;
  };
  const VersionKey a = any();
  const VersionKey b = any();
  std::string a_bytes;
  std::string b_bytes;
  append_version_key(a.version, a.delivery, a_bytes);
  append_version_key(b.version, b.delivery, b_bytes);
  RC_ASSERT(a_bytes.size() == version_key_bytes);
  RC_ASSERT((a_bytes < b_bytes) ==
            (std::tie(a.version, a.delivery) < std::tie(b.version, b.delivery)));
  const auto read = parse_version_key(a_bytes);
  RC_ASSERT(read.version == a.version);
  RC_ASSERT(read.delivery == a.delivery);
}

TEST(Schema, NamesChannelsAndReadsThemBack) {
  for (const auto& channel :
       {Channel{}, Channel{.name = "E1", .flow = Flow::generation, .unit = Unit::MVAh},
        Channel{.name = std::string(channel_name_chars_max, 'x'),
        .flow = Flow::reactive,
        .unit = Unit::varh}})
    EXPECT_EQ(parse_channel(channel_text(channel)), channel);
  for (const std::string text : {"", "E1", "E1/consumption", "/consumption/kWh", "E1//kWh",
                                 "E1/used/kWh", "E1/consumption/litre"})
    EXPECT_FALSE(parse_channel(text)) << text;
}

}  // namespace
}  // namespace meterline::store::cassandra
