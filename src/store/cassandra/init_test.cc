// How a store is made, over a cluster that is played: what of it takes nodes that one machine has
// not, and what Keyspaces does in the background.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "store/cassandra/cassandra_store.h"
#include "store/cassandra/cql_cells.h"

namespace meterline::store::cassandra {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Row = std::vector<std::string>;

/// Answers questions of init by what it is told, and keeps the statements that change something.
class PlayedCluster final : public CqlSession {
 public:
  /// Of the text with the keyspace `ks`.
  void tell(std::string_view cql, std::vector<Row> rows) {
    answers_[fmt::format(fmt::runtime(cql), "ks")] = [rows = std::move(rows)] { return rows; };
  }
  void tell(std::string_view cql, std::function<std::vector<Row>()> answer) {
    answers_[fmt::format(fmt::runtime(cql), "ks")] = std::move(answer);
  }

  Result<void> execute(std::string_view cql) override {
    if (cql.starts_with("CREATE TABLE") && !ready())
      return fail(Errc::invalid_argument, "keyspace ks not found");
    if (cql.starts_with("INSERT") && !active())
      return fail(Errc::invalid_argument, "table catalogue not found");
    done.emplace_back(cql);
    return {};
  }
  Result<void> query(std::string_view cql, const CqlPageVisitor& visit) override {
    const auto found = answers_.find(cql);
    const auto rows = found == answers_.end() ? std::vector<Row>() : found->second();
    CqlCells cells;
    for (const auto& row : rows)
      for (const auto& cell : row) cells.text(cell);
    return visit(0, {.cells = cells.bytes(), .rows = rows.size()});
  }
  Result<void> query_each_node(std::string_view cql, const CqlPageVisitor& visit) override {
    return query(cql, visit);
  }
  Result<std::vector<CqlStatement>> prepare(std::span<const Text> /*texts*/) override {
    return fail(Errc::invalid_argument, "init prepares nothing");
  }
  std::unique_ptr<CqlWriter> writer(const WriteLimits& /*limits*/) override { return nullptr; }
  Result<void> read(CqlStatement /*statement*/, std::string_view /*keys*/, std::size_t /*count*/,
                    const ReadLimits& /*limits*/, const CqlPageVisitor& /*visit*/) override {
    return fail(Errc::invalid_argument, "init reads nothing by key");
  }
  void answer_within(std::chrono::milliseconds /*time*/) override {}
  std::vector<RequestMetrics> metrics() const override { return {}; }

  std::vector<std::string> done;
  std::function<bool()> ready = [] { return true; };   ///< Tables can be made.
  std::function<bool()> active = [] { return true; };  ///< Rows can be written.

 private:
  std::map<std::string, std::function<std::vector<Row>()>, std::less<>> answers_;
};

/// `{'class': ..., NAME: COPIES...}` as a map of text to text in the wire form.
std::string map_of(const std::map<std::string, std::string>& members) {
  CqlCells cells;
  for (const auto& [name, value] : members) {
    cells.text(name);
    cells.text(value);
  }
  return std::string(3, '\0') + static_cast<char>(members.size()) + std::string(cells.bytes());
}

const std::string topology = "org.apache.cassandra.locator.NetworkTopologyStrategy";

class InitOnNodes : public ::testing::Test {
 protected:
  /// Two nodes in `east`, one in `west`.
  InitOnNodes() {
    cluster_.tell(select_centres, {{"east"}});
    cluster_.tell(select_centres_of_peers, {{"west"}, {"east"}});
  }

  void keep(const std::map<std::string, std::string>& replication) {
    cluster_.tell(select_replication, {{map_of(replication)}});
  }
  void have_tables(const std::vector<std::string>& names) {
    std::vector<Row> rows;
    for (const auto& name : names) rows.push_back({name});
    cluster_.tell(select_tables, rows);
  }
  Result<MadeStore> init(const Copies& copies, std::int64_t expected_meters = 0) {
    return init_cassandra_store(cluster_, "ks", Dialect::cassandra,
                                {.copies = copies, .expected_meters = expected_meters},
                                [] { FAIL() << "nothing is made in the background"; });
  }
  /// What the catalogue says, by kind.
  void note(std::string_view kind, const std::vector<int>& numbers) {
    std::vector<Row> rows;
    for (const int number : numbers) rows.push_back({std::to_string(number)});
    cluster_.tell(fmt::format("SELECT name FROM ks.catalogue WHERE kind = '{}'", kind), rows);
  }
  std::string refusal(const Copies& copies) {
    const auto made = init(copies);
    EXPECT_THAT(cluster_.done, IsEmpty());
    return made ? "made" : made.error().message;
  }

  PlayedCluster cluster_;
};

Copies in_centres(std::vector<Replication::Centre> centres) {
  return {.by_centre = {.centres = std::move(centres)}};
}

TEST_F(InitOnNodes, NoMoreCopiesThanNodesAndNothingIsMadeBefore) {
  EXPECT_THAT(refusal({}), StartsWith("3 copies of a day do not fit into the data centre east, "
                                      "which has 2 nodes: say how many it is to keep by "
                                      "--replication 2 or --data-centres east=2"));
  EXPECT_THAT(refusal({.everywhere = 2}), HasSubstr("west, which has 1 node: say"));
  EXPECT_THAT(refusal(in_centres({{.name = "west", .copies = 2}})), HasSubstr("west=1"));
  EXPECT_THAT(refusal(in_centres({{.name = "north", .copies = 1}})),
              HasSubstr("no data centre north, but east, west"));
}

TEST_F(InitOnNodes, CopiesThatFitAreMade) {
  const auto made =
      init(in_centres({{.name = "west", .copies = 1}, {.name = "east", .copies = 2}}));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->keyspace, MadeKeyspace::made);
  ASSERT_THAT(cluster_.done, SizeIs(3 + table_names.size()));
  EXPECT_THAT(cluster_.done.front(), HasSubstr("NetworkTopologyStrategy', 'east': 2, 'west': 1}"));
  EXPECT_THAT(cluster_.done.back(), StartsWith("INSERT INTO ks.catalogue"));
}

TEST_F(InitOnNodes, AKeyspaceThatNobodyUsedGetsTheCopiesThatAreAskedFor) {
  keep({{"class", topology}, {"east", "3"}, {"west", "3"}});
  have_tables({table_names.begin(), table_names.end()});
  EXPECT_THAT(refusal({}), HasSubstr("3 copies of a day do not fit"));
  const auto made = init({.everywhere = 1});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->keyspace, MadeKeyspace::altered);
  EXPECT_THAT(cluster_.done, ElementsAre("ALTER KEYSPACE ks WITH replication = {'class': "
                                         "'NetworkTopologyStrategy', 'east': 1, 'west': 1}",
                                         StartsWith("INSERT INTO ks.catalogue"),
                                         StartsWith("INSERT INTO ks.catalogue")));
}

TEST_F(InitOnNodes, AStoreInUseKeepsItsCopies) {
  keep({{"class", topology}, {"east", "2"}, {"west", "1"}});
  have_tables({table_names.begin(), table_names.end()});
  note(schema_kind, {schema_version});
  note(buckets_kind, {16});
  EXPECT_THAT(refusal({.everywhere = 1}),
              HasSubstr("keyspace ks is in use and keeps east=2,west=1: other copies take ALTER"));
  for (const auto& copies :
       {Copies{}, in_centres({{.name = "east", .copies = 2}, {.name = "west", .copies = 1}})}) {
    const auto made = init(copies);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->keyspace, MadeKeyspace::found);
    EXPECT_THAT(made->tables, IsEmpty());
  }
}

TEST_F(InitOnNodes, AKeyspaceOfOthersIsNotAltered) {
  keep({{"class", topology}, {"east", "2"}});
  have_tables({"users"});
  EXPECT_THAT(refusal({.everywhere = 1}), HasSubstr("has tables of others and keeps east=2"));
}

TEST_F(InitOnNodes, TheSimpleStrategyKeepsAsManyInEach) {
  keep({{"class", "org.apache.cassandra.locator.SimpleStrategy"}, {"replication_factor", "1"}});
  EXPECT_EQ(init({.everywhere = 1}).value().keyspace, MadeKeyspace::found);
  EXPECT_EQ(init({}).value().keyspace, MadeKeyspace::found);
}

TEST_F(InitOnNodes, AStoreIsSpreadForTheMetersThatAreExpected) {
  const auto made = init({.everywhere = 1}, 10'000'000);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->buckets, 160);
  EXPECT_TRUE(made->is_spread_anew);
  const auto size = cluster_.done.size();
  EXPECT_THAT(cluster_.done[size - 2], HasSubstr("VALUES ('buckets', '160')"));
  EXPECT_THAT(cluster_.done[size - 1], HasSubstr("VALUES ('schema', '4')"));
}

TEST_F(InitOnNodes, AStoreThatIsSpreadStaysAsItIs) {
  keep({{"class", topology}, {"east", "1"}, {"west", "1"}});
  have_tables({table_names.begin(), table_names.end()});
  note(schema_kind, {schema_version});
  note(buckets_kind, {160});
  for (const std::int64_t expected : {std::int64_t{0}, std::int64_t{10'000'000}}) {
    const auto made = init({}, expected);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->buckets, 160);
    EXPECT_FALSE(made->is_spread_anew);
  }
  EXPECT_THAT(refusal({}), "made") << "and nothing was done";
  EXPECT_THAT(init({}, 10'000'001).error().message,
              HasSubstr("keyspace ks has 160 buckets for good, which suit 10000000 meters"));
}

/// As all stores were made before there was a number.
TEST_F(InitOnNodes, AStoreOfSchema3HasSixteenBuckets) {
  keep({{"class", topology}, {"east", "1"}, {"west", "1"}});
  have_tables({table_names.begin(), table_names.end()});
  note(schema_kind, {3});
  const auto made = init({});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->buckets, 16);
  EXPECT_THAT(cluster_.done, IsEmpty());
  EXPECT_EQ(init({}, 1'000'001).error().code, Errc::refused);
}

TEST_F(InitOnNodes, ANumberOfAnInitThatEndedEarlyStays) {
  have_tables({table_names.begin(), table_names.end()});
  note(buckets_kind, {32});
  const auto made = init({.everywhere = 1});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->buckets, 32);
  EXPECT_THAT(cluster_.done.back(), HasSubstr("VALUES ('schema', '4')"));
  EXPECT_THAT(cluster_.done, Not(Contains(HasSubstr("'buckets'"))));
}

TEST_F(InitOnNodes, TwoNumbersOfBucketsAreRefused) {
  keep({{"class", topology}, {"east", "1"}, {"west", "1"}});
  have_tables({table_names.begin(), table_names.end()});
  note(schema_kind, {schema_version});
  note(buckets_kind, {16, 160});
  EXPECT_THAT(refusal({}), HasSubstr("says that it has 16 and 160 buckets"));
}

TEST_F(InitOnNodes, FilesAreKeptAsTheClustersReleaseKnowsHow) {
  cluster_.tell(select_release, {{"5.0.9"}});
  ASSERT_TRUE(init({.everywhere = 1}));
  EXPECT_THAT(cluster_.done,
              Contains(AllOf(HasSubstr("day_totals"), HasSubstr("UnifiedCompactionStrategy"),
                             HasSubstr("ZstdCompressor"))));
  cluster_.done.clear();
  cluster_.tell(select_release, {{"3.0.8"}});  // As ScyllaDB says.
  ASSERT_TRUE(init({.everywhere = 1}));
  EXPECT_THAT(cluster_.done, Not(Contains(HasSubstr("compaction"))));
}

class InitOnKeyspaces : public ::testing::Test {
 protected:
  InitOnKeyspaces() {
    cluster_.ready = [this] { return pauses_ >= ready_after_; };
    cluster_.active = [this] { return pauses_ >= active_after_; };
    cluster_.tell(select_ready_keyspace, [this] {
      return cluster_.ready() ? std::vector<Row>{{"ks"}} : std::vector<Row>();
    });
    cluster_.tell(select_table_states, [this] {
      std::vector<Row> rows = {{"of_others", "ACTIVE"}};
      for (const auto name : table_names)
        rows.push_back({std::string(name), cluster_.active() ? "ACTIVE" : "CREATING"});
      return rows;
    });
  }
  Result<MadeStore> init() {
    return init_cassandra_store(cluster_, "ks", Dialect::keyspaces, {}, [this] { ++pauses_; });
  }

  PlayedCluster cluster_;
  int pauses_ = 0;
  int ready_after_ = 0;
  int active_after_ = 0;
};

TEST_F(InitOnKeyspaces, TablesWaitForTheKeyspaceAndTheFirstRowForTheTables) {
  ready_after_ = 3;
  active_after_ = 5;
  const auto made = init();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->keyspace, MadeKeyspace::made);
  EXPECT_EQ(pauses_, 5);
  EXPECT_THAT(cluster_.done, SizeIs(3 + table_names.size()));
  EXPECT_THAT(cluster_.done, Not(Contains(HasSubstr("compaction"))));
}

TEST_F(InitOnKeyspaces, AKeyspaceThatIsThereIsNotMade) {
  EXPECT_EQ(init().value().keyspace, MadeKeyspace::found);
  EXPECT_EQ(pauses_, 0);
  EXPECT_THAT(cluster_.done, Not(Contains(StartsWith("CREATE KEYSPACE"))));
}

TEST_F(InitOnKeyspaces, WhatTakesTooLongIsAnErrorThatSaysSo) {
  ready_after_ = init_polls_max + 1;
  const auto error = init().error();
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_THAT(error.message, StartsWith("keyspace ks cannot be used yet"));
  EXPECT_THAT(error.message, HasSubstr("`meterline store init` again later"));
}

}  // namespace
}  // namespace meterline::store::cassandra
