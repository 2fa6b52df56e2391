#include "cli/export_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "testing/temp_folder.h"

namespace meterline::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExportFileTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "a") const { return (folder_.path() / name).string(); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename());
    return names;
  }
  std::string content() const {
    std::ifstream in(path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write_before(const std::string& text) const { std::ofstream(path()) << text; }

 private:
  testing::TempFolder folder_;
};

TEST_F(ExportFileTest, AppearsWholeUnderItsName) {
  const auto file = ExportFile::create(path(), ExistingFile::refuse).value();
  ASSERT_TRUE(file->write("one"));
  EXPECT_FALSE(std::filesystem::exists(path()));
  ASSERT_TRUE(file->write("two"));
  ASSERT_TRUE(file->finish());
  EXPECT_THAT(files(), ElementsAre("a"));
  EXPECT_EQ(content(), "onetwo");
}

TEST_F(ExportFileTest, LeavesNothingWhenItIsDropped) {
  auto file = ExportFile::create(path(), ExistingFile::refuse).value();
  ASSERT_TRUE(file->write("one"));
  file.reset();
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(ExportFileTest, ReplacesOnlyWhenAskedTo) {
  write_before("before");
  const auto refused = ExportFile::create(path(), ExistingFile::refuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("--force"));

  const auto file = ExportFile::create(path(), ExistingFile::replace).value();
  ASSERT_TRUE(file->write("after"));
  EXPECT_EQ(content(), "before");
  ASSERT_TRUE(file->finish());
  EXPECT_EQ(content(), "after");
  EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(ExportFileTest, DoesNotReplaceAFileThatCameUpMeanwhile) {
  auto file = ExportFile::create(path(), ExistingFile::refuse).value();
  write_before("another");
  EXPECT_THAT(file->finish().error().message, HasSubstr("exists"));
  file.reset();
  EXPECT_EQ(content(), "another");
  EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(ExportFileTest, IsNoFolderOrDeviceAndNeedsItsFolder) {
  for (const auto& name : {path("."), std::string("/dev/null")})
    EXPECT_EQ(ExportFile::create(name, ExistingFile::replace).error().code, Errc::invalid_argument);
  EXPECT_THAT(ExportFile::create(path("no/a"), ExistingFile::refuse).error().message,
              HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace meterline::cli
