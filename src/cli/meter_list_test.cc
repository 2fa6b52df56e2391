#include "cli/meter_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "testing/temp_folder.h"

namespace meterline::cli {
namespace {

using ::testing::HasSubstr;

class MeterList : public ::testing::Test {
 protected:
  /// The ids of a file with this text, with blanks behind each, or what is wrong with it.
  std::string read(const std::string& text) const {
    const auto path = (folder_.path() / "list").string();
    std::ofstream(path) << text;
    const auto meters = read_meter_list("--meter", path);
    if (!meters) return meters.error().message;
    std::string ids;
    for (const auto& meter : *meters) ids += meter.text() + ' ';
    return ids;
  }
  std::string folder() const { return folder_.path().string(); }

 private:
  testing::TempFolder folder_;
};

TEST_F(MeterList, IsAnIdOnEachLineInTheirOrder) {
  EXPECT_EQ(read("B\nA\nB\n"), "B A B ");
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "A\r\n\r\n \tB  \r\nC"),
            "A B C ");
  const std::string longest(meter_id_chars_max, 'x');
  EXPECT_EQ(read(longest + std::string(100, ' ') + "\nA\n"), longest + " A ");
}

TEST_F(MeterList, TellsTheLineThatIsNoId) {
  EXPECT_EQ(read("A\n\nB C\n"), "--meter, line 3: no meter id: \"B C\"");
  EXPECT_THAT(read("A\n" + std::string(1'000'000, 'x')), HasSubstr("line 2: no meter id: \"xxx"));
  EXPECT_THAT(read("A\n" + std::string(300, ' ') + "\nB\n"), HasSubstr("line 2: no meter id"));
  EXPECT_THAT(read(std::string("A\0B\n", 4)), HasSubstr("line 1: no meter id"));
}

TEST_F(MeterList, IsNeverEmptyAndMustBeThere) {
  for (const char* text : {"", "\n", "  \r\n\n", "\xef\xbb\xbf"})
    EXPECT_THAT(read(text), HasSubstr("there is no meter in")) << text;
  for (const auto& path : {folder() + "/none", folder()}) {
    const auto error = read_meter_list("METER", path).error();
    EXPECT_THAT(error.message, ::testing::StartsWith("METER: ")) << path;
  }
}

}  // namespace
}  // namespace meterline::cli
