// What is read beside the process that owns the store. Here one process is both: they share nothing
// but the folder.

#include "store/rocksdb/beside.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <map>
#include <sstream>

#include "store/check.h"
#include "store/rocksdb/log_file.h"
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
using meterline::testing::TempFolder;
using ::testing::HasSubstr;

constexpr int days_max = 200;

/// Delivery `n` has one day, the n-th since 2019-01-01.
meterline::testing::TestDelivery daily(int n) {
  const auto date = *Date::from_days(Date::parse("2019-01-01")->days() + n);
  return delivery_of(n, static_cast<std::uint8_t>(n),
                     {fmt::format("A {} 60 {}x24", date.text(), n)});
}

/// What a folder holds, with the time of each change.
std::map<std::string, fs::file_time_type> listing(const fs::path& folder) {
  std::map<std::string, fs::file_time_type> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    found.emplace(entry.path().string(), entry.last_write_time());
  return found;
}

struct Files {
  TempFolder temp;
  fs::path database = temp.path() / "db";
  Files() {
    fs::create_directories(database);
    std::ofstream(database / "CURRENT") << "MANIFEST-000001\n";
    grow();
  }
  void grow() const { std::ofstream(database / "MANIFEST-000001", std::ios::app) << "x"; }
};

TEST(OpenBeside, AnErrorCountsOnlyWhereTheOwnerChangedNothing) {
  const Files files;
  int calls = 0;
  const auto open = [&]() -> Result<int> {
    if (++calls <= 2) files.grow();
    return fail(Errc::corrupt, fmt::format("call {}", calls));
  };
  EXPECT_EQ(open_beside(files.database, open).error().message, "call 3");
  fs::remove(files.database / "CURRENT");
  EXPECT_EQ(open_beside(files.database, open).error().message, "call 4");
}

TEST(OpenBeside, WhatOpensIsTaken) {
  const Files files;
  int calls = 0;
  const auto open = [&]() -> Result<int> {
    files.grow();
    if (++calls == 1) return fail(Errc::unavailable, "a table is gone");
    return calls;
  };
  EXPECT_EQ(must(open_beside(files.database, open)), 2);
}

/// Every version of the first three days.
std::string versions_of(const Store& store) {
  std::string found;
  must(store.read_days({.meter = *MeterId::parse("A"),
                        .dates = {.from = daily(1).days[0].date, .to = daily(3).days[0].date}},
                       [&](const StoredDay& day) -> Result<void> {
                         found += day.date.text() + day.delivery.text() + std::string(day.packed);
                         return {};
                       }));
  return found;
}

/// What a reader has whose owner moved all from the logs into tables, and removed the blocks that
/// it folded, after the logs were read and before the MANIFEST is.
TEST(OpenBeside, NothingIsLostBetweenTheLogsAndTheManifest) {
  const TempFolder temp;
  const auto folder = temp.path() / "s";
  SeenFiles logs;
  {
    const auto owner = must(open_rocksdb_store({.folder = folder}));
    for (int n = 1; n <= 3; ++n) must(load(*owner, daily(n)));
    logs = must(read_logs(folder / "db"));
  }
  // The first load folds what there is.
  const auto owner = must(open_rocksdb_store({.folder = folder, .recent_bytes_max = 0}));
  must(load(*owner, daily(4)));
  must(load(*owner, daily(5)));
  ASSERT_FALSE(must(read_logs(folder / "db")).contains(logs.rbegin()->first));

  const auto mixed = temp.path() / "mixed";
  fs::copy(folder, mixed, fs::copy_options::recursive);
  for (const auto& file : must(log_files(mixed / "db"))) fs::remove(file);
  for (const auto& [name, bytes] : logs) std::ofstream(mixed / "db" / name) << bytes;
  EXPECT_EQ(versions_of(*must(read_rocksdb_store({.folder = mixed}))), versions_of(*owner));
}

/// Nothing that was written after the logs were read, but for what the MANIFEST has.
TEST(OpenBeside, OnlyTheLogsThatWereSeenAreRead) {
  const TempFolder temp;
  const auto folder = temp.path() / "s";
  const auto owner = must(open_rocksdb_store({.folder = folder}));
  must(load(*owner, daily(1)));
  const auto files = make_seen_files(must(read_logs(folder / "db")));
  must(load(*owner, daily(2)));
  std::vector<std::string> names;
  ASSERT_TRUE(files->GetChildren((folder / "db").string(), &names).ok());
  EXPECT_EQ(std::count_if(names.begin(), names.end(),
                          [](const std::string& name) { return name.ends_with(".log"); }),
            1);
  std::unique_ptr<::rocksdb::SequentialFile> log;
  const auto path = must(log_files(folder / "db")).at(0);
  ASSERT_TRUE(files->NewSequentialFile(path.string(), &log, {}).ok());
  std::string scratch(1 << 20, '\0');
  ::rocksdb::Slice read;
  ASSERT_TRUE(log->Read(scratch.size(), &read, scratch.data()).ok());
  EXPECT_LT(read.size(), fs::file_size(path));
}

class Beside : public ::testing::TestWithParam<std::size_t> {
 protected:
  RocksdbOptions options() const {
    return {.folder = temp_.path() / "s", .recent_bytes_max = GetParam()};
  }
  TempFolder temp_;
};

TEST_P(Beside, SeesAllThatWasAcknowledgedAndNothingLater) {
  const auto owner = must(open_rocksdb_store(options()));
  for (int n = 1; n <= 12; ++n) {
    const auto before = answers_of(*owner);
    const auto reader = must(read_rocksdb_store(options()));
    must(load(*owner, daily(n)));
    EXPECT_EQ(answers_of(*reader), before);
    EXPECT_EQ(answers_of(*must(read_rocksdb_store(options()))), answers_of(*owner));
  }
  must(owner->add_event(daily(1).delivery.id, {.at = {1}, .who = "ann", .reason = "wrong"}));
  must(owner->remember_unit(Unit::kWh));
  const auto reader = must(read_rocksdb_store(options()));
  EXPECT_EQ(answers_of(*reader), answers_of(*owner));
  EXPECT_EQ(must(reader->default_unit()), Unit::kWh);
  EXPECT_EQ(must(check_store(*reader)).damage_count, must(check_store(*owner)).damage_count);
}

/// Deliveries are folded, tables taken in and logs removed while readers open the store.
TEST_P(Beside, NothingIsMissingWhileTheOwnerWrites) {
  const auto owner = must(open_rocksdb_store(options()));
  std::atomic<int> acknowledged = 0;
  auto writing = std::async(std::launch::async, [&] {
    for (int n = 1; n <= days_max; ++n) {
      must(load(*owner, daily(n)));
      acknowledged = n;
    }
  });
  int opened = 0;
  const auto read = [&] {
    while (acknowledged < days_max) {
      const int before = acknowledged;
      const auto reader = must(read_rocksdb_store(options()));
      ++opened;
      std::int64_t days = 0;
      must(reader->read_days(
          {.meter = *MeterId::parse("A"), .dates = {.from = Date::min(), .to = Date::max()}},
          [&](const StoredDay&) -> Result<void> {
            ++days;
            return {};
          }));
      ASSERT_GE(days, before);
      ASSERT_GE(must(reader->deliveries({.limit = days_max})).size(),
                static_cast<std::size_t>(before));
    }
  };
  read();
  writing.get();
  EXPECT_GT(opened, 0);
  EXPECT_EQ(answers_of(*must(read_rocksdb_store(options()))), answers_of(*owner));
}

INSTANTIATE_TEST_SUITE_P(Recent, Beside, ::testing::Values(0, 300, 8 << 20));

TEST(BesideNobody, ReadsAStoreAndLeavesItAsItIs) {
  const TempFolder temp;
  const RocksdbOptions options{.folder = temp.path() / "s"};
  std::string wanted;
  {
    const auto owner = must(open_rocksdb_store(options));
    must(load(*owner, daily(1)));
    wanted = answers_of(*owner);
  }
  const auto before = listing(temp.path());
  {
    const auto one = must(read_rocksdb_store(options));
    const auto other = must(read_rocksdb_store(options));
    EXPECT_EQ(answers_of(*one), wanted);
    EXPECT_EQ(answers_of(*other), wanted);
  }
  EXPECT_EQ(listing(temp.path()), before);
}

TEST(BesideNobody, WhatIsOnlyInTheLogIsRead) {
  const TempFolder temp;
  const RocksdbOptions options{.folder = temp.path() / "s"};
  const RocksdbOptions copied{.folder = temp.path() / "killed"};
  const auto owner = must(open_rocksdb_store(options));
  for (int n = 1; n <= 3; ++n) must(load(*owner, daily(n)));
  fs::copy(options.folder, copied.folder, fs::copy_options::recursive);
  const auto before = listing(copied.folder);
  EXPECT_EQ(answers_of(*must(read_rocksdb_store(copied))), answers_of(*owner));
  EXPECT_EQ(listing(copied.folder), before);
}

TEST(BesideNobody, NothingCanBeChanged) {
  const TempFolder temp;
  const RocksdbOptions options{.folder = temp.path() / "s"};
  must(load(*must(open_rocksdb_store(options)), daily(1)));
  const auto reader = must(read_rocksdb_store(options));
  for (const auto& changed :
       {load(*reader, daily(2)),
        reader->add_event(daily(1).delivery.id, {.at = {1}, .who = "ann", .reason = "wrong"})}) {
    ASSERT_FALSE(changed);
    EXPECT_THAT(changed.error().message, HasSubstr("only reads"));
  }
  EXPECT_EQ(answers_of(*reader), answers_of(*must(open_rocksdb_store(options))));
}

TEST(BesideNobody, WithoutAStoreThereIsNone) {
  const TempFolder temp;
  const auto opened = read_rocksdb_store({.folder = temp.path() / "s"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, OpenFault::no_store);
  EXPECT_FALSE(fs::exists(temp.path() / "s"));
}

/// A table that the owner has replaced is none that is damaged.
TEST(BesideNobody, AChangedTableIsFoundAndOneThatIsGoneIsNot) {
  const TempFolder temp;
  const RocksdbOptions options{.folder = temp.path() / "s", .recent_bytes_max = 0};
  {
    const auto owner = must(open_rocksdb_store(options));
    for (int n = 1; n <= 3; ++n) must(load(*owner, daily(n)));
  }
  const auto reader = must(read_rocksdb_store(options));
  must(reader->verify_files());
  std::vector<fs::path> tables;
  for (const auto& entry : fs::directory_iterator(options.folder / "db"))
    if (entry.path().extension() == ".sst") tables.push_back(entry.path());
  ASSERT_GE(tables.size(), 2U);
  fs::remove(tables[0]);
  must(reader->verify_files());
  std::fstream(tables[1], std::ios::binary | std::ios::in | std::ios::out).write("?", 1);
  EXPECT_EQ(reader->verify_files().error().code, Errc::corrupt);
}

/// It knew fewer families.
TEST(BesideNobody, AStoreOfAnOlderProgramIsRead) {
  const TempFolder temp;
  fs::copy("tests/data/store/rocksdb", temp.path() / "s", fs::copy_options::recursive);
  std::ostringstream wanted;
  wanted << std::ifstream("tests/data/store/answers.txt").rdbuf();
  EXPECT_EQ(meterline::testing::released_answers(
                *must(read_rocksdb_store({.folder = temp.path() / "s", .create = false}))),
            wanted.str());
}

}  // namespace
}  // namespace meterline::store::rocksdb
