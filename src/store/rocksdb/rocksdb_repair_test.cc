#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "store/check.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/log_file.h"
#include "store/rocksdb/opened_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/store_folder.h"
#include "testing/must.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;
using meterline::testing::answers_of;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::TempFolder;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::uint8_t deliveries_count = 5;

/// All have a day of meter SHARED, and one of their own.
meterline::testing::TestDelivery nth(std::uint8_t n) {
  return delivery_of(n, n,
                     {fmt::format("M{} 2019-01-01 60 {}x24", n, n),
                      fmt::format("SHARED 2019-01-{:02} 60 2x24", n)});
}

/// The answers of a store of these deliveries, in that order, all but `left_out`.
std::string answers_without(std::uint8_t left_out) {
  const TempFolder temp;
  const auto store = must(open_rocksdb_store({.folder = temp.path() / "s"}));
  for (std::uint8_t n = 1; n <= deliveries_count; ++n)
    if (n != left_out) must(load(*store, nth(n)));
  return answers_of(*store);
}

/// Reports of these deliveries count no rows, which is all that is wrong with them.
bool is_sound(const Store& store) {
  const auto report = must(check_store(store));
  return std::all_of(report.damage.begin(), report.damage.end(),
                     [](const Damage& damage) { return damage.kind == DamageKind::delivery; });
}

class RocksdbRepair : public ::testing::Test {
 protected:
  /// As a process leaves it that is killed behind its last acknowledgement.
  void SetUp() override {
    const auto store = must(open_rocksdb_store({.folder = temp_.path() / "live"}));
    for (std::uint8_t n = 1; n <= deliveries_count; ++n) must(load(*store, nth(n)));
    fs::copy(temp_.path() / "live", temp_.path() / "killed", fs::copy_options::recursive);
    begin_anew();
    const auto logs = must(log_files(folder_ / "db"));
    ASSERT_THAT(logs, SizeIs(1));
    log_ = logs.front();
    bytes_ = must(read_whole_file(log_));
  }

  void begin_anew() const {
    fs::remove_all(folder_);
    fs::copy(temp_.path() / "killed", folder_, fs::copy_options::recursive);
  }
  void flip(std::size_t at) const {
    auto damaged = bytes_;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    std::ofstream(log_, std::ios::binary) << damaged;
  }
  Result<std::unique_ptr<Store>> open() const { return open_rocksdb_store({.folder = folder_}); }
  Result<RepairReport> repair(RepairMode mode) const {
    return repair_rocksdb_store({.folder = folder_}, mode);
  }

  TempFolder temp_;
  const fs::path folder_ = temp_.path() / "s";
  fs::path log_;
  std::string bytes_;
};

TEST_F(RocksdbRepair, LosesTheDamagedDeliveryOnlyAndNamesIt) {
  std::size_t at = 0;
  for (std::uint8_t n = 1; n <= deliveries_count; ++n) {
    begin_anew();
    at =
        bytes_.find(fmt::format("M{}", n), at);  // In the packed days, of which the record is none.
    ASSERT_NE(at, std::string::npos);
    flip(at);
    ASSERT_FALSE(open());

    const auto seen = must(repair(RepairMode::look));
    ASSERT_THAT(seen.lost, SizeIs(1));
    EXPECT_EQ(seen.lost[0].file, log_);
    EXPECT_LE(seen.lost[0].from, at);
    EXPECT_GT(seen.lost[0].to, at);
    ASSERT_THAT(seen.lost[0].deliveries, SizeIs(1));
    EXPECT_EQ(seen.lost[0].deliveries[0].id, nth(n).delivery.id);
    EXPECT_EQ(seen.lost[0].deliveries[0].source, nth(n).delivery.source);
    EXPECT_EQ(seen.lost[0].deliveries[0].delivered_at, nth(n).delivery.delivered_at);
    EXPECT_TRUE(seen.damaged.empty());
    ASSERT_FALSE(open());  // Nothing was changed.

    const auto done = must(repair(RepairMode::apply));
    EXPECT_EQ(done.damaged, folder_ / "damaged-1");
    EXPECT_TRUE(fs::exists(done.damaged / log_.filename()));
    const auto store = must(open());
    EXPECT_EQ(answers_of(*store), answers_without(n));
    EXPECT_TRUE(is_sound(*store));
    must(load(*store, nth(n)));
    EXPECT_EQ(answers_of(*store), answers_without(0));
  }
}

/// Whichever byte it is: what is repaired opens, is sound, and lacks one delivery or none.
TEST_F(RocksdbRepair, WhateverByteIsDamagedAllElseIsKept) {
  for (std::size_t at = 3; at < bytes_.size(); at += 211) {
    begin_anew();
    flip(at);
    must(repair(RepairMode::apply));
    const auto store = must(open());
    EXPECT_GE(must(store->deliveries({})).size(), deliveries_count - 1U) << at;
    EXPECT_TRUE(is_sound(*store)) << at;
    EXPECT_TRUE(fs::is_empty(folder_ / "incoming"));
  }
}

TEST_F(RocksdbRepair, WhereNothingIsDamagedNothingIsChanged) {
  const auto report = must(repair(RepairMode::apply));
  EXPECT_FALSE(report.finds_damage());
  EXPECT_FALSE(fs::exists(folder_ / "damaged-1"));
  EXPECT_EQ(must(read_whole_file(log_)), bytes_);
  EXPECT_EQ(answers_of(*must(open())), answers_without(0));
}

TEST_F(RocksdbRepair, DaysWithoutARecordAreRefusedAndThenLeftOut) {
  const auto before = answers_of(*must(open()));
  {
    const auto database = must(Database::open(folder_ / "db", cache_bytes_min, OpenAs::there));
    ::rocksdb::WriteBatch batch;
    const auto last = number_key(deliveries_count - 1);
    ASSERT_TRUE(batch.Delete(database->family(Family::deliveries), last).ok());
    must(database->write("remove a record", batch, true));
  }
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::corrupt);
  EXPECT_THAT(refused.error().message, HasSubstr("delivery number 4"));
  EXPECT_THAT(refused.error().message, HasSubstr("`meterline store repair`"));
  EXPECT_EQ(must(repair(RepairMode::look)).dropped, 1);
  ASSERT_FALSE(open());
  EXPECT_EQ(must(repair(RepairMode::apply)).dropped, 1);
  const auto store = must(open());
  EXPECT_FALSE(must(store->meter(*MeterId::parse("M5"))));
  EXPECT_TRUE(must(store->meter(*MeterId::parse("M4"))));
}

TEST_F(RocksdbRepair, ThatWasInterruptedIsBegunAnew) {
  fs::rename(folder_ / "db", folder_ / "damaged-1");
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("`meterline store repair` takes back"));
  EXPECT_FALSE(must(repair(RepairMode::apply)).finds_damage());
  EXPECT_EQ(answers_of(*must(open())), answers_without(0));
}

TEST_F(RocksdbRepair, AStoreWithoutAnyDatabaseIsRefused) {
  fs::remove_all(folder_ / "db");
  const auto report = repair(RepairMode::look);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("has no database any more"));
}

TEST_F(RocksdbRepair, ADamagedManifestIsNotRepaired) {
  auto name = must(read_whole_file(folder_ / "db" / "CURRENT"));
  name.pop_back();
  const auto manifest = folder_ / "db" / name;
  auto bytes = must(read_whole_file(manifest));
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  std::ofstream(manifest, std::ios::binary) << bytes;
  const auto report = repair(RepairMode::apply);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::corrupt);
  EXPECT_THAT(report.error().message, HasSubstr(manifest.string() + " is damaged at byte"));
  std::ofstream(folder_ / "db" / "CURRENT") << "MANIFEST-9\n";
  EXPECT_THAT(repair(RepairMode::apply).error().message, HasSubstr("CURRENT is damaged"));
}

TEST_F(RocksdbRepair, NumbersOfWhatIsLostAreNotGivenAgain) {
  flip(bytes_.rfind("M5"));
  const auto lost = must(repair(RepairMode::apply)).lost;
  ASSERT_THAT(lost, SizeIs(1));
  const auto opened = must(open_once({.database = folder_ / "db", .incoming = folder_ / "incoming"},
                                     {.folder = folder_}, {}));
  EXPECT_GE(opened->next_number(), 1000U);
}

}  // namespace
}  // namespace meterline::store::rocksdb
