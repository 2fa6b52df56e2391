#include "store/cassandra/write_units.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/cassandra/keyspaces_pricing.h"
#include "store/packed_day.h"
#include "testing/store_days.h"

namespace meterline::store::cassandra {
namespace {

/// The units of a row of these column sizes.
std::int64_t units(Statement statement, const std::vector<std::size_t>& sizes) {
  CqlCells cells;
  for (const auto size : sizes) cells.blob(std::string(size, 'x'));
  CqlRow row(cells.bytes());
  const auto units = write_units_of(row_shape_of(statement), row);
  EXPECT_TRUE(row.ok() && row.at_end());
  return units;
}

/// 100, twice the partition key (3 on top of each column), twice the clustering key and a fifth of
/// each column, the rest and 1 for each column.
TEST(WriteUnits, AreStartedKilobytesOfARow) {
  const std::size_t all_but_day =
      100 + (2 * 7 + 3) + (2 * 4 + 3) + (2 * 4 + 1) + (2 * 27 + 6) + (2 * 32 + 7) + 1;
  const auto of_day = [&](std::size_t bytes) {
    return units(Statement::insert_day, {7, 4, 4, 27, 32, bytes - all_but_day});
  };
  EXPECT_EQ(of_day(300), 1);
  EXPECT_EQ(of_day(1024), 1);
  EXPECT_EQ(of_day(1025), 2);
  EXPECT_EQ(of_day(2048), 2);
}

TEST(WriteUnits, EveryInsertHasAShapeAndNoReadHas) {
  for (const auto& text : statements()) {
    const auto shape = row_shape_of(text.statement);
    const auto columns = shape.partition + shape.clustering + shape.others;
    const bool is_insert = text.cql.starts_with("INSERT");
    const auto markers = std::count(text.cql.begin(), text.cql.end(), '?');
    EXPECT_EQ(columns, is_insert ? markers : 0) << text.name;
  }
}

WriteCost cost_after(Pricing& pricing, const testing::TestDelivery& delivery) {
  const auto writer = pricing.write(std::span(&delivery.delivery, 1)).value();
  for (const auto& day : delivery.days) {
    std::string packed;
    pack_day(day, packed);
    EXPECT_TRUE(writer->add({.meter = day.meter,
                             .channel = day.channel,
                             .date = day.date,
                             .packed = packed,
                             .plain_total = plain_total(day)}));
  }
  EXPECT_TRUE(writer->commit(delivery.report));
  return pricing.cost();
}

TEST(KeyspacesPricing, CountsEveryRowAndOnlyOnceWhatTheStoreKnowsThen) {
  const auto pricing = make_keyspaces_pricing().value();
  EXPECT_EQ(pricing->cost(), WriteCost{});
  // Two days; the meter's year; that the month has days without totals, and whose; the delivery,
  // its month, and the three rows it is listed by.
  const auto first = testing::delivery_of(1, 1, {"A 2019-01-01 60 5x24", "A 2019-01-02 60 6x24"});
  EXPECT_EQ(cost_after(*pricing, first), (WriteCost{.rows = 10, .units = 10}));
  // What was noted of meter and months is known by now.
  const auto second = testing::delivery_of(2, 2, {"A 2019-01-03 60 5x24"});
  EXPECT_EQ(cost_after(*pricing, second), (WriteCost{.rows = 15, .units = 15}));
}

TEST(KeyspacesPricing, WhatIsNotInOrderIsRefusedAsByTheStore) {
  const auto pricing = make_keyspaces_pricing().value();
  const auto delivery = testing::delivery_of(1, 1, {"A 2019-01-01 60 5x24"});
  const auto writer = pricing->write(std::span(&delivery.delivery, 1)).value();
  std::string packed;
  pack_day(delivery.days[0], packed);
  const DayToStore day{.meter = delivery.days[0].meter,
                       .channel = delivery.days[0].channel,
                       .date = delivery.days[0].date,
                       .packed = packed};
  EXPECT_TRUE(writer->add(day));
  EXPECT_FALSE(writer->add(day));
}

}  // namespace
}  // namespace meterline::store::cassandra
