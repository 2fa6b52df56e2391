#include "access/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "access/caller.h"
#include "testing/temp_folder.h"

namespace meterline::access {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MeterFilter filter_of(const std::vector<std::string>& patterns) {
  return MeterFilter::parse(patterns).value();
}

std::vector<std::string> patterns_of(const MeterFilter& meters) {
  std::vector<std::string> patterns;
  for (const auto& part : meters.parts())
    patterns.push_back(part.is_prefix ? part.text + '*' : part.text);
  return patterns;
}

TEST(GroupText, HasAMeterOrABeginningOnEachLine) {
  const auto meters =
      parse_group("\xef\xbb\xbf# flats\r\nEE2\r\n\n  EE1\t# first floor\nFF*").value();
  EXPECT_THAT(patterns_of(meters), ElementsAre("EE1", "EE2", "FF*"));
}

TEST(GroupText, SaysWhichLineIsWrong) {
  const auto fault = [](std::string_view text) { return parse_group(text).error(); };
  EXPECT_THAT(fault("A1\n\nA 2\n").message, HasSubstr("line 3: want a meter"));
  EXPECT_THAT(fault("A1\n*A\n").message, HasSubstr("line 2"));
  EXPECT_THAT(fault(std::string(65, 'A')).message, HasSubstr("line 1"));
  EXPECT_THAT(fault("").message, HasSubstr("no meter"));
  EXPECT_THAT(fault("# nobody\n").message, HasSubstr("no meter"));
}

TEST(GroupText, HasAsManyAsAGroupMayHave) {
  std::string text;
  for (std::size_t i = 0; i < group_patterns_max; ++i) text += std::to_string(i) + '\n';
  EXPECT_EQ(parse_group(text).value().parts().size(), group_patterns_max);
  const auto more = parse_group(text + "x\n");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Errc::too_large);
}

TEST(GroupName, IsNoPath) {
  for (const std::string& name :
       {std::string("flats"), std::string("a.b"), std::string("A:1"), std::string(64, 'x')})
    EXPECT_TRUE(is_group_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string(".a"), std::string("a/b"),
        std::string("a b"), std::string(65, 'x'), std::string("a\0b", 3)})
    EXPECT_FALSE(is_group_name(name)) << name;
  EXPECT_EQ(group_of_pattern("@flats"), "flats");
  EXPECT_EQ(group_of_pattern("flats"), "");
  EXPECT_EQ(group_of_pattern("@../keys"), "");
}

class GroupsOfAFolder : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) const { return folder_ / (name + ".txt"); }

  testing::TempFolder temp_;
  const std::filesystem::path folder_ = temp_.path() / "groups";
  const Groups groups_{folder_};
};

TEST_F(GroupsOfAFolder, NeedNotBeThere) {
  EXPECT_THAT(groups_.names().value(), IsEmpty());
  EXPECT_EQ(groups_.find("flats").error().code, Errc::not_found);
  EXPECT_EQ(groups_.remove("flats").error().code, Errc::not_found);
}

TEST_F(GroupsOfAFolder, AreMadeChangedAndForgotten) {
  ASSERT_TRUE(groups_.set("flats", filter_of({"B", "A*"})));
  ASSERT_TRUE(groups_.set("all", filter_of({"*"})));
  std::ofstream(folder_ / "notes.md") << "no group";
  EXPECT_THAT(groups_.names().value(), ElementsAre("all", "flats"));
  const auto before = groups_.find("flats").value();
  EXPECT_THAT(patterns_of(before->meters), ElementsAre("A*", "B"));
  EXPECT_EQ(groups_.find("flats").value(), before) << "what was read is kept";
  ASSERT_TRUE(groups_.set("flats", filter_of({"C"})));
  EXPECT_THAT(patterns_of(groups_.find("flats").value()->meters), ElementsAre("C"));
  EXPECT_THAT(patterns_of(before->meters), ElementsAre("A*", "B")) << "who has it may go on";
  ASSERT_TRUE(groups_.remove("flats"));
  EXPECT_EQ(groups_.find("flats").error().code, Errc::not_found);
  EXPECT_THAT(groups_.names().value(), ElementsAre("all"));
  EXPECT_EQ(groups_.set("../out", filter_of({"C"})).error().code, Errc::invalid_argument);
}

TEST_F(GroupsOfAFolder, MayBeFilesThatPeopleWrite) {
  std::filesystem::create_directories(folder_);
  std::ofstream(file("flats")) << "A1\n";
  EXPECT_TRUE(groups_.find("flats").value()->meters.admits("A1"));
  std::ofstream(file("flats")) << "A1\nA2\n";
  EXPECT_TRUE(groups_.find("flats").value()->meters.admits("A2"));
  std::ofstream(file("flats")) << "A1\n?\n";
  const auto fault = groups_.find("flats").error();
  EXPECT_EQ(fault.code, Errc::corrupt);
  EXPECT_THAT(fault.message, HasSubstr("flats.txt: line 2"));
}

TEST_F(GroupsOfAFolder, AreNotOfAnybodysMaking) {
  ASSERT_TRUE(groups_.set("flats", filter_of({"A1"})));
  ASSERT_EQ(chmod(file("flats").c_str(), 0666), 0);
  const auto fault = groups_.find("flats").error();
  EXPECT_EQ(fault.code, Errc::refused);
  EXPECT_THAT(fault.message, HasSubstr("chmod o-w"));
}

TEST_F(GroupsOfAFolder, AreSoManyAndNoMore) {
  std::filesystem::create_directories(folder_);
  for (std::size_t i = 0; i < groups_max; ++i) std::ofstream(file(std::to_string(i))) << "A\n";
  EXPECT_EQ(groups_.names().value().size(), groups_max);
  EXPECT_EQ(groups_.set("more", filter_of({"A"})).error().code, Errc::too_large);
  EXPECT_TRUE(groups_.set("7", filter_of({"B"})));
}

TEST(CallerOfAGroup, SeesNotAllAndNobodyByName) {
  Caller caller;
  ASSERT_TRUE(caller.see(std::vector<std::string>{"@flats"}));
  EXPECT_EQ(caller.group, "flats");
  EXPECT_FALSE(caller.sees_all());
  EXPECT_FALSE(caller.meters.admits("flats"));
  ASSERT_TRUE(caller.see(std::vector<std::string>{"*"}));
  EXPECT_TRUE(caller.sees_all());
  for (const auto& patterns : std::vector<std::vector<std::string>>{
           {"@flats", "A1"}, {"A1", "@flats"}, {"@flats", "@shops"}, {"@"}, {"@../x"}, {"@a b"}}) {
    EXPECT_FALSE(caller.see(patterns)) << patterns.front();
    EXPECT_FALSE(caller.sees_all());
  }
}

}  // namespace
}  // namespace meterline::access
