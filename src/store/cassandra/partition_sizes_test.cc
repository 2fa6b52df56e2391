// How large partitions become with ten million meters, ten years and thirty restatements: by the
// rows that the real writer makes, and the limits that the schema states. docs/operate/scale.md has
// the same arithmetic in words.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "store/cassandra/cassandra_writer.h"
#include "store/cassandra/counting_session.h"
#include "store/cassandra/cql_cells.h"
#include "store/cassandra/schema.h"
#include "store/cassandra/write_units.h"
#include "store/packed_day.h"
#include "testing/store_days.h"

namespace meterline::store::cassandra {
namespace {

constexpr std::int64_t meters_of_all = 10'000'000;
constexpr int years = 10;
constexpr int versions = 30;
constexpr int channels = 2;
constexpr double partition_bytes_max = 100e6;
/// What Cassandra writes of a row beside its values: flags, sizes, and when it was written.
/// Source: org.apache.cassandra.db.rows.UnfilteredSerializer.
constexpr std::size_t row_bytes = 20;

struct Written {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;  ///< Of values but for the partition key, and of rows.
  double mean() const { return static_cast<double>(bytes) / static_cast<double>(rows); }
};

/// What the writer makes of a day of so many meters, by statement.
std::map<Statement, Written> written_of(int meters) {
  std::map<Statement, Written> written;
  const auto take = [&](Statement statement, std::string_view rows,
                        std::size_t count) -> Result<void> {
    const auto shape = row_shape_of(statement);
    CqlRow cells(rows);
    auto& all = written[statement];
    for (std::size_t i = 0; i < count; ++i) {
      ++all.rows;
      all.bytes += row_bytes;
      for (int k = 0; k < shape.partition; ++k) cells.blob();
      for (int k = 0; k < shape.clustering + shape.others; ++k)
        all.bytes += static_cast<std::int64_t>(cells.blob().size());
    }
    return {};
  };
  const auto tables = *Tables::open(make_counting_session(take, buckets_for(meters_of_all)), "ks",
                                    Dialect::cassandra);
  std::vector<ReadingDay> days;
  for (int i = 0; i < meters; ++i)
    for (const auto* channel : {"", "E1/generation/kWh "})
      days.push_back(testing::day_of(
          fmt::format("NMI{:07} 2019-01-01 {}30 {}.{:03}x48", i * 997, channel, i % 7, i % 1000)));
  const auto delivery = testing::delivery_of_days(1, 1, days);
  const auto writer = *make_cassandra_writer(std::span(&delivery.delivery, 1), *tables);
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
  return written;
}

/// Of the fullest bucket.
double meters_of_fullest_bucket() {
  const int buckets = buckets_for(meters_of_all);
  constexpr int sampled = 1'000'000;
  std::vector<int> counts(static_cast<std::size_t>(buckets));
  for (int i = 0; i < sampled; ++i)
    ++counts[static_cast<std::size_t>(
        bucket_of(*MeterId::parse(fmt::format("NMI{:07}", i)), buckets))];
  const auto fullest = *std::ranges::max_element(counts);
  EXPECT_LT(fullest, 1.1 * sampled / buckets) << "meters are spread evenly";
  return static_cast<double>(fullest) / sampled * static_cast<double>(meters_of_all);
}

class PartitionSizes : public ::testing::Test {
 protected:
  static constexpr int written_meters = 5000;
  const std::map<Statement, Written> written_ = written_of(written_meters);
  const double meters_ = meters_of_fullest_bucket();
};

TEST_F(PartitionSizes, OfMetersStayBelowTheLimit) {
  const auto& rows = written_.at(Statement::insert_meter);
  EXPECT_EQ(rows.rows, written_meters * channels);
  EXPECT_LT(meters_ * channels * years * rows.mean(), partition_bytes_max);
}

TEST_F(PartitionSizes, OfADaysTotalsStayBelowTheLimit) {
  const auto& rows = written_.at(Statement::insert_totals);
  const double of_meter = static_cast<double>(rows.bytes) / written_meters;
  EXPECT_LT(of_meter, 40) << "two channels";
  // Rows of up to totals_bytes_max lie where a hash puts them: a few more here, a few less there.
  EXPECT_LT(1.3 * meters_ * versions * of_meter, partition_bytes_max);
}

/// Ten years of a month's rows for each, in the worst case that all meters send small files.
TEST_F(PartitionSizes, OfNamesStayBelowTheLimit) {
  const int buckets = buckets_for(meters_of_all);
  const auto name_bytes = [](std::string_view name) {
    return static_cast<double>(row_bytes + name.size());
  };
  EXPECT_LT(meters_ * name_bytes("NMI0000001"), partition_bytes_max) << "days_kind(month, bucket)";
  const double periods = years * (365.25 + 12 + 12) * buckets;
  EXPECT_LT(periods * name_bytes("2019-01-31/1600"), partition_bytes_max) << "totals_kind";
}

TEST_F(PartitionSizes, OfAMeterStayBelowTheLimit) {
  const auto& rows = written_.at(Statement::insert_day);
  EXPECT_EQ(rows.rows, written_meters * channels);
  EXPECT_LT(rows.mean(), 250);
  EXPECT_LT(rows.mean() * 366 * channels * versions, partition_bytes_max);
  constexpr double five_minutes = 650;
  EXPECT_LT(five_minutes * 366 * channels * versions, partition_bytes_max);
}

/// A hundred files of a hundred thousand meters a day, each restated.
TEST_F(PartitionSizes, OfDeliveriesStayBelowTheLimit) {
  const auto& rows = written_.at(Statement::insert_delivery_by_time);
  EXPECT_LT(rows.mean() * 100 * 31 * versions, partition_bytes_max);
}

TEST(Buckets, AreAsManyAsTheExpectedMetersTake) {
  EXPECT_EQ(buckets_for(0), 16);
  EXPECT_EQ(buckets_for(1'000'000), 16);
  EXPECT_EQ(buckets_for(1'000'001), 17);
  EXPECT_EQ(buckets_for(meters_of_all), 160);
  EXPECT_EQ(buckets_for(expected_meters_max), buckets_max);
}

}  // namespace
}  // namespace meterline::store::cassandra
