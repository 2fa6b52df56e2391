// What bench/cassandra.py races the store on a cluster against, and how it counts what rows cost:
//   cassandra_peers URL readings FILE    a row for each reading of a wide CSV file, in unlogged
//                                        batches of 30, into the table `readings`
//   cassandra_peers URL bare COUNT       the rows of the store in the keyspace, written once more
//                                        into the table `bare_days` by the driver alone, up to
//                                        COUNT rows of one partition in a batch
//   cassandra_peers URL units            what Amazon Keyspaces would charge for the store's rows
// The keyspace must exist. Each prints one line of JSON.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/try.h"
#include "store/cassandra/cassandra_store.h"
#include "store/cassandra/cql_cells.h"
#include "store/cassandra/cql_session.h"
#include "store/cassandra/schema.h"
#include "store/cassandra/tables.h"
#include "store/cassandra/write_units.h"
#include "testing/must.h"

namespace {

using namespace meterline;
using namespace meterline::store;
using namespace meterline::store::cassandra;
using testing::must;

constexpr std::size_t bare_rows_max = 1'000'000;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Sends rows in batches of one partition.
class Batches {
 public:
  Batches(CqlSession& session, CqlStatement statement, std::size_t rows_max)
      : writer_(session.writer({})), statement_(statement), rows_max_(rows_max) {}

  CqlCells& row(const std::string& partition) {
    if (count_ == rows_max_ || partition != partition_) send();
    partition_ = partition;
    ++count_;
    ++rows_;
    return cells_;
  }
  std::int64_t finish() {
    send();
    must(writer_->finish());
    return rows_;
  }

 private:
  void send() {
    if (count_ > 0) must(writer_->write(statement_, cells_.bytes(), count_));
    cells_.clear();
    count_ = 0;
  }

  std::unique_ptr<CqlWriter> writer_;
  CqlStatement statement_;
  std::size_t rows_max_;
  CqlCells cells_;
  std::string partition_;
  std::size_t count_ = 0;
  std::int64_t rows_ = 0;
};

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

std::string nanoseconds(std::int64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

void write_readings(CqlSession& session, const std::string& keyspace, const std::string& file) {
  must(session.execute(fmt::format(
      "CREATE TABLE IF NOT EXISTS {}.readings (meter_id text, date date, time time, value bigint, "
      "PRIMARY KEY ((meter_id), date, time))",
      keyspace)));
  const auto insert = must(session.prepare(
      {.name = "insert_reading",
       .cql =
           fmt::format("INSERT INTO {}.readings (meter_id, date, time, value) VALUES (?, ?, ?, ?)",
                       keyspace)}));
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  const auto begin = std::chrono::steady_clock::now();
  Batches batches(session, insert, batch_rows_max(Dialect::keyspaces));
  while (std::getline(in, line)) {
    const auto fields = fields_of(line);
    const std::string meter(fields.at(0));
    const auto date = Date::parse(fields.at(1));
    for (std::size_t i = 2; i < fields.size(); ++i) {
      if (fields[i].empty()) continue;
      auto& cells = batches.row(meter);
      cells.text(meter);
      cells.date(date.value());
      cells.blob(nanoseconds(static_cast<std::int64_t>(i - 2) * 1800 * 1'000'000'000));
      cells.bigint(std::strtoll(std::string(fields[i]).c_str(), nullptr, 10));
    }
  }
  const auto rows = batches.finish();
  fmt::print("{{\"rows\":{},\"seconds\":{:.3f}}}\n", rows, seconds_since(begin));
}

struct BareRow {
  std::string meter;
  std::int32_t year;
  Date date;
  std::string channel;
  std::string version;
  std::string day;
};

void write_bare(CqlSession& session, const std::string& keyspace, std::size_t rows_max) {
  std::vector<BareRow> rows;
  const auto read = session.query(
      fmt::format("SELECT meter, year, date, channel, version, day FROM {}.reading_days", keyspace),
      [&](std::size_t, const CqlPage& page) {
        return visit_rows(page, [&](CqlRow& row) -> Result<void> {
          rows.push_back({.meter = std::string(row.text()),
                          .year = row.integer(),
                          .date = row.date(),
                          .channel = std::string(row.text()),
                          .version = std::string(row.blob()),
                          .day = std::string(row.blob())});
          return rows.size() < bare_rows_max ? Result<void>() : enough();
        });
      });
  if (!is_enough(read)) must(read);

  std::string table = create_tables(keyspace)[0];
  table.replace(table.find(".reading_days"), 13, ".bare_days");
  must(session.execute(table));
  const auto insert = must(session.prepare(
      {.name = "insert_bare",
       .cql = fmt::format("INSERT INTO {}.bare_days (meter, year, date, channel, version, day) "
                          "VALUES (?, ?, ?, ?, ?, ?)",
                          keyspace)}));
  const auto begin = std::chrono::steady_clock::now();
  Batches batches(session, insert, rows_max);
  for (const auto& row : rows) {
    auto& cells = batches.row(row.meter + '/' + std::to_string(row.year));
    cells.text(row.meter);
    cells.integer(row.year);
    cells.date(row.date);
    cells.text(row.channel);
    cells.blob(row.version);
    cells.blob(row.day);
  }
  const auto written = batches.finish();
  fmt::print("{{\"rows\":{},\"seconds\":{:.3f}}}\n", written, seconds_since(begin));
}

struct TableColumns {
  std::string_view table;
  std::string_view columns;  ///< Partition key, clustering columns, others.
  RowShape shape;
};

constexpr TableColumns tables[] = {
    {"reading_days", "meter, year, date, channel, version, day", {2, 3, 1}},
    {"day_totals", "period, bucket, version, first_meter, last_meter, totals", {2, 3, 1}},
    {"meters", "bucket, meter, channel, year", {1, 3, 0}},
    {"deliveries", "id, content, part, record", {1, 2, 1}},
    {"deliveries_by_time", "month, delivered_at, id", {1, 2, 0}},
    {"deliveries_by_receipt", "month, received_at, id", {1, 2, 0}},
    {"deliveries_by_source", "source, delivered_at, id", {1, 2, 0}},
    {"catalogue", "kind, name", {1, 1, 0}},
};

void count_units(CqlSession& session, const std::string& keyspace) {
  std::int64_t all = 0;
  std::int64_t days = 0;
  std::string by_table;
  for (const auto& table : tables) {
    std::int64_t units = 0;
    must(session.query(fmt::format("SELECT {} FROM {}.{}", table.columns, keyspace, table.table),
                       [&](std::size_t, const CqlPage& page) {
                         return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                           units += write_units_of(table.shape, row);
                           if (table.table == "reading_days") ++days;
                           return {};
                         });
                       }));
    all += units;
    by_table += fmt::format(",\"{}\":{}", table.table, units);
  }
  fmt::print("{{\"days\":{},\"units\":{}{}}}\n", days, all, by_table);
}

void run(const std::string& url, const std::string& what, const std::string& argument) {
  const auto options = must(parse_cassandra_url(url, [](const std::string&) { return ""; }));
  const auto session = must(connect_cql(options.cql));
  if (what == "readings") return write_readings(*session, options.keyspace, argument);
  if (what == "bare") return write_bare(*session, options.keyspace, std::stoul(argument));
  if (what == "units") return count_units(*session, options.keyspace);
  throw std::runtime_error("want readings, bare or units");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3)
    throw std::runtime_error("usage: cassandra_peers URL readings|bare|units [FILE|COUNT]");
  run(argv[1], argv[2], argc > 3 ? argv[3] : "");
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "cassandra_peers: {}\n", error.what());
  return 1;
}
