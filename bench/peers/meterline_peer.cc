// meterline in process, for what its program is not asked by files: `append`, `compact` and `ask`
// of peer.py. `ingest` is `meterline ingest`.
#include <rocksdb/db.h>

#include <filesystem>
#include <memory>

#include "ingest/ingest.h"
#include "peers/ask.h"
#include "query/consumption.h"
#include "query/gaps.h"
#include "query/portfolio.h"
#include "source/disk/disk_source.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/opened_store.h"
#include "store/rocksdb/recent.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"

namespace {

using namespace meterline;
using bench::Key;
using testing::must;

std::unique_ptr<store::Store> open(const bench::Options& options, std::size_t cache_bytes) {
  return must(store::open_rocksdb_store({.folder = options.store, .cache_bytes = cache_bytes}));
}

/// One file after the other, each durable before the next is begun.
void append(const bench::Options& options) {
  const auto store = open(options, store::rocksdb::cache_bytes_min);
  const ingest::IngestOptions how{.unit = options.decimals == 0 ? Unit::unknown : Unit::kWh};
  for (const auto& path : options.paths) {
    const auto record = ingest::load(must(source::file_delivery(path)), *store, how);
    if (record.report.state != DeliveryState::stored)
      throw std::runtime_error(path + ": " + record.report.reason);
  }
}

void compact(const bench::Options& options) {
  const auto folder = std::filesystem::path(options.store);
  const auto database = must(store::rocksdb::Database::open(
      folder / "db", store::rocksdb::cache_bytes_min, store::rocksdb::OpenAs::there));
  const auto table = must(store::rocksdb::load_table(*database));
  store::rocksdb::RecentMonths recent(0);
  must(store::rocksdb::load_recent(*database, *table, store::rocksdb::RecentWithoutRecord::refused,
                                   recent));
  must(store::rocksdb::RecentFold(*database, recent, folder / "incoming").fold());
  for (const auto family : {store::rocksdb::Family::days, store::rocksdb::Family::totals,
                            store::rocksdb::Family::deliveries, store::rocksdb::Family::meters,
                            store::rocksdb::Family::recent, store::rocksdb::Family::registers}) {
    rocksdb::CompactRangeOptions how;
    if (family ==
        store::rocksdb::Family::recent)  // What was folded is removed, even from the last level.
      how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    const auto done = database->db().CompactRange(how, database->family(family), nullptr, nullptr);
    if (!done.ok()) throw std::runtime_error(done.ToString());
  }
}

/// The questions, as the API asks them.
class Questions {
 public:
  Questions(const store::Store& store, int decimals) : store_(store), decimals_(decimals) {}

  std::int64_t day(const Key& key) const {
    const auto sum = must(query::daily_sum(store_, meter_of(key), dates_of(key).from));
    return sum ? scaled(*sum) : 0;
  }

  std::int64_t series(const Key& key, query::Resolution resolution) const {
    const auto answer = must(query::consumption(
        store_, {.meter = meter_of(key), .dates = dates_of(key), .resolution = resolution}));
    std::int64_t sum = 0;
    for (const auto& channel : answer.channels)
      if (channel.total.sum) sum += scaled(*channel.total.sum);
    return sum;
  }

  std::int64_t portfolio(const Key& key) const {
    const auto answer = must(query::portfolio(store_, {.dates = dates_of(key)}));
    std::int64_t sum = 0;
    for (const auto& channel : answer.channels)
      if (channel.total.total.sum) sum += scaled(*channel.total.total.sum);
    return sum;
  }

  /// As the peers count them: of the meters with a day in the time asked for.
  std::int64_t gaps(const Key& key) const {
    const auto answer =
        must(query::gaps(store_, {.dates = dates_of(key), .absent = query::Absent::left_out}));
    return answer.total.meters_with_gaps;
  }

 private:
  static MeterId meter_of(const Key& key) { return MeterId::parse(key.meter).value(); }
  static DateRange dates_of(const Key& key) {
    const auto end = Date::parse(key.to).value();
    return {Date::parse(key.from).value(), Date::from_days(end.days() - 1).value()};
  }

  std::int64_t scaled(const Sum& sum) const {
    auto mantissa = sum.mantissa();
    for (int exponent = sum.exponent(); exponent > -decimals_; --exponent) mantissa *= 10;
    for (int exponent = sum.exponent(); exponent < -decimals_; ++exponent) mantissa /= 10;
    return static_cast<std::int64_t>(mantissa);
  }

  const store::Store& store_;
  int decimals_;
};

void ask(const bench::Options& options) {
  // As `meterline serve` does.
  const auto store = open(options, store::rocksdb::suitable_cache_bytes());
  const Questions questions(*store, options.decimals);
  const auto series = [&](query::Resolution resolution) {
    return [&questions, resolution](const Key& key) { return questions.series(key, resolution); };
  };
  bench::ask_all(options, {{"day", [&](const Key& key) { return questions.day(key); }},
                           {"year", series(query::Resolution::day)},
                           {"readings", series(query::Resolution::interval)},
                           {"portfolio", [&](const Key& key) { return questions.portfolio(key); }},
                           {"gaps", [&](const Key& key) { return questions.gaps(key); }}});
}

void run(const bench::Options& options) {
  if (options.command == "append") return append(options);
  if (options.command == "compact") return compact(options);
  if (options.command == "ask") return ask(options);
  throw std::invalid_argument("unknown command " + options.command);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(bench::parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "meterline_peer: " << error.what() << '\n';
    return 1;
  }
}
