#include "source/disk/watched_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string_view>

#include "testing/temp_folder.h"

namespace meterline::source {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A folder that is looked at when a test says so: no time passes but what it names.
class WatchedFolderTest : public ::testing::Test {
 protected:
  void write(const fs::path& name, std::string_view text) const {
    fs::create_directories((top() / name).parent_path());
    std::ofstream(top() / name, std::ios::binary | std::ios::app) << text;
  }
  const fs::path& top() const { return folder_.path(); }

  std::vector<fs::path> complete_at(std::chrono::milliseconds time) {
    return watched_.complete(WatchedFolder::Clock::time_point(time)).value();
  }

  meterline::testing::TempFolder folder_;
  WatchedFolder watched_{folder_.path(), 5s, {"done"}};
};

TEST_F(WatchedFolderTest, AFileIsCompleteWhenItHasStoodStill) {
  write("a.csv", "x");
  write("below/b.csv", "x");
  EXPECT_THAT(complete_at(0s), IsEmpty());
  EXPECT_THAT(complete_at(4999ms), IsEmpty());
  EXPECT_THAT(watched_.waiting(), ElementsAre("a.csv", "below/b.csv"));
  EXPECT_THAT(complete_at(5s), ElementsAre("a.csv", "below/b.csv"));
  EXPECT_THAT(watched_.waiting(), IsEmpty());
  EXPECT_THAT(complete_at(60s), IsEmpty());
}

TEST_F(WatchedFolderTest, AFileThatGrowsIsWaitedFor) {
  write("a.csv", "x");
  EXPECT_THAT(complete_at(0s), IsEmpty());
  write("a.csv", "y");
  EXPECT_THAT(complete_at(5s), IsEmpty());
  write("a.csv", "z");
  EXPECT_THAT(complete_at(9s), IsEmpty());
  EXPECT_THAT(complete_at(14s), ElementsAre("a.csv"));
}

TEST_F(WatchedFolderTest, WhatIsBeingWrittenUnderAnotherNameIsLeftOut) {
  for (const auto* const name : {".a.csv", "a.csv.tmp", "a.csv.part", "done/a.csv"})
    write(name, "x");
  EXPECT_THAT(complete_at(0s), IsEmpty());
  EXPECT_THAT(complete_at(5s), IsEmpty());
  fs::rename(top() / "a.csv.part", top() / "a.csv");
  EXPECT_THAT(complete_at(6s), IsEmpty());
  EXPECT_THAT(complete_at(11s), ElementsAre("a.csv"));
}

TEST_F(WatchedFolderTest, ALinkIsLeftOut) {
  const meterline::testing::TempFolder elsewhere;
  std::ofstream(elsewhere.path() / "secret") << "x";
  fs::create_symlink(elsewhere.path() / "secret", top() / "a.csv");
  EXPECT_THAT(complete_at(0s), IsEmpty());
  EXPECT_THAT(complete_at(5s), IsEmpty());
}

TEST_F(WatchedFolderTest, AnotherFileOfTheSameNameIsReturnedAsWell) {
  write("a.csv", "x");
  EXPECT_THAT(complete_at(0s), IsEmpty());
  EXPECT_THAT(complete_at(5s), ElementsAre("a.csv"));
  EXPECT_TRUE(watched_.is_unchanged("a.csv"));
  const auto modified = fs::last_write_time(top() / "a.csv");
  write("b.tmp", "y");
  fs::last_write_time(top() / "b.tmp", modified);
  fs::rename(top() / "b.tmp", top() / "a.csv");
  EXPECT_FALSE(watched_.is_unchanged("a.csv"));
  EXPECT_THAT(complete_at(6s), IsEmpty());
  EXPECT_THAT(complete_at(11s), ElementsAre("a.csv"));
  EXPECT_TRUE(watched_.is_unchanged("a.csv"));
}

TEST_F(WatchedFolderTest, AFileIsReturnedAgainWhenThatIsAskedFor) {
  write("a.csv", "x");
  EXPECT_THAT(complete_at(0s), IsEmpty());
  EXPECT_THAT(complete_at(5s), ElementsAre("a.csv"));
  watched_.again("a.csv", WatchedFolder::Clock::time_point(65s));
  EXPECT_THAT(complete_at(64s), IsEmpty());
  EXPECT_THAT(complete_at(65s), ElementsAre("a.csv"));
  EXPECT_THAT(complete_at(300s), IsEmpty());
  watched_.again("b.csv", WatchedFolder::Clock::time_point(300s));  // Of what is none, nothing.
  EXPECT_THAT(complete_at(301s), IsEmpty());
}

TEST_F(WatchedFolderTest, AFolderThatHasGoneIsAnError) {
  fs::remove_all(top());
  const auto looked = watched_.complete({});
  ASSERT_FALSE(looked);
  EXPECT_THAT(looked.error().message, ::testing::HasSubstr(top().string()));
  fs::create_directories(top());
}

}  // namespace
}  // namespace meterline::source
