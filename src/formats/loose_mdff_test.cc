#include "formats/loose_mdff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "formats/recognise.h"
#include "testing/mdff_pieces.h"

namespace meterline::formats {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Every file of NEM12 and NEM13 that begins with a record and has no quotes.
std::vector<fs::path> plain_files() {
  std::vector<fs::path> files;
  for (const auto* const folder : {"tests/data/nem12", "tests/data/nem13"})
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".csv") continue;
      if (text_of(entry.path()).find_first_of("\";\t") == std::string::npos)
        files.push_back(entry.path());
    }
  return files;
}

/// Writes each line anew.
std::string by_line(std::string_view text,
                    const std::function<std::string(std::string_view)>& write) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    const bool has_cr = line.ends_with('\r');
    if (has_cr) line.remove_suffix(1);
    out += line.empty() ? "" : write(line);
    if (has_cr) out += '\r';
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string replaced(std::string_view text, char from, std::string_view to) {
  std::string out;
  for (const char c : text)
    if (c == from)
      out += to;
    else
      out += c;
  return out;
}

struct Way {
  std::string name;
  std::function<std::string(std::string_view line)> write;
};
const std::vector<Way>& ways() {
  static const std::vector<Way> all = {
      {"quotes", [](auto line) { return '"' + replaced(line, ',', "\",\"") + '"'; }},
      {"quotes and blanks",
       [](auto line) { return " \"" + replaced(line, ',', "\" , \"") + "\""; }},
      {"blanks", [](auto line) { return "  " + replaced(line, ',', " , "); }},
      {"tabs", [](auto line) { return replaced(line, ',', "\t"); }},
      {"semicolons", [](auto line) { return replaced(replaced(line, ',', ";"), '.', ","); }},
  };
  return all;
}

testing::MdffSaid read(std::string_view file) {
  auto whole = testing::loose_mdff_says(file, {1'000'000'000});
  EXPECT_EQ(whole.fault, "");
  EXPECT_EQ(testing::loose_mdff_says(file, {7, 100}).text, whole.text);
  EXPECT_EQ(testing::loose_mdff_says(file, {1}).text, whole.text);
  return whole;
}

/// However loosely a file is written, it says what it says in plain words.
TEST(LooseMdff, SaysWhatThePlainFileSays) {
  ASSERT_GE(plain_files().size(), 10U);
  for (const auto& path : plain_files()) {
    const auto plain = text_of(path);
    const auto format = recognise(plain).value().format;
    const auto wanted = testing::mdff_says(*format, plain, {1'000'000'000});
    for (const auto& way : ways()) {
      SCOPED_TRACE(path.string() + ", " + way.name);
      const auto loose = by_line(plain, way.write);
      ASSERT_EQ(recognise(loose).value().format->name, loose_mdff_name);
      const auto said = read(loose);
      EXPECT_EQ(said.days, wanted.days);
      EXPECT_EQ(said.reads, wanted.reads);
      EXPECT_EQ(said.rows, wanted.rows);
      EXPECT_THAT(said.text, HasSubstr("not_standard"));
      EXPECT_EQ(std::count(said.text.begin(), said.text.end(), '\n'),
                std::count(wanted.text.begin(), wanted.text.end(), '\n') + 1);
    }
  }
}

TEST(LooseMdff, PlainFilesAreNoneOfIt) {
  for (const auto& path : plain_files()) EXPECT_FALSE(is_loose_mdff(text_of(path))) << path;
  EXPECT_FALSE(is_loose_mdff("100,NEM12,200402070911,MDA1,Ret1\nsome words\n"));
  EXPECT_FALSE(is_loose_mdff("\"Meter\",\"Date\",\"00:00\"\n"));
  EXPECT_FALSE(is_loose_mdff("200;100;abc\n1;2;3\n"));
  EXPECT_FALSE(is_loose_mdff("100,NEM12,200402070911,MDA1,Ret1\n200,\"cut"));
}

TEST(LooseMdff, LinesAreWrittenAsTheStandardHasThem) {
  EXPECT_EQ(as_mdff(R"("300","20040201", " 1.5 ",)", ','), "300,20040201,1.5,");
  EXPECT_EQ(as_mdff(R"(400,1,48,A,,"a ""b"", c")", ','), R"(400,1,48,A,,a "b"; c)");
  EXPECT_EQ(as_mdff("300;20040201;1,5;-1,5;a,b", ';'), "300,20040201,1.5,-1;5,a;b");
  EXPECT_EQ(as_mdff("300\t20040201\t1,234", '\t'), "300,20040201,1;234");
  EXPECT_EQ(as_mdff(R"(300,"not closed,1)", ','), R"(300,"not closed,1)");
  EXPECT_EQ(as_mdff("", ','), "");
}

TEST(LooseMdff, LinesWithoutEndAreNoRecords) {
  const std::string long_line(row_bytes_max + 5, '"');
  const auto said =
      testing::loose_mdff_says("\"100\",\"NEM12\"\n" + long_line + "\n\"900\"\n", {1'000'000});
  EXPECT_THAT(said.text, HasSubstr("line 2: bad_record"));
  EXPECT_THAT(said.text, StartsWith("line 1: not_standard"));
}

}  // namespace
}  // namespace meterline::formats
