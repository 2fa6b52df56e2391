// What the contract suite does not see: how a store on a cluster lays out and asks for its rows.
// Runs beside a real node; see tests/with_cassandra.py.

#include "store/cassandra/cassandra_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "store/cassandra/tables.h"
#include "store/cassandra/totals_rows.h"
#include "store/memory/memory_store.h"
#include "store/prune.h"
#include "store/resolve.h"
#include "testing/cassandra_keyspace.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::store::cassandra {
namespace {

using meterline::testing::answers_of;
using meterline::testing::cassandra_options;
using meterline::testing::day_of;
using meterline::testing::delivery_of;
using meterline::testing::delivery_of_days;
using meterline::testing::load;
using meterline::testing::open_cassandra_of;
using meterline::testing::TempFolder;
using meterline::testing::TestDelivery;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CassandraStore : public ::testing::Test {
 protected:
  CassandraStore() : store_(*open_cassandra_of(folder_.path())) {}

  /// Requests of each statement since the last call.
  std::map<std::string, std::int64_t> requests() {
    std::map<std::string, std::int64_t> since;
    const auto status = store_->status(StatusOf::requests).value();
    for (const auto& metrics : status.requests) {
      const std::int64_t before = std::exchange(seen_[metrics.statement], metrics.requests);
      if (metrics.requests != before) since[metrics.statement] = metrics.requests - before;
    }
    return since;
  }

  void expect_answers_of(const std::vector<TestDelivery>& deliveries) {
    const auto memory = make_memory_store();
    for (const auto& each : deliveries) ASSERT_TRUE(load(*memory, each));
    EXPECT_EQ(answers_of(*store_), answers_of(*memory));
  }

  TempFolder folder_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::int64_t> seen_;
};

MeterId meter_of(std::string_view text) { return *MeterId::parse(text); }
DateRange dates_of(std::string_view from, std::string_view to) {
  return {.from = *Date::parse(from), .to = *Date::parse(to)};
}

/// One full day of each of `count` meters.
std::vector<ReadingDay> days_of_meters(int count, std::string_view date) {
  std::vector<ReadingDay> days;
  for (int i = 0; i < count; ++i)
    days.push_back(day_of(fmt::format("M{:04} {} 30 1.{:03}x48", i, date, i)));
  return days;
}

std::vector<ReadingDay> days_of_a_year(std::string_view line) {
  std::vector<ReadingDay> days;
  ReadingDay day = day_of(line);
  for (const int year = day.date.civil().year; day.date.civil().year == year;
       day.date = day.date.next())
    days.push_back(day);
  return days;
}

TEST_F(CassandraStore, AMeterYearIsOneRequestBesideThatForWhatIsWithdrawn) {
  ASSERT_TRUE(load(*store_, delivery_of_days(1, 1, days_of_a_year("A 2019-01-01 30 0.5x48"))));
  requests();
  int days = 0;
  ASSERT_TRUE(
      store_->read_days({.meter = meter_of("A"), .dates = dates_of("2019-01-01", "2019-12-31")},
                        [&](const StoredDay&) -> Result<void> {
                          ++days;
                          return {};
                        }));
  EXPECT_EQ(days, 365);
  EXPECT_THAT(requests(), ElementsAre(std::pair("select_days", 1), std::pair("select_events", 1)));
}

TEST_F(CassandraStore, WhatOneProcessWithdrewHoldsForAnotherAtOnce) {
  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 30 1x48"});
  ASSERT_TRUE(load(*store_, delivery));
  const auto other = *open_cassandra_of(folder_.path());
  const auto totals = [&] { return meterline::testing::totals_of(*other); };
  EXPECT_NE(totals(), "\n");
  for (int i = 0; i < 3; ++i) {
    const auto at = [&](int second) { return meterline::testing::second(10 + 2 * i + second); };
    ASSERT_TRUE(store_->add_event(delivery.delivery.id,
                                  {.at = at(0), .who = "ann", .reason = "sent twice"}));
    EXPECT_EQ(totals(), "\n");
    EXPECT_EQ(other->meter(meter_of("A")).value(), std::nullopt);
    ASSERT_TRUE(store_->add_event(
        delivery.delivery.id,
        {.at = at(1), .kind = DeliveryEventKind::restored, .who = "bob", .reason = ""}));
    EXPECT_NE(totals(), "\n");
  }
}

TEST_F(CassandraStore, RequestsEndWithTheTimeThatTheWholeAnswerHas) {
  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 30 1x48"});
  store_->answer_within(std::chrono::milliseconds(0));
  const auto late = store_->meter(meter_of("A"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::unavailable);
  EXPECT_THAT(late.error().message, HasSubstr("the time for the whole answer is over"));
  EXPECT_EQ(load(*store_, delivery).error().code, Errc::unavailable);
  store_->answer_within(std::chrono::minutes(10));
  ASSERT_TRUE(load(*store_, delivery));
  EXPECT_TRUE(store_->meter(meter_of("A")).value());
}

// --- Rows written: on Keyspaces, each costs a write unit for every KB ---------------------------

TEST_F(CassandraStore, ADayOfAHundredMetersCostsLittleMoreThanItsDays) {
  requests();
  ASSERT_TRUE(load(*store_, delivery_of_days(1, 1, days_of_meters(100, "2019-01-01"))));
  EXPECT_LE(requests().at("insert_meter"), buckets_min) << "new meters of a bucket go together";
  ASSERT_TRUE(load(*store_, delivery_of_days(2, 2, days_of_meters(100, "2019-01-02"))));
  const auto written = requests();
  EXPECT_EQ(written.at("insert_day"), 100);
  EXPECT_EQ(written.at("insert_totals"), 1);
  EXPECT_EQ(written.count("insert_meter"), 0U) << "the meters were known";
  EXPECT_EQ(written.at("insert_name"), 1) << "the day is new";
  EXPECT_EQ(written.at("insert_delivery"), 1);
  EXPECT_EQ(written.at("insert_delivery_by_time"), 1);
  EXPECT_EQ(written.at("insert_delivery_by_receipt"), 1);
  EXPECT_EQ(written.at("insert_delivery_by_source"), 1);
}

TEST_F(CassandraStore, AYearOfOneMeterIsSentInBatchesAndItsTotalsByMonth) {
  const auto year = delivery_of_days(1, 1, days_of_a_year("A 2019-01-01 30 0.5x48"));
  requests();
  ASSERT_TRUE(load(*store_, year));
  const auto written = requests();
  EXPECT_EQ(written.at("insert_day"), 2) << "365 rows in batches of 200";
  EXPECT_EQ(written.at("insert_totals"), 12);
  EXPECT_EQ(written.at("insert_meter"), 1);
  expect_answers_of({year});
}

/// The totals of a few days are not written: the days say them.
TEST_F(CassandraStore, AFileOfOneDayCostsFiveRowsOnceItsMeterIsKnown) {
  const auto first = delivery_of(1, 1, {"A 2019-01-01 30 1x48"});
  const auto second = delivery_of(2, 2, {"A 2019-01-02 30 2x48"});
  ASSERT_TRUE(load(*store_, first));
  requests();
  ASSERT_TRUE(load(*store_, second));
  std::map<std::string, std::int64_t> written;
  for (const auto& [statement, count] : requests())
    if (statement.starts_with("insert_")) written[statement] = count;
  const std::map<std::string, std::int64_t> wanted = {{"insert_day", 1},
                                                      {"insert_delivery", 1},
                                                      {"insert_delivery_by_receipt", 1},
                                                      {"insert_delivery_by_source", 1},
                                                      {"insert_delivery_by_time", 1}};
  EXPECT_EQ(written, wanted);
  expect_answers_of({first, second});
}

/// A meter with small files in a month that other deliveries bring whole, restated both ways.
TEST_F(CassandraStore, UnitesTotalsWithDaysThatHaveNone) {
  std::vector<TestDelivery> deliveries = {
      delivery_of(1, 1, {"M0007 2019-01-05 30 7x40 -x8"}),
      delivery_of_days(2, 2, days_of_meters(100, "2019-01-05")),
      delivery_of(3, 3,
                  {"M0007 2019-01-05 30 9e -x47", "M0009 2019-01-06 60 1x24",
                   "M0009 2019-01-06 E1/consumption/kWh 60 1x24"}),
      delivery_of(4, 4, {"M0007 2019-02-28 30 1x48", "Z 2018-12-31 30 1x48"})};
  for (const auto& each : deliveries) ASSERT_TRUE(load(*store_, each));
  expect_answers_of(deliveries);
  for (const auto& day : {"2019-01-05", "2019-01-06", "2018-12-31"}) {
    int totals = 0;
    ASSERT_TRUE(store_->read_day_totals({.dates = dates_of(day, day)},
                                        [&](const DayTotal& total) -> Result<void> {
                                          EXPECT_EQ(total.date.text(), day);
                                          ++totals;
                                          return {};
                                        }));
    EXPECT_EQ(totals, std::string(day) == "2019-01-05" ? 100 : day[3] == '9' ? 2 : 1);
  }
}

TEST_F(CassandraStore, WritesNothingTwiceThatIsKnown) {
  const auto delivery = delivery_of_days(1, 1, days_of_meters(200, "2019-01-01"));
  ASSERT_TRUE(load(*store_, delivery));
  requests();
  ASSERT_TRUE(load(*store_, delivery));
  const auto written = requests();
  EXPECT_EQ(written.count("insert_meter"), 0U);
  EXPECT_EQ(written.count("insert_name"), 0U);
  expect_answers_of({delivery});
}

// --- Totals ----------------------------------------------------------------------------------

/// 10 days of a month in one file and 100 meters of one of its days in another; half of those
/// are restated in part.
TEST_F(CassandraStore, UnitesTotalsOfMonthsAndOfDays) {
  std::vector<ReadingDay> few;
  for (int day = 1; day <= 10; ++day)
    few.push_back(day_of(fmt::format("M0007 2019-01-{:02} 30 2x48", day)));
  std::vector<ReadingDay> partial;
  for (int i = 0; i < 50; ++i)
    partial.push_back(day_of(fmt::format("M{:04} 2019-01-05 30 7e -x47", 2 * i)));
  const std::vector<TestDelivery> deliveries = {
      delivery_of_days(1, 1, few), delivery_of_days(2, 2, days_of_meters(100, "2019-01-05")),
      delivery_of_days(3, 3, partial)};
  for (const auto& each : deliveries) ASSERT_TRUE(load(*store_, each));
  expect_answers_of(deliveries);
}

TEST_F(CassandraStore, AnswersADayOfOneVersionWithoutItsReadings) {
  ASSERT_TRUE(load(*store_, delivery_of(1, 1,
                                        {"A 2019-01-01 30 1x40 -x8", "B 2019-01-01 30 2x48",
                                         "C 2019-01-01 30 2x48", "D 2019-01-01 30 2x48"})));
  requests();
  int totals = 0;
  ASSERT_TRUE(store_->read_day_totals({.dates = dates_of("2019-01-01", "2019-01-01")},
                                      [&](const DayTotal& total) -> Result<void> {
                                        EXPECT_EQ(total.quality.missing, totals == 0 ? 8 : 0);
                                        ++totals;
                                        return {};
                                      }));
  EXPECT_EQ(totals, 4);
  EXPECT_EQ(requests().count("select_days"), 0U);
}

TEST_F(CassandraStore, CutsTheTotalsOfManyMeters) {
  std::vector<ReadingDay> days;
  for (int i = 0; i < 12'000; ++i)
    days.push_back(
        day_of(fmt::format("{:x}-a-long-name-that-shares-nothing 2019-01-01 60 "
                           "{}x2",
                           i * 2654435761U, 100'000'000 + i)));
  const auto delivery = delivery_of_days(1, 1, days);
  ASSERT_TRUE(load(*store_, delivery));
  EXPECT_GE(requests().at("insert_totals"), 2);
  std::int64_t meters = 0;
  ASSERT_TRUE(store_->read_day_totals({.dates = dates_of("2019-01-01", "2019-01-01")},
                                      [&](const DayTotal&) -> Result<void> {
                                        ++meters;
                                        return {};
                                      }));
  EXPECT_EQ(meters, 12'000);
}

/// However few claims are held at once, and whatever span is asked for, each total is told once and
/// is the same.
TEST_F(CassandraStore, AnswersForAllMetersInAnyNumberOfPasses) {
  std::vector<TestDelivery> deliveries;
  for (std::uint8_t version = 1; version <= 6; ++version) {
    auto days = days_of_meters(300, "2019-01-05");
    for (int i = 0; i < 300; i += version)
      days[static_cast<std::size_t>(i)] =
          day_of(fmt::format("M{:04} 2019-01-05 30 {}x40 -x8", i, version));
    deliveries.push_back(delivery_of_days(version, version, days));
  }
  std::vector<ReadingDay> few;
  for (int day = 3; day <= 9; ++day)
    few.push_back(day_of(fmt::format("M0007 2019-01-{:02} 30 2x48", day)));
  deliveries.push_back(delivery_of_days(7, 7, few));
  for (std::uint8_t i = 0; i < 60; ++i)
    deliveries.push_back(delivery_of(static_cast<std::uint8_t>(10 + i), 8,
                                     {fmt::format("S{:03} 2019-01-{:02} 30 1x48", i, 1 + i % 28)}));
  for (const auto& each : deliveries) ASSERT_TRUE(load(*store_, each));

  const auto options = cassandra_options(fmt::format("test_{}", getpid()));
  const auto tables = *Tables::open(*connect_cql(options.cql), options.keyspace, options.dialect);
  const auto read = [&](const MeterSpan& span, std::size_t held_max) {
    std::map<std::string, std::string> totals;
    const TotalsQuery query{.dates = dates_of("2019-01-02", "2019-01-31"), .span = span};
    EXPECT_TRUE(read_totals(
        *tables, query,
        [&](const DayTotal& total) -> Result<void> {
          const auto day = fmt::format("{} {}", total.meter.text(), total.date.text());
          EXPECT_TRUE(
              totals
                  .emplace(day, fmt::format("{} of {}/{} @{}", total.sum.text(), total.readings,
                                            total.expected, total.version.stated.micros))
                  .second)
              << day;
          return {};
        },
        held_max));
    return totals;
  };
  const auto all = read({}, claims_held_max);
  EXPECT_EQ(all.size(), 300U + 6 + 60 - 3) << "M0007 has six days more, S has three on the first";
  for (const std::size_t held_max : {32U, 100U, 500U}) EXPECT_EQ(read({}, held_max), all);
  const MeterId middle = meter_of("M0150");
  auto parts = read({.to = middle}, 50);
  EXPECT_EQ(parts.size(), 151U + 6);
  parts.merge(read({.after = middle}, 50));
  EXPECT_EQ(parts, all);
  expect_answers_of(deliveries);
}

/// As stores were made before the number of buckets stood in the catalogue.
TEST_F(CassandraStore, OfSchema3IsReadAndWrittenAsItIs) {
  const auto options = cassandra_options(fmt::format("test_{}", getpid()));
  const auto session = *connect_cql(options.cql);
  ASSERT_TRUE(session->execute(fmt::format("TRUNCATE {}.catalogue", options.keyspace)));
  ASSERT_TRUE(session->execute(fmt::format(
      "INSERT INTO {}.catalogue (kind, name) VALUES ('schema', '3')", options.keyspace)));
  store_ = *open_cassandra_store(options);
  const std::vector<TestDelivery> deliveries = {
      delivery_of(1, 1, {"A 2019-01-01 30 1x48", "B 2019-01-01 30 1x48"}),
      delivery_of_days(2, 2, days_of_meters(100, "2019-01-05"))};
  for (const auto& each : deliveries) ASSERT_TRUE(load(*store_, each));
  expect_answers_of(deliveries);
  std::vector<std::string> kinds;
  ASSERT_TRUE(session->query(fmt::format("SELECT kind FROM {}.catalogue", options.keyspace),
                             [&](std::size_t, const CqlPage& page) {
                               return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                 kinds.emplace_back(row.text());
                                 return {};
                               });
                             }));
  EXPECT_THAT(kinds, Contains("days 2019-01"));
  EXPECT_THAT(kinds, Not(Contains("buckets")));
}

// --- Meters ----------------------------------------------------------------------------------

/// More channels, and more versions of the last day, than a first look at a year shows.
TEST_F(CassandraStore, FindsFirstAndLastDaysBehindManyRows) {
  std::vector<std::string> lines;
  for (int i = 0; i < 30; ++i) {
    lines.push_back(fmt::format("A 2019-03-01 E{:02}/consumption/kWh 30 1x48", i));
    lines.push_back(fmt::format("A 2019-06-30 E{:02}/consumption/kWh 30 1x48", i));
  }
  lines.emplace_back("A 2019-05-05 Z1/generation/kWh 30 1x48");
  std::vector<TestDelivery> deliveries = {delivery_of(1, 1, lines)};
  for (std::uint8_t i = 2; i < 20; ++i)
    deliveries.push_back(delivery_of(i, i, {"A 2019-06-30 E29/consumption/kWh 60 1x24"}));
  for (const auto& each : deliveries) ASSERT_TRUE(load(*store_, each));
  expect_answers_of(deliveries);
}

TEST_F(CassandraStore, AMeterWithoutDaysIsNoneAndHidesNone) {
  ASSERT_TRUE(load(*store_, delivery_of_days(1, 1, days_of_meters(5, "2019-01-01"))));
  const auto options = cassandra_options(fmt::format("test_{}", getpid()));
  const auto session = connect_cql(options.cql);
  ASSERT_TRUE(session);
  const std::string empty = "M0001x";
  ASSERT_TRUE((*session)->execute(
      fmt::format("INSERT INTO {}.meters (bucket, meter, channel, year) VALUES ({}, '{}', "
                  "'consumption/consumption/kWh', 2019)",
                  options.keyspace, bucket_of(meter_of(empty), buckets_min), empty)));
  EXPECT_FALSE(store_->meter(meter_of(empty)).value());
  for (const std::size_t limit : {1U, 2U, 3U, 100U}) {
    std::vector<std::string> names;
    MetersQuery query{.prefix = "", .after = {}, .limit = limit};
    for (;;) {
      const auto page = store_->meters(query).value();
      for (const auto& info : page) names.push_back(info.meter.text());
      if (page.size() < limit) break;
      query.after = page.back().meter;
    }
    EXPECT_THAT(names, ElementsAre("M0000", "M0001", "M0002", "M0003", "M0004")) << limit;
  }
}

// --- Deliveries --------------------------------------------------------------------------------

TEST_F(CassandraStore, KeepsALongReportInParts) {
  auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  for (int i = 0; i < 20'000; ++i)
    delivery.report.findings.push_back({.line = i + 2,
                                        .column = 3,
                                        .code = FindingCode::bad_date,
                                        .text = "wanted yyyy-MM-dd, which is a day of the calendar",
                                        .excerpt = fmt::format("{:040}", i)});
  ASSERT_TRUE(load(*store_, delivery));
  EXPECT_GE(requests().at("insert_delivery"), 4);
  expect_answers_of({delivery});
  delivery.report.findings.resize(1);
  ASSERT_TRUE(load(*store_, delivery));
  const auto record = store_->delivery(delivery.delivery.id).value();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->report, delivery.report);
}

// --- Schema ------------------------------------------------------------------------------------

TEST(CassandraSchema, AKeyspaceWithoutAStoreIsNotFound) {
  for (const std::string keyspace : {"nowhere", "system_auth"}) {
    const auto opened = open_cassandra_store(cassandra_options(keyspace));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::not_found);
    EXPECT_THAT(opened.error().message, HasSubstr("meterline store init"));
  }
}

const InitPlan one_copy = {.copies = {.everywhere = 1}};

TEST(CassandraSchema, IsMadeOnceAndLeftAsItIs) {
  const auto options = cassandra_options("test_schema");
  const auto made = init_cassandra_store(options, one_copy);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->tables.size(), table_names.size());
  EXPECT_THAT(made->replication.centres, ::testing::SizeIs(1));
  const auto again = init_cassandra_store(options, one_copy);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->keyspace, MadeKeyspace::found);
  EXPECT_THAT(again->tables, IsEmpty());
  EXPECT_TRUE(open_cassandra_store(options));

  const auto session = connect_cql(options.cql);
  ASSERT_TRUE(session);
  for (const auto& [schema, advice] :
       {std::pair("999", "a newer one"), std::pair("1", "load its files again")}) {
    ASSERT_TRUE((*session)->execute(fmt::format(
        "INSERT INTO test_schema.catalogue (kind, name) VALUES ('schema', '{}')", schema)));
    for (const auto& error :
         {open_cassandra_store(options).error(), init_cassandra_store(options, one_copy).error()}) {
      EXPECT_EQ(error.code, Errc::refused);
      EXPECT_THAT(error.message, HasSubstr(fmt::format("a store of schema {};", schema)));
      EXPECT_THAT(error.message, HasSubstr(advice));
    }
    ASSERT_TRUE((*session)->execute(fmt::format(
        "DELETE FROM test_schema.catalogue WHERE kind = 'schema' AND name = '{}'", schema)));
  }
  EXPECT_TRUE(open_cassandra_store(options));
}

/// As an init of an earlier meterline left it on one node: with three copies that it never has.
TEST(CassandraSchema, CopiesThatDoNotFitAreRefusedAndAnUnusedKeyspaceIsMended) {
  const auto options = cassandra_options("test_copies");
  const auto session = connect_cql(options.cql);
  ASSERT_TRUE(session);
  const auto refused = init_cassandra_store(options, {}).error();
  EXPECT_EQ(refused.code, Errc::invalid_argument);
  EXPECT_THAT(refused.message, HasSubstr("which has 1 node: say how many it is to keep by "
                                         "--replication 1"));
  EXPECT_EQ(open_cassandra_store(options).error().code, Errc::not_found);

  ASSERT_TRUE((*session)->execute(create_keyspace(
      "test_copies", {.centres = {{.name = "datacenter1", .copies = 3}}}, Dialect::cassandra)));
  for (const auto& table : create_tables("test_copies")) ASSERT_TRUE((*session)->execute(table));
  EXPECT_EQ(init_cassandra_store(options, {}).error().code, Errc::invalid_argument);
  const auto made = init_cassandra_store(options, one_copy);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->keyspace, MadeKeyspace::altered);
  EXPECT_THAT(made->tables, IsEmpty());
  ASSERT_TRUE(load(**open_cassandra_store(options), delivery_of(1, 1, {"A 2019-01-01 30 1x48"})));
}

/// Tables that something else than init made, such as a CloudFormation stack.
class CassandraTables : public ::testing::Test {
 protected:
  CassandraTables()
      : options_(cassandra_options(fmt::format(
            "tables_{}", ::testing::UnitTest::GetInstance()->current_test_info()->line()))),
        session_(*connect_cql(options_.cql)) {
    execute(
        "CREATE KEYSPACE {} WITH replication = {{'class': 'SimpleStrategy', "
        "'replication_factor': 1}}");
    for (const auto& table : create_tables(options_.keyspace))
      EXPECT_TRUE(session_->execute(table));
  }

  void execute(std::string_view cql) {
    const auto done = session_->execute(fmt::format(fmt::runtime(cql), options_.keyspace));
    EXPECT_TRUE(done) << done.error().message;
  }

  /// What a statement selects, a text of each row.
  std::vector<std::string> texts(std::string_view cql) {
    std::vector<std::string> found;
    EXPECT_TRUE(session_->query(fmt::format(fmt::runtime(cql), options_.keyspace),
                                [&](std::size_t, const CqlPage& page) {
                                  return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                    found.emplace_back(row.text());
                                    return {};
                                  });
                                }));
    return found;
  }

  /// The schemas that the catalogue notes.
  std::vector<std::string> schemas() {
    return texts("SELECT name FROM {}.catalogue WHERE kind = 'schema'");
  }

  CassandraOptions options_;
  std::unique_ptr<CqlSession> session_;
};

/// One that reads before the first load does not know how the store will be spread, and learns it.
TEST_F(CassandraTables, AreSpreadByTheFirstWriterAndReadersFollow) {
  const auto reader = open_cassandra_store(options_);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->meter(meter_of("A")).value(), std::nullopt);
  auto large = options_;
  large.expected_meters = 10'000'000;
  const auto writer = open_cassandra_store(large);
  ASSERT_TRUE(writer) << writer.error().message;
  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 30 1x48", "B 2019-01-02 30 1x48"});
  ASSERT_TRUE(load(**writer, delivery));
  EXPECT_TRUE((*reader)->meter(meter_of("A")).value());
  EXPECT_EQ(answers_of(**reader), answers_of(**writer));
  const auto memory = make_memory_store();
  ASSERT_TRUE(load(*memory, delivery));
  EXPECT_EQ(answers_of(**reader), answers_of(*memory));
  EXPECT_THAT((*reader)->status(StatusOf::files).value().figures,
              ElementsAre(StoreFigure{.name = "buckets", .value = 160}));
  EXPECT_EQ(init_cassandra_store(options_, {}).value().buckets, 160);
}

void prune_before(Store& store, std::string_view date) {
  PruneReport report;
  const PruneRequest request{.before = *Date::parse(date), .now = meterline::testing::second(100)};
  ASSERT_TRUE(prune(store, request, PruneMode::prune, {}, report));
}

void take_out(Store& store, const MeterId& meter) {
  std::vector<DayPlace> days;
  ASSERT_TRUE(store.read_days({.meter = meter, .dates = dates_of("2019-01-01", "2019-12-31")},
                              [&](const StoredDay& day) -> Result<void> {
                                days.push_back({.meter = meter,
                                                .channel = day.channel,
                                                .date = day.date,
                                                .version = day.version,
                                                .delivery = day.delivery});
                                return {};
                              }));
  const auto at = meterline::testing::second(50);
  ASSERT_TRUE(store.amend({.at = at, .days = days}));
  ASSERT_TRUE(store.amend({.at = at, .meters = std::span(&meter, 1), .traces = Traces::now}));
}

/// Totals of days, of months, and meters without any; the first meter of a row, and one of a few.
TEST_F(CassandraTables, HaveNothingOfWhatWasTakenOutHoweverMetersAreSpread) {
  auto days_of_m0007 = days_of_a_year("M0007 2019-01-02 30 2x48");
  days_of_m0007.resize(6);
  const std::vector<TestDelivery> deliveries = {
      delivery_of_days(1, 1, days_of_meters(100, "2019-01-02")),
      delivery_of_days(2, 2, days_of_meters(100, "2019-01-05")),
      delivery_of(3, 3, {"A 2019-01-01 30 1x48", "A 2019-01-06 30 1x48", "B 2019-02-03 30 1x48"}),
      delivery_of_days(4, 4, days_of_m0007)};
  struct Way {
    const char* name;
    std::int64_t expected_meters;
    Dialect dialect;
  };
  for (const auto& way :
       {Way{"schema 3", 0, Dialect::cassandra}, Way{"16 buckets", 0, Dialect::cassandra},
        Way{"160 buckets", 10'000'000, Dialect::cassandra},
        Way{"160 buckets, row by row", 10'000'000, Dialect::keyspaces}}) {
    SCOPED_TRACE(way.name);
    for (const auto table : table_names) execute(fmt::format("TRUNCATE {{}}.{}", table));
    if (way.name == std::string_view("schema 3"))
      execute("INSERT INTO {}.catalogue (kind, name) VALUES ('schema', '3')");
    auto options = options_;
    options.expected_meters = way.expected_meters;
    options.dialect = way.dialect;
    const auto store = *open_cassandra_store(options);
    const auto memory = make_memory_store();
    const auto on_both = [&](const auto& change) {
      for (auto* const each : {store.get(), memory.get()}) change(*each);
      EXPECT_EQ(answers_of(*store), answers_of(*memory));
    };
    on_both([&](Store& each) {
      for (const auto& delivery : deliveries) ASSERT_TRUE(load(each, delivery));
    });
    EXPECT_THAT(texts("SELECT name FROM {}.catalogue"), Contains("A"));
    for (const auto* meter : {"A", "M0000", "M0099"})
      on_both([&](Store& each) { take_out(each, meter_of(meter)); });
    EXPECT_THAT(texts("SELECT name FROM {}.catalogue"), Not(Contains("A")));
    on_both([](Store& each) { prune_before(each, "2019-01-04"); });
    on_both([](Store& each) { prune_before(each, "2019-03-01"); });
    for (const std::string of :
         {"meter FROM {}.reading_days", "period FROM {}.day_totals", "meter FROM {}.meters"})
      EXPECT_THAT(texts("SELECT " + of), IsEmpty()) << of;
    EXPECT_THAT(texts("SELECT kind FROM {}.catalogue"),
                Each(AnyOf("schema", "buckets", "deliveries", "amended")));
  }
}

TEST_F(CassandraTables, AreAnEmptyStoreAndTheFirstWriterNotesTheSchema) {
  const auto store = open_cassandra_store(options_);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_TRUE((*store)->ready());
  EXPECT_EQ((*store)->meters({.prefix = "", .after = {}}).value().size(), 0U);
  EXPECT_THAT(schemas(), IsEmpty()) << "a reader writes nothing";

  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 30 1x48"});
  ASSERT_TRUE(load(**store, delivery));
  EXPECT_THAT(schemas(), ElementsAre(std::to_string(schema_version)));
  EXPECT_EQ(answers_of(**open_cassandra_store(options_)), answers_of(**store));
}

/// As two programs leave them that remembered a unit in the same moment.
TEST_F(CassandraTables, OfSeveralUnitsTheFirstByNameCounts) {
  const auto store = open_cassandra_store(options_);
  ASSERT_TRUE(store) << store.error().message;
  for (const auto unit : {"unknown", "kWh", "Wh"}) {
    execute(fmt::format("INSERT INTO {{}}.catalogue (kind, name) VALUES ('unit', '{}')", unit));
    EXPECT_EQ((*store)->default_unit().value(), parse_unit_choice(unit));
  }
  EXPECT_EQ((*store)->remember_unit(Unit::MWh).value(), Unit::Wh);
}

TEST_F(CassandraTables, OfWhichOneIsMissingAreNoStore) {
  execute("DROP TABLE {}.deliveries_by_time");
  const auto error = open_cassandra_store(options_).error();
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_THAT(error.message, HasSubstr("lacks deliveries_by_time; `meterline store init"));
}

TEST_F(CassandraTables, ThatAnAskerCannotReadAreRefusedAtStart) {
  execute("ALTER TABLE {}.reading_days DROP day");
  const auto error = open_cassandra_store(options_).error();
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_THAT(error.message, HasSubstr("its tables are not as `meterline store init` makes them"));
}

TEST_F(CassandraTables, ThatALoaderCannotWriteAreRefusedBeforeTheFirstRow) {
  execute("DROP TABLE {}.deliveries");
  execute(
      "CREATE TABLE {}.deliveries (id blob, content bigint, record blob, "
      "PRIMARY KEY ((id), content))");
  const auto store = open_cassandra_store(options_);
  ASSERT_TRUE(store) << store.error().message;
  const auto loaded = load(**store, delivery_of(1, 1, {"A 2019-01-01 30 1x48"}));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::refused);
  EXPECT_THAT(loaded.error().message, HasSubstr("part"));
  EXPECT_THAT(schemas(), IsEmpty());
}

}  // namespace
}  // namespace meterline::store::cassandra
