#include "store/rocksdb/store_folder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string refusal(const fs::path& folder, bool create = true) {
  auto opened = StoreFolder::open(folder, create, "meterline test");
  if (!opened) return opened.error().message;
  const auto finished = opened->finish();
  return finished ? "opened" : finished.error().message;
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

TEST(StoreFolder, IsMadeWhereAbsentAndOpenedAgain) {
  const testing::TempFolder temp;
  const auto folder = temp.path() / "a" / "b";
  EXPECT_THAT(refusal(folder, false), HasSubstr("there is no store in"));
  EXPECT_EQ(refusal(folder), "opened");
  EXPECT_EQ(refusal(folder, false), "opened");
}

TEST(StoreFolder, ASecondOwnerIsToldOfTheFirst) {
  const testing::TempFolder temp;
  const auto first = StoreFolder::open(temp.path() / "s", true, "meterline serve");
  ASSERT_TRUE(first);
  const auto message = refusal(temp.path() / "s");
  EXPECT_THAT(message, HasSubstr("in use by process " + std::to_string(::getpid())));
  EXPECT_THAT(message, HasSubstr("(meterline serve)"));
}

TEST(StoreFolder, ANewerStoreIsRefused) {
  const testing::TempFolder temp;
  ASSERT_EQ(refusal(temp.path() / "s"), "opened");
  write(temp.path() / "s" / "FORMAT", fmt::format("meterline store format {}\n", store_format + 1));
  EXPECT_THAT(refusal(temp.path() / "s"), HasSubstr("written by a newer meterline"));
}

TEST(StoreFolder, AnOlderStoreIsRefused) {
  const testing::TempFolder temp;
  ASSERT_EQ(refusal(temp.path() / "s"), "opened");
  write(temp.path() / "s" / "FORMAT", fmt::format("meterline store format {}\n", store_format - 1));
  EXPECT_THAT(refusal(temp.path() / "s"), HasSubstr("load the files again"));
}

TEST(StoreFolder, OtherContentIsLeftAlone) {
  const testing::TempFolder temp;
  write(temp.path() / "holiday.jpg", "x");
  EXPECT_THAT(refusal(temp.path()), HasSubstr("holds something else"));
  EXPECT_TRUE(fs::exists(temp.path() / "holiday.jpg"));
  write(temp.path() / "FORMAT", "a picture format\n");
  EXPECT_THAT(refusal(temp.path()), HasSubstr("holds no meterline store"));
}

TEST(StoreFolder, AnUnfinishedStoreIsFinished) {
  const testing::TempFolder temp;
  fs::create_directories(temp.path() / "s");
  write(temp.path() / "s" / "OWNER", "process 1 (gone)\n");
  write(temp.path() / "s" / "FORMAT.new", "");
  EXPECT_EQ(refusal(temp.path() / "s"), "opened");
}

TEST(StoreFolder, IncomingFilesOfAnEarlierProcessAreRemoved) {
  const testing::TempFolder temp;
  ASSERT_EQ(refusal(temp.path() / "s"), "opened");
  write(temp.path() / "s" / "incoming" / "7.sst", "x");
  ASSERT_EQ(refusal(temp.path() / "s"), "opened");
  EXPECT_TRUE(fs::is_empty(temp.path() / "s" / "incoming"));
}

}  // namespace
}  // namespace meterline::store::rocksdb
