#include "app/open_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temp_folder.h"

namespace meterline::app {
namespace {

TEST(OpenStore, OpensAFolderOfThisMachine) {
  const testing::TempFolder temp;
  const std::string url = "rocksdb:" + (temp.path() / "s").string();
  EXPECT_EQ(open_store(url, cli::OpenMode::change, "test").error().code, Errc::not_found);
  EXPECT_TRUE(open_store(url, cli::OpenMode::create, "test"));
  EXPECT_TRUE(open_store(url, cli::OpenMode::change, "test"));
}

TEST(OpenStore, RefusesAUrlOfNoKnownKind) {
  for (const std::string url : {"", "rocksdb:", "/data", "mysql://host/db"}) {
    const auto opened = open_store(url, cli::OpenMode::create, "test");
    ASSERT_FALSE(opened) << url;
    EXPECT_EQ(opened.error().code, Errc::invalid_argument);
    EXPECT_THAT(opened.error().message, ::testing::HasSubstr("want rocksdb:DIR"));
  }
}

TEST(OpenStore, ShowsNoPasswordOfAUrlThatItDoesNotKnow) {
  const auto opened = open_store("casandra://me:s3cret@host/ks", cli::OpenMode::create, "test");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, ::testing::Not(::testing::HasSubstr("s3cret")));
  EXPECT_THAT(opened.error().message, ::testing::HasSubstr("casandra"));
}

}  // namespace
}  // namespace meterline::app
