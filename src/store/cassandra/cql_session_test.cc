#include "store/cassandra/cql_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "store/cassandra/cql_cells.h"

namespace meterline::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// One row read back: key, number, text.
struct Seen {
  std::size_t key;
  std::int32_t number;
  std::string text;
  bool operator==(const Seen&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << seen.key << "/" << seen.number << "/" << seen.text;
  }
};

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The first node, with the login and the CA that the environment names, if any.
CqlOptions node_of_the_test() {
  const auto nodes = from_environment("METERLINE_TEST_CASSANDRA");
  EXPECT_NE(nodes, "") << "METERLINE_TEST_CASSANDRA names no node";
  const auto ca_file = from_environment("METERLINE_TEST_CASSANDRA_CA");
  return {.nodes = {nodes.substr(0, nodes.find(','))},
          .user = from_environment("METERLINE_TEST_CASSANDRA_USER"),
          .password = from_environment("METERLINE_TEST_CASSANDRA_PASSWORD"),
          .tls = {.on = !ca_file.empty(), .ca_file = ca_file}};
}

std::string key_cells(std::int64_t key) {
  CqlCells cells;
  cells.bigint(key);
  return std::string(cells.bytes());
}

std::string row_cells(std::int64_t key, std::int32_t number, std::string_view text) {
  CqlCells cells;
  cells.bigint(key);
  cells.integer(number);
  cells.text(text);
  return std::string(cells.bytes());
}

class CqlSessionTest : public ::testing::Test {
 protected:
  static constexpr int page_rows = 10;

  void SetUp() override {
    auto connected = connect_cql(node_of_the_test());
    ASSERT_TRUE(connected) << connected.error().message;
    session_ = *std::move(connected);
    must(session_->execute("DROP KEYSPACE IF EXISTS cql_session_test"));
    must(
        session_->execute("CREATE KEYSPACE cql_session_test WITH replication = "
                          "{'class': 'SimpleStrategy', 'replication_factor': 1}"));
    must(
        session_->execute("CREATE TABLE cql_session_test.rows (key bigint, number int, "
                          "value text, PRIMARY KEY (key, number))"));
    insert_ = prepared("insert",
                       "INSERT INTO cql_session_test.rows (key, number, value) VALUES (?, ?, ?)");
    select_ = prepared("select", "SELECT number, value FROM cql_session_test.rows WHERE key = ?");
  }

  static void must(const Result<void>& result) { ASSERT_TRUE(result) << result.error().message; }

  CqlStatement prepared(std::string_view name, std::string_view cql) {
    const auto statement = session_->prepare(
        {.name = std::string(name), .cql = std::string(cql), .page_rows = page_rows});
    EXPECT_TRUE(statement) << statement.error().message;
    return statement.value_or(CqlStatement{});
  }

  /// `count` rows of a key, numbered from 0, as one batch.
  void write(std::int64_t key, std::int32_t count) {
    std::string rows;
    for (std::int32_t i = 0; i < count; ++i) rows += row_cells(key, i, "v" + std::to_string(i));
    const auto writer = session_->writer({});
    must(writer->write(insert_, rows, static_cast<std::size_t>(count)));
    must(writer->finish());
  }

  struct Answer {
    std::vector<Seen> rows;
    std::vector<std::size_t> page_keys;
    std::vector<std::size_t> last_pages;  ///< Keys whose last page came.
  };

  Answer read(std::string_view keys, std::size_t count, std::size_t in_flight) {
    Answer answer;
    must(session_->read(select_, keys, count, {.in_flight = in_flight},
                        [&](std::size_t key, const CqlPage& page) -> Result<void> {
                          answer.page_keys.push_back(key);
                          if (page.last) answer.last_pages.push_back(key);
                          CqlRow row(page.cells);
                          for (std::size_t i = 0; i < page.rows; ++i) {
                            const auto number = row.integer();
                            answer.rows.push_back({key, number, std::string(row.text())});
                          }
                          EXPECT_TRUE(row.ok() && row.at_end());
                          return {};
                        }));
    return answer;
  }

  RequestMetrics metrics_of(CqlStatement statement) {
    return session_->metrics().at(statement.number);
  }

  std::unique_ptr<CqlSession> session_;
  CqlStatement insert_;
  CqlStatement select_;
};

TEST_F(CqlSessionTest, SingleRowsAreReadBack) {
  const auto writer = session_->writer({.requests = 4, .bytes = 100});
  for (std::int32_t i = 0; i < 50; ++i) must(writer->write(insert_, row_cells(7, i, "x"), 1));
  must(writer->finish());

  const auto answer = read(key_cells(7), 1, 1);
  ASSERT_EQ(answer.rows.size(), 50u);
  for (std::int32_t i = 0; i < 50; ++i) {
    EXPECT_EQ(answer.rows[static_cast<std::size_t>(i)], (Seen{0, i, "x"}));
  }
}

TEST_F(CqlSessionTest, OneKeyIsReadPageByPage) {
  write(1, 25);
  const auto answer = read(key_cells(1), 1, 1);
  ASSERT_EQ(answer.rows.size(), 25u);
  EXPECT_EQ(answer.rows[24], (Seen{0, 24, "v24"}));
  // The first has as many rows as the statement says, the next as many as come to a megabyte.
  EXPECT_THAT(answer.page_keys, ElementsAre(0, 0));
  EXPECT_THAT(answer.last_pages, ElementsAre(0));
}

TEST_F(CqlSessionTest, ManyKeysAreReadInTheirOrder) {
  write(1, 12);
  write(3, 1);
  std::string keys;
  for (const std::int64_t key : {3, 2, 1, 3}) keys += key_cells(key);
  for (const std::size_t in_flight : {1u, 2u, 10u}) {
    const auto answer = read(keys, 4, in_flight);
    EXPECT_THAT(answer.page_keys, ElementsAre(0, 1, 2, 2, 3));
    EXPECT_THAT(answer.last_pages, ElementsAre(0, 1, 2, 3));
    ASSERT_EQ(answer.rows.size(), 14u);
    EXPECT_EQ(answer.rows.front(), (Seen{0, 0, "v0"}));
    EXPECT_EQ(answer.rows.back(), (Seen{3, 0, "v0"}));
  }
}

TEST_F(CqlSessionTest, AKeyWithoutRowsHasOneEmptyPage) {
  const auto answer = read(key_cells(404), 1, 1);
  EXPECT_TRUE(answer.rows.empty());
  EXPECT_THAT(answer.page_keys, ElementsAre(0));
  EXPECT_THAT(answer.last_pages, ElementsAre(0));
}

TEST_F(CqlSessionTest, NoKeysHaveNoPages) { EXPECT_TRUE(read("", 0, 5).page_keys.empty()); }

TEST_F(CqlSessionTest, TheVisitorEndsAReadByItsError) {
  write(1, 25);
  const auto ended = session_->read(
      select_, key_cells(1), 1, {},
      [](std::size_t, const CqlPage&) -> Result<void> { return fail(Errc::cancelled, "enough"); });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::cancelled);
}

TEST_F(CqlSessionTest, MetricsCountRequests) {
  write(1, 25);
  write(2, 1);
  read(key_cells(1), 1, 1);
  const auto written = metrics_of(insert_);
  EXPECT_EQ(written.statement, "insert");
  EXPECT_EQ(written.requests, 2);
  EXPECT_EQ(written.failures, 0);
  EXPECT_EQ(written.in_flight, 0);
  EXPECT_GT(written.micros, 0);
  std::int64_t in_classes = 0;
  for (const auto count : written.latency) in_classes += count;
  EXPECT_EQ(in_classes, 2);
  EXPECT_EQ(metrics_of(select_).requests, 2);  // One of each page.
}

TEST_F(CqlSessionTest, ValuesThatDoNotFitAreRefused) {
  const auto row = row_cells(1, 1, "x");
  for (const auto& [rows, count] : {
           std::pair{row, 2},
           std::pair{row + row, 1},
           std::pair{row.substr(0, row.size() - 1), 1},
           std::pair{std::string(), 0},
       }) {
    const auto writer = session_->writer({});
    const auto written = writer->write(insert_, rows, static_cast<std::size_t>(count));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::invalid_argument);
  }
  const auto got = session_->read(select_, "\0\0", 1, {},
                                  [](std::size_t, const CqlPage&) { return Result<void>(); });
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::invalid_argument);
}

TEST_F(CqlSessionTest, TheFirstErrorOfAWriterStays) {
  must(session_->execute("DROP TABLE cql_session_test.rows"));
  const auto writer = session_->writer({});
  const auto written = writer->write(insert_, row_cells(1, 1, "x"), 1);
  const auto finished = writer->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Errc::invalid_argument) << finished.error().message;
  EXPECT_THAT(finished.error().message, HasSubstr("insert"));
  const auto again = writer->write(insert_, row_cells(2, 1, "x"), 1);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, finished.error().message);
  EXPECT_EQ(metrics_of(insert_).failures, 1);
  EXPECT_EQ(metrics_of(insert_).requests, 1);
}

TEST_F(CqlSessionTest, SystemTablesAreReadOnEachNode) {
  std::vector<std::size_t> nodes;
  must(session_->query_each_node("SELECT cluster_name FROM system.local",
                                 [&](std::size_t node, const CqlPage& page) -> Result<void> {
                                   nodes.push_back(node);
                                   EXPECT_EQ(page.rows, 1u);
                                   return {};
                                 }));
  EXPECT_THAT(nodes, ::testing::Not(::testing::IsEmpty()));

  std::vector<std::string> tables;
  must(
      session_->query("SELECT table_name FROM system_schema.tables "
                      "WHERE keyspace_name = 'cql_session_test'",
                      [&](std::size_t, const CqlPage& page) -> Result<void> {
                        CqlRow row(page.cells);
                        for (std::size_t i = 0; i < page.rows; ++i) {
                          tables.emplace_back(row.text());
                        }
                        return {};
                      }));
  EXPECT_THAT(tables, ElementsAre("rows"));
}

TEST_F(CqlSessionTest, WhatTheClusterRefusesIsNotTriedAgain) {
  const auto no_rows = [](std::size_t, const CqlPage&) { return Result<void>(); };
  for (const auto& refused : {
           session_->execute("SELEKT 1"),
           session_->execute("DROP TABLE cql_session_test.unknown"),
           session_->query("SELECT a FROM cql_session_test.unknown", no_rows),
       }) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument) << refused.error().message;
  }
  const auto statement =
      session_->prepare({.name = "x", .cql = "SELECT a FROM cql_session_test.unknown"});
  ASSERT_FALSE(statement);
  EXPECT_EQ(statement.error().code, Errc::invalid_argument);
  EXPECT_THAT(statement.error().message, HasSubstr("unknown"));
}

TEST_F(CqlSessionTest, AnUnknownDataCentreIsRefused) {
  auto options = node_of_the_test();
  options.data_centre = "elsewhere";
  const auto connected = connect_cql(options);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::invalid_argument);
  EXPECT_THAT(connected.error().message, HasSubstr("elsewhere"));
}

TEST_F(CqlSessionTest, TlsOnOneSideOnlyIsAnError) {
  auto options = node_of_the_test();
  options.tls.on = !options.tls.on;
  EXPECT_FALSE(connect_cql(options));
}

TEST_F(CqlSessionTest, AWrongPasswordIsRefusedWhereOneIsWantedAndNotShown) {
  auto options = node_of_the_test();
  const bool is_wanted = !options.user.empty();
  if (!is_wanted) options.user = "anybody";
  options.password = "wr0ng-secret";
  const auto connected = connect_cql(options);
  EXPECT_EQ(connected.has_value(), !is_wanted);
  const auto error = connected ? Error{Errc::invalid_argument, ""} : connected.error();
  EXPECT_EQ(error.code, Errc::invalid_argument) << error.message;
  EXPECT_THAT(error.message, ::testing::Not(HasSubstr("wr0ng-secret")));
}

TEST(ConnectCql, NobodyListens) {
  const auto connected = connect_cql({.nodes = {"127.0.0.1:1"}, .retry = {}});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::unavailable);
  EXPECT_THAT(connected.error().message, HasSubstr("127.0.0.1:1"));
}

TEST(ConnectCql, RefusesNodesThatAreNone) {
  for (const auto* node : {"", "a:b", "user:secret@host"}) {
    const auto connected = connect_cql({.nodes = {node}});
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().code, Errc::invalid_argument);
  }
}

TEST(ConnectCql, NamesTheDriver) { EXPECT_THAT(cql_driver_name(), HasSubstr("scylla 1.")); }

}  // namespace
}  // namespace meterline::store::cassandra
