// What a day of very many meters takes on a cluster: rows, write units and partitions, counted of
// what the real writer writes, and claims that a question over all of them holds.
//
//     build/release/bench/cluster_size [METERS [VERSIONS]]     (default: 10000000 2)

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/try.h"
#include "store/cassandra/cassandra_writer.h"
#include "store/cassandra/claims.h"
#include "store/cassandra/counting_session.h"
#include "store/cassandra/cql_cells.h"
#include "store/cassandra/totals_row.h"
#include "store/cassandra/totals_rows.h"
#include "store/cassandra/write_units.h"
#include "store/packed_day.h"

namespace {

using namespace meterline;                    // NOLINT(google-build-using-namespace)
using namespace meterline::store::cassandra;  // NOLINT(google-build-using-namespace)

constexpr int meters_of_file = 100'000;
/// What Cassandra writes of a row beside its values, as in partition_sizes_test.cc.
constexpr std::int64_t row_bytes = 20;
constexpr std::int64_t microseconds = 1'000'000;
constexpr std::int64_t day_seconds = 86'400;

struct Counted {
  std::int64_t rows = 0;
  std::int64_t units = 0;
  std::int64_t bytes = 0;
  std::map<std::string, std::int64_t, std::less<>> partitions;  ///< Bytes of the few large ones.
};

/// Takes what is written, of one version of the day after another.
class Count {
 public:
  Count() { claims_.begin({}); }

  Result<void> add(Statement statement, std::string_view rows, std::size_t count) {
    const bool is_noted =
        statement == Statement::insert_meter || statement == Statement::insert_name;
    // In a store that knows them they are not written again.
    if (is_noted && version_ > 0) return {};
    const auto shape = row_shape_of(statement);
    auto& counted = by_statement_[statement];
    CqlRow cells(rows);
    for (std::size_t i = 0; i < count; ++i) {
      CqlRow priced = cells;
      counted.units += write_units_of(shape, priced);
      const auto before = cells.left();
      std::string partition;
      for (int k = 0; k < shape.partition; ++k) partition += cells.blob();
      const auto key_left = cells.left();
      if (statement == Statement::insert_totals) {
        METERLINE_CHECK(take_totals(cells));
      } else {
        for (int k = 0; k < shape.clustering + shape.others; ++k) cells.blob();
      }
      if (!cells.ok() || cells.left() >= before) return fail(Errc::corrupt, "a row is cut off");
      const auto bytes = static_cast<std::int64_t>(key_left - cells.left()) + row_bytes;
      ++counted.rows;
      counted.bytes += bytes;
      if (statement != Statement::insert_day) counted.partitions[partition] += bytes;
    }
    return {};
  }

  void next_version() { ++version_; }
  const std::map<Statement, Counted>& all() const { return by_statement_; }
  const Claims& claims() const { return claims_; }

 private:
  Result<void> take_totals(CqlRow& cells) {
    const auto key = parse_version_key(cells.blob());
    cells.blob();
    cells.blob();
    METERLINE_CHECK(read_totals_row(cells.blob(), row_));
    for (const auto& entry : row_.entries) claims_.add(entry, *Date::parse("2019-01-31"), key);
    return {};
  }

  int version_ = 0;
  std::map<Statement, Counted> by_statement_;
  Claims claims_{claims_held_max - claims_held_max / 4};
  TotalsRow row_;
};

struct Sample {
  std::string packed;
  std::optional<std::int64_t> total;
};

/// Days of households: 48 readings of three decimals.
std::vector<Sample> make_samples() {
  std::vector<Sample> samples(1000);
  std::uint64_t state = 1;
  for (auto& sample : samples) {
    ReadingDay day{.interval = *IntervalLength::from_minutes(30), .exponent = -3};
    for (int i = 0; i < 48; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      day.mantissas.push_back(static_cast<std::int64_t>(80 + (state >> 33) % 700));
      day.qualities.push_back(Quality::actual);
    }
    store::pack_day(day, sample.packed);
    sample.total = store::plain_total(day);
  }
  return samples;
}

Delivery delivery_of(int version, int file) {
  Delivery delivery;
  delivery.source = fmt::format("s3://readings/{}/{:05}.csv.gz", version, file);
  delivery.content[0] = static_cast<std::uint8_t>(version);
  delivery.content[1] = static_cast<std::uint8_t>(file);
  delivery.content[2] = static_cast<std::uint8_t>(file >> 8);
  std::copy_n(delivery.content.begin(), 3, delivery.id.bytes.begin());
  const std::int64_t second = (17'928 + version) * day_seconds + file;
  delivery.delivered_at.micros = second * microseconds;
  delivery.received_at = delivery.delivered_at;
  return delivery;
}

Result<void> write_file(const Tables& tables, const std::vector<Sample>& samples, int version,
                        int first, int last) {
  const Delivery delivery = delivery_of(version, first / meters_of_file);
  METERLINE_TRY(const auto writer, make_cassandra_writer(std::span(&delivery, 1), tables));
  const Channel channel;
  for (int i = first; i < last; ++i) {
    const auto meter = *MeterId::parse(fmt::format("NMI{:08}", i));
    const auto& sample = samples[static_cast<std::size_t>(i + version * 7) % samples.size()];
    METERLINE_CHECK(writer->add({.meter = meter,
                                 .channel = channel,
                                 .date = *Date::parse("2019-01-31"),
                                 .packed = sample.packed,
                                 .plain_total = sample.total}));
  }
  DeliveryReport report;
  report.state = DeliveryState::stored;
  return writer->commit(report);
}

void print(const Count& count, int meters, int versions) {
  std::int64_t units = 0;
  fmt::print("| written | rows | write units | MB | partitions | the largest, MB |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const auto& [statement, counted] : count.all()) {
    units += counted.units;
    std::int64_t largest = 0;
    for (const auto& [key, bytes] : counted.partitions) largest = std::max(largest, bytes);
    fmt::print(
        "| `{}` | {} | {} | {:.1f} | {} | {:.3f} |\n",
        statements()[static_cast<std::size_t>(statement)].name, counted.rows, counted.units,
        static_cast<double>(counted.bytes) / 1e6,
        statement == Statement::insert_day ? meters : static_cast<int>(counted.partitions.size()),
        static_cast<double>(largest) / 1e6);
  }
  const auto held = count.claims().all().size();
  fmt::print(
      "\n{:.4f} write units a meter-day; {} claims of {} bytes held, of {} meters in {} "
      "versions: {} passes\n",
      static_cast<double>(units) / meters / versions, held, sizeof(Claim), meters, versions,
      (static_cast<std::size_t>(meters) + held - 1) / held);
}

Result<void> run(int meters, int versions) {
  Count count;
  const auto take = [&](Statement statement, std::string_view rows, std::size_t rows_count) {
    return count.add(statement, rows, rows_count);
  };
  METERLINE_TRY(const auto tables, Tables::open(make_counting_session(take, buckets_for(meters)),
                                                "counted", Dialect::keyspaces));
  const auto samples = make_samples();
  for (int version = 0; version < versions; ++version, count.next_version())
    for (int first = 0; first < meters; first += meters_of_file)
      METERLINE_CHECK(
          write_file(*tables, samples, version, first, std::min(meters, first + meters_of_file)));
  print(count, meters, versions);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const int meters = argc > 1 ? std::atoi(argv[1]) : 10'000'000;
  const int versions = argc > 2 ? std::atoi(argv[2]) : 2;
  const auto done = run(meters, versions);
  if (!done) fmt::print(stderr, "cluster_size: {}\n", done.error().message);
  return done ? 0 : 1;
}
