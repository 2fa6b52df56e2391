// What is there after a sync has failed, after a kill, and after a power cut.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "store/memory/memory_store.h"
#include "store/rocksdb/opened_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/store_days.h"
#include "testing/syncs.h"
#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;
using meterline::testing::answers_of;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::SyncWatch;
using meterline::testing::TempFolder;
using ::testing::Contains;

constexpr std::uint8_t deliveries_count = 3;

meterline::testing::TestDelivery nth(std::uint8_t n) {
  return delivery_of(
      n, n,
      {fmt::format("M{} 2019-01-01 60 {}x24", n, n), fmt::format("SHARED 2019-01-01 60 {}x24", n)});
}

std::set<std::uint8_t> listed_in(const Store& store) {
  std::set<std::uint8_t> listed;
  for (std::uint8_t n = 1; n <= deliveries_count; ++n)
    if (must(store.delivery(nth(n).delivery.id))) listed.insert(n);
  return listed;
}

std::string answers_of_these(const std::set<std::uint8_t>& deliveries) {
  const auto store = make_memory_store();
  for (const auto n : deliveries) must(load(*store, nth(n)));
  return answers_of(*store);
}

/// Loads all while one sync fails, and opens the store again. False where there were fewer syncs.
bool try_with_failing_sync(int fail_at, const std::string& of, const RocksdbOptions& options) {
  std::set<std::uint8_t> acknowledged;
  bool has_failed = false;
  {
    const auto store = must(open_rocksdb_store(options));
    const SyncWatch watch(fail_at, of);
    for (std::uint8_t n = 1; n <= deliveries_count; ++n)
      if (load(*store, nth(n))) acknowledged.insert(n);
    has_failed = static_cast<int>(watch.synced().size()) >= fail_at;
    const auto listed = listed_in(*store);
    EXPECT_EQ(answers_of(*store), answers_of_these(listed)) << of << fail_at;
  }
  const auto store = must(open_rocksdb_store(options));
  const auto listed = listed_in(*store);
  for (const auto n : acknowledged) EXPECT_THAT(listed, Contains(n)) << of << fail_at;
  // Nothing is half there.
  EXPECT_EQ(answers_of(*store), answers_of_these(listed)) << of << fail_at;
  for (std::uint8_t n = 1; n <= deliveries_count; ++n) must(load(*store, nth(n)));
  EXPECT_EQ(answers_of(*store), answers_of_these({1, 2, 3})) << of << fail_at;
  return has_failed;
}

/// Of each kind of file each sync in turn; tests/test_faults.py has all calls.
TEST(Durability, AFailedSyncLeavesEachDeliveryWholeOrAbsent) {
  const std::size_t waits = std::size_t{8} << 20;
  const std::size_t folds_at_once = 0;
  for (const auto& [of, recent_bytes_max] : {std::pair{".log", waits},
                                             {".log", folds_at_once},
                                             {"MANIFEST", folds_at_once},
                                             {".sst", folds_at_once}}) {
    int fail_at = 1;
    for (bool goes_on = true; goes_on; ++fail_at) {
      const TempFolder temp;
      goes_on = try_with_failing_sync(
          fail_at, of, {.folder = temp.path() / "s", .recent_bytes_max = recent_bytes_max});
    }
    EXPECT_GT(fail_at, deliveries_count) << of;
  }
}

std::uint32_t next_number_of(const fs::path& store) {
  return must(open_once({.database = store / "db", .incoming = store / "incoming"}, {}, {}))
      ->next_number();
}

TEST(Durability, NumbersGoOnLaterWhereAProcessDidNotStopInOrder) {
  const TempFolder temp;
  {
    const auto store = must(open_rocksdb_store({.folder = temp.path() / "s"}));
    for (std::uint8_t n = 1; n <= 3; ++n) must(load(*store, nth(n)));
    fs::copy(temp.path() / "s", temp.path() / "killed", fs::copy_options::recursive);
  }
  EXPECT_EQ(next_number_of(temp.path() / "s"), 3U);
  EXPECT_EQ(next_number_of(temp.path() / "killed"), 1003U);
  // For good, and once.
  EXPECT_EQ(next_number_of(temp.path() / "killed"), 1003U);
}

TEST(Durability, NumbersAreNotGivenAgainAfterAFailedWrite) {
  const TempFolder temp;
  const auto store = must(open_rocksdb_store({.folder = temp.path() / "s"}));
  must(load(*store, nth(1)));
  {
    const SyncWatch watch(1);
    EXPECT_FALSE(load(*store, nth(2)));
  }
  must(load(*store, nth(3)));
  fs::copy(temp.path() / "s", temp.path() / "killed", fs::copy_options::recursive);
  EXPECT_GE(next_number_of(temp.path() / "killed"), 1003U);
}

/// A folder's name is in the folder above it, all of which are new but the last.
TEST(Durability, TheNamesOfANewStoreAreSyncedBeforeItTakesAnything) {
  const TempFolder temp;
  const auto folder = temp.path() / "a" / "b" / "s";
  const SyncWatch watch;
  const auto store = must(open_rocksdb_store({.folder = folder}));
  const auto synced = watch.synced();
  for (auto above = folder; above != temp.path().parent_path(); above = above.parent_path())
    EXPECT_THAT(synced, Contains(above));
  EXPECT_THAT(synced, Contains(folder / "db"));
  EXPECT_THAT(synced, Contains(folder / "FORMAT.new"));
}

/// Each costs milliseconds: a small load is little more than its syncs. Decision 0021 has the list.
TEST(Durability, ASmallLoadHasFewSyncs) {
  const TempFolder temp;
  const auto syncs_of_load = [&](std::uint8_t n) {
    const SyncWatch watch;
    must(load(*must(open_rocksdb_store({.folder = temp.path() / "s"})), nth(n)));
    return watch.synced().size();
  };
  EXPECT_LE(syncs_of_load(1), 27U);
  EXPECT_LE(syncs_of_load(2), 11U);
  EXPECT_LE(syncs_of_load(3), 11U);
}

TEST(Durability, ADeliveryIsSyncedBeforeItIsAcknowledged) {
  const TempFolder temp;
  const auto store = must(open_rocksdb_store({.folder = temp.path() / "s"}));
  for (std::uint8_t n = 1; n <= 3; ++n) {
    const SyncWatch watch;
    must(load(*store, nth(n)));
    const auto synced = watch.synced();
    const auto is_log = [](const fs::path& path) { return path.extension() == ".log"; };
    EXPECT_TRUE(std::any_of(synced.begin(), synced.end(), is_log));
  }
}

}  // namespace
}  // namespace meterline::store::rocksdb
