// What only the embedded store does; the rest is in the contract suite.

#include "store/rocksdb/rocksdb_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "store/check.h"
#include "store/packed_day.h"
#include "store/rocksdb/log_file.h"
#include "store/rocksdb/store_folder.h"
#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

Delivery delivery_number(std::uint8_t n) {
  return {.id = {{n}}, .source = "file", .content = {n}, .bytes = 1, .delivered_at = {n * 1000}};
}

/// Adds `meters` meters of `days` days with a total of 48 a day, from 2019-01-01.
Result<void> add_days(DeliveryWriter& writer, int meters, int days) {
  ReadingDay day;
  day.mantissas.assign(48, 1);
  day.qualities.assign(48, Quality::actual);
  std::string packed;
  pack_day(day, packed);
  const Channel channel;
  const auto first = *Date::parse("2019-01-01");
  for (int m = 0; m < meters; ++m) {
    const auto meter = *MeterId::parse(fmt::format("EE{:06}", m));
    for (int d = 0; d < days; ++d) {
      const auto date = *Date::from_days(first.days() + d);
      auto added = writer.add({.meter = meter,
                               .channel = channel,
                               .date = date,
                               .packed = packed,
                               .plain_total = plain_total(day)});
      if (!added) return added;
    }
  }
  return {};
}

std::int64_t count_totals(const Store& store, std::string_view sum_wanted) {
  std::int64_t count = 0;
  const DateRange all = {Date::min(), Date::max()};
  EXPECT_TRUE(store.read_day_totals({.dates = all}, [&](const DayTotal& total) -> Result<void> {
    EXPECT_EQ(total.sum.text(), sum_wanted);
    EXPECT_EQ(total.quality.actual, 48);
    ++count;
    return {};
  }));
  return count;
}

class RocksdbStore : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open() {
    auto opened = open_rocksdb_store({.folder = temp_.path() / "s", .owner = "test"});
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  testing::TempFolder temp_;
};

TEST_F(RocksdbStore, TakesInADeliveryThatIsTooLargeForABatch) {
  constexpr int meters = 2500;
  constexpr int days = 90;
  auto store = open();
  {
    auto writer = store->write(delivery_number(1));
    ASSERT_TRUE(add_days(**writer, meters, days));
    ASSERT_TRUE((*writer)->commit({.rows = {.read = 5, .stored = 5}}));
  }
  EXPECT_EQ(count_totals(*store, "48"), meters * days);
  store.reset();
  store = open();
  EXPECT_EQ(count_totals(*store, "48"), meters * days);
  const auto record = store->delivery(delivery_number(1).id);
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->report.rows.stored, 5);
}

TEST_F(RocksdbStore, ALargeDeliveryWithoutCommitLeavesNothing) {
  auto store = open();
  {
    auto writer = store->write(delivery_number(1));
    ASSERT_TRUE(add_days(**writer, 2500, 90));
  }
  EXPECT_EQ(count_totals(*store, "48"), 0);
  EXPECT_TRUE(std::filesystem::is_empty(temp_.path() / "s" / "incoming"));
}

TEST_F(RocksdbStore, ARefusedDeliveryThatComesAgainLaterIsListedOnce) {
  auto store = open();
  auto delivery = delivery_number(1);
  for (const int time : {1000, 2000}) {
    delivery.delivered_at.micros = time;
    ASSERT_TRUE((*store->write(delivery))->commit({.state = DeliveryState::refused}));
  }
  const auto all = store->deliveries({});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().delivery.delivered_at.micros, 2000);
}

TEST_F(RocksdbStore, ManyDeliveriesKeepTheirNumbersOverARestart) {
  auto store = open();
  for (std::uint8_t n = 1; n <= 200; ++n) {
    auto writer = store->write(delivery_number(n));
    if (n % 3 == 0) continue;  // Never committed: its number is a gap.
    ASSERT_TRUE(add_days(**writer, 1, 1));
    ASSERT_TRUE((*writer)->commit(DeliveryReport{}));
  }
  store.reset();
  store = open();
  std::size_t versions = 0;
  ASSERT_TRUE(
      store->read_days({.meter = *MeterId::parse("EE000000"), .dates = {Date::min(), Date::max()}},
                       [&](const StoredDay& day) -> Result<void> {
                         EXPECT_EQ(day.version.stated.micros, day.delivery.bytes[0] * 1000);
                         ++versions;
                         return {};
                       }));
  EXPECT_EQ(versions, 134U);
}

/// A bit in steps of every table file: opening or the check tells of it.
TEST_F(RocksdbStore, ADamagedTableFileIsNeverSilent) {
  auto store = open();
  auto writer = store->write(delivery_number(1));
  ASSERT_TRUE(add_days(**writer, 1, 1));
  ASSERT_TRUE((*writer)->commit(DeliveryReport{}));
  writer->reset();
  store.reset();
  const auto closed = temp_.path() / "closed";
  std::filesystem::copy(temp_.path() / "s", closed, std::filesystem::copy_options::recursive);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(closed / "db")) {
    if (entry.path().extension() != ".sst") continue;
    ++files;
    const auto bytes = *read_whole_file(entry.path());
    for (std::size_t at = 0; at < bytes.size(); at += 97) {
      const auto folder = temp_.path() / "damaged";
      std::filesystem::remove_all(folder);
      std::filesystem::copy(closed, folder, std::filesystem::copy_options::recursive);
      auto damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << at % 8);
      std::ofstream(folder / "db" / entry.path().filename(), std::ios::binary) << damaged;
      const auto opened = open_rocksdb_store({.folder = folder, .owner = "test"});
      if (!opened) continue;
      const auto report = check_store(**opened);
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_GT(report->damage_count, 0) << entry.path() << " at " << at;
    }
  }
  EXPECT_GE(files, 2);
}

/// Lets every write that makes a file longer than `bytes` fail, as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_ = {};
};

TEST_F(RocksdbStore, GoesOnByItselfWhenItsDiskTakesWritesAgain) {
  auto store = open();
  const auto load = [&](std::uint8_t n) -> Result<void> {
    auto writer = store->write(delivery_number(n));
    if (!writer) return tl::unexpected(writer.error());
    auto added = add_days(**writer, 1, n);
    return added ? (*writer)->commit(DeliveryReport{}) : added;
  };
  ASSERT_TRUE(load(1));
  EXPECT_TRUE(store->ready());
  {
    const FileSizeLimit limit(100);
    for (std::uint8_t n = 2; n <= 3; ++n) {
      const auto loaded = load(n);
      ASSERT_FALSE(loaded);
      EXPECT_EQ(loaded.error().code, Errc::unavailable);
    }
    const auto ready = store->ready();
    ASSERT_FALSE(ready);
    EXPECT_THAT(ready.error().message, ::testing::HasSubstr("goes on by itself"));
    EXPECT_EQ(count_totals(*store, "48"), 1);  // Questions go on.
  }
  EXPECT_TRUE(store->ready());
  ASSERT_TRUE(load(3));
  EXPECT_EQ(count_totals(*store, "48"), 3);
  store.reset();
  store = open();
  EXPECT_EQ(count_totals(*store, "48"), 3);
}

/// The logs of the database in this store.
std::vector<std::filesystem::path> logs_of(const std::filesystem::path& store) {
  return *log_files(store / "db");
}

TEST_F(RocksdbStore, SaysWhatHasToBeDoneWhereItCannotGoOn) {
  const auto store = open();
  for (std::uint8_t n = 1; n <= 2; ++n) {
    auto writer = store->write(delivery_number(n));
    ASSERT_TRUE(add_days(**writer, 1, n));
    ASSERT_TRUE((*writer)->commit(DeliveryReport{}));
  }
  {
    const FileSizeLimit limit(100);
    auto writer = store->write(delivery_number(3));
    ASSERT_TRUE(add_days(**writer, 1, 1));
    ASSERT_FALSE((*writer)->commit(DeliveryReport{}));
  }
  const auto log = logs_of(temp_.path() / "s").back();
  std::fstream(log, std::ios::in | std::ios::out | std::ios::binary) << "damaged";
  const auto ready = store->ready();
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, Errc::corrupt);
  EXPECT_THAT(ready.error().message, ::testing::HasSubstr("`meterline store repair`"));
  const auto written = store->write(delivery_number(3));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, ready.error().message);
  EXPECT_EQ(store->deliveries({}).error().message, ready.error().message);
}

TEST_F(RocksdbStore, AfterACleanStopNothingIsInTheLogOnly) {
  auto store = open();
  auto writer = store->write(delivery_number(1));
  ASSERT_TRUE(add_days(**writer, 1, 1));
  ASSERT_TRUE((*writer)->commit(DeliveryReport{}));
  writer->reset();
  store.reset();
  for (const auto& log : logs_of(temp_.path() / "s"))
    EXPECT_EQ(std::filesystem::file_size(log), 0U) << log;
}

/// Each bit of the log of a process that was killed, in steps.
TEST_F(RocksdbStore, ADamagedLogIsNamedAndNothingIsLostSilently) {
  auto store = open();
  for (std::uint8_t n = 1; n <= 5; ++n) {
    auto writer = store->write(delivery_number(n));
    ASSERT_TRUE(add_days(**writer, 1, 1));
    ASSERT_TRUE((*writer)->commit(DeliveryReport{}));
  }
  const auto killed = temp_.path() / "killed";
  std::filesystem::copy(temp_.path() / "s", killed, std::filesystem::copy_options::recursive);
  for (const auto& log : logs_of(killed)) {
    const auto bytes = *read_whole_file(log);
    for (std::size_t at = 0; at < bytes.size(); at += 37) {
      auto damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << at % 8);
      std::ofstream(log, std::ios::binary) << damaged;
      const auto opened = open_rocksdb_store({.folder = killed, .owner = "test"});
      ASSERT_FALSE(opened) << at;
      EXPECT_EQ(opened.error().code, Errc::corrupt);
      EXPECT_THAT(opened.error().message, ::testing::HasSubstr(log.string()));
      EXPECT_THAT(opened.error().message, ::testing::HasSubstr("damaged at byte"));
    }
    std::ofstream(log, std::ios::binary) << bytes;
  }
  const auto opened = open_rocksdb_store({.folder = killed, .owner = "test"});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->deliveries({})->size(), 5U);
}

}  // namespace
}  // namespace meterline::store::rocksdb
