// Backups of a store that somebody owns and writes. Here one process is both: they share nothing
// but the folder.

#include "store/rocksdb/rocksdb_backup.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <sstream>

#include "store/backup/backups.h"
#include "store/check.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/released_store.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;
using meterline::testing::answers_of;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::second;
using meterline::testing::TempFolder;
using ::testing::HasSubstr;

constexpr int days_max = 200;

/// Delivery `n` has one day, the n-th since 2019-01-01.
meterline::testing::TestDelivery daily(int n) {
  const auto date = *Date::from_days(Date::parse("2019-01-01")->days() + n);
  auto delivery =
      delivery_of(n, static_cast<std::uint8_t>(n), {fmt::format("A {} 60 {}x24", date.text(), n)});
  delivery.report.rows.stored = 1;
  delivery.report.readings.stored = 24;
  return delivery;
}

/// A store in `s`, backups in `backups`, and what is restored in a new folder each time.
struct Places {
  explicit Places(std::size_t recent_bytes_max = std::size_t{8} << 20) : recent(recent_bytes_max) {}

  RocksdbOptions options(const char* folder = "s") const {
    return {.folder = temp.path() / folder, .recent_bytes_max = recent};
  }
  backup::Made back_up() {
    return must(
        backup::make_backup(*place, must(hold_store_files(options())), {.now = second(++made)}));
  }
  /// The options of the store that is made of the newest backup.
  RocksdbOptions restore() {
    const auto name = fmt::format("restored{}", ++restored);
    must(restore_rocksdb_store(options(name.c_str()), *place,
                               must(backup::find_backup(*place, ""))));
    return options(name.c_str());
  }

  const TempFolder temp;
  const std::size_t recent;
  const std::unique_ptr<backup::Place> place = backup::make_folder_place(temp.path() / "backups");
  int made = 0;
  int restored = 0;
};

class BackupOfAStore : public ::testing::TestWithParam<std::size_t> {
 protected:
  Places places_{GetParam()};
};

TEST_P(BackupOfAStore, HasAllThatWasAcknowledged) {
  const auto owner = must(open_rocksdb_store(places_.options()));
  for (int n = 1; n <= 12; ++n) {
    must(load(*owner, daily(n)));
    places_.back_up();
    if (n == 5) must(owner->add_event(daily(1).delivery.id, {.at = {1}, .who = "ann"}));
    if (n == 5) places_.back_up();
    const auto restored = must(open_rocksdb_store(places_.restore()));
    EXPECT_EQ(answers_of(*restored), answers_of(*owner));
    EXPECT_EQ(must(check_store(*restored)).damage_count, 0);
    // It goes on by itself, and leaves the backup as it was.
    must(load(*restored, daily(n + 1)));
  }
  const auto checked = must(backup::check_backups(*places_.place, "", backup::CheckDepth::bytes));
  EXPECT_EQ(checked.backups, 13);
  EXPECT_TRUE(checked.damage.empty());
}

/// Deliveries are folded, tables taken in and removed, and logs removed while backups are made.
TEST_P(BackupOfAStore, IsWholeWhileTheOwnerWrites) {
  const auto owner = must(open_rocksdb_store(places_.options()));
  std::atomic<int> acknowledged = 0;
  auto writing = std::async(std::launch::async, [&] {
    for (int n = 1; n <= days_max; ++n) {
      must(load(*owner, daily(n)));
      acknowledged = n;
    }
  });
  int before = 0;
  do {
    before = acknowledged;
    places_.back_up();
    const auto restored = must(read_rocksdb_store(places_.restore()));
    EXPECT_GE(must(restored->deliveries({.limit = days_max})).size(),
              static_cast<std::size_t>(before));
    EXPECT_EQ(must(check_store(*restored)).damage_count, 0);
  } while (before < days_max);
  writing.get();
  EXPECT_EQ(answers_of(*must(open_rocksdb_store(places_.restore()))), answers_of(*owner));
}

INSTANTIATE_TEST_SUITE_P(Recent, BackupOfAStore, ::testing::Values(0, 300, 8 << 20));

TEST(BackupOfAFolder, CopiesWhatIsNew) {
  Places places(0);
  {
    const auto owner = must(open_rocksdb_store(places.options()));
    must(load(*owner, daily(1)));
  }
  const auto first = places.back_up();
  EXPECT_EQ(first.files_copied, std::ssize(first.backup.files));
  const auto second = places.back_up();
  EXPECT_EQ(second.backup.files, first.backup.files);
  for (const auto& file : second.backup.files)
    EXPECT_EQ(file.is_table, file.facts.name.ends_with(".sst")) << file.facts.name;
  EXPECT_LT(second.bytes_copied, first.bytes_copied);
}

TEST(BackupOfAFolder, LeavesItAsItIs) {
  Places places;
  must(load(*must(open_rocksdb_store(places.options())), daily(1)));
  const auto mark = [&] {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(places.options().folder))
      text += fmt::format("{} {}\n", entry.path().string(),
                          entry.last_write_time().time_since_epoch().count());
    return text;
  };
  const auto before = mark();
  places.back_up();
  EXPECT_EQ(mark(), before);
}

TEST(BackupOfAFolder, WithoutAStoreThereIsNone) {
  const Places places;
  const auto held = hold_store_files(places.options());
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().fault, OpenFault::no_store);
}

/// It knew fewer families.
TEST(BackupOfAFolder, AStoreOfAnOlderProgramIsTaken) {
  Places places;
  fs::copy("tests/data/store/rocksdb", places.temp.path() / "s", fs::copy_options::recursive);
  places.back_up();
  std::ostringstream wanted;
  wanted << std::ifstream("tests/data/store/answers.txt").rdbuf();
  EXPECT_EQ(meterline::testing::released_answers(*must(open_rocksdb_store(places.restore()))),
            wanted.str());
}

TEST(Restore, MakesNoStoreWhereOneIs) {
  Places places;
  must(load(*must(open_rocksdb_store(places.options())), daily(1)));
  places.back_up();
  const auto backup = must(backup::find_backup(*places.place, ""));
  const auto restored = restore_rocksdb_store(places.options(), *places.place, backup);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, Errc::refused);
  EXPECT_THAT(restored.error().message, HasSubstr("there is a store"));
}

TEST(Restore, OfADamagedBackupLeavesNoStoreAndBeginsAnew) {
  Places places(0);
  must(load(*must(open_rocksdb_store(places.options())), daily(1)));
  places.back_up();
  const auto backup = must(backup::find_backup(*places.place, ""));
  const auto tables = places.temp.path() / "backups/tables";
  const auto table = fs::directory_iterator(tables)->path();
  fs::rename(table, places.temp.path() / "kept");
  std::ofstream(table) << "?";
  const auto options = places.options("restored");
  EXPECT_EQ(restore_rocksdb_store(options, *places.place, backup).error().code, Errc::corrupt);
  EXPECT_EQ(read_rocksdb_store(options).error().fault, OpenFault::no_store);
  fs::rename(places.temp.path() / "kept", table);
  must(restore_rocksdb_store(options, *places.place, backup));
  EXPECT_EQ(answers_of(*must(open_rocksdb_store(options))),
            answers_of(*must(open_rocksdb_store(places.options()))));
}

TEST(Restore, KnowsItsFormat) {
  Places places;
  must(load(*must(open_rocksdb_store(places.options())), daily(1)));
  places.back_up();
  auto backup = must(backup::find_backup(*places.place, ""));
  ++backup.format;
  EXPECT_EQ(restore_rocksdb_store(places.options("restored"), *places.place, backup).error().code,
            Errc::refused);
}

}  // namespace
}  // namespace meterline::store::rocksdb
