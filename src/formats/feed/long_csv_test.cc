#include "formats/feed/long_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "testing/written_sink.h"

namespace meterline::formats {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// With what of a day is not in the words of WrittenSink: channel, flow, zone, notes.
class LongCsvSink final : public testing::WrittenSink {
 public:
  void on_day(const ReadingDay& day, int rejected_readings, const Row& row) override {
    WrittenSink::on_day(day, rejected_readings, row);
    std::string more = "  " + day.channel.name + ' ';
    more += text_of(day.channel.flow);
    more += ' ';
    more += day.zone.text();
    for (const auto& run : day.notes)
      more += " [" + std::to_string(run.first) + '-' + std::to_string(run.end) + ' ' +
              text_of(run.note) + ']';
    write(more);
  }
};

std::string said(std::string_view file) {
  const auto opened =
      open_long_csv({.text = file, .is_last = true}, {.zone = *TimeZone::parse("Europe/London")});
  if (!opened) return opened.error().message;
  LongCsvSink sink;
  for (const auto& finding : opened->findings) sink.on_finding(finding);
  opened->parser->parse(
      {.text = file.substr(opened->bytes), .first_line = opened->lines + 1, .is_last = true}, sink);
  return sink.text();
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(LongCsvExamples, AreReadAsDocumented) {
  const auto document = content_of("docs/formats/long-csv.md");
  int examples = 0;
  for (const auto& entry : fs::directory_iterator("tests/data/long-csv")) {
    if (entry.path().extension() != ".csv") continue;
    const auto file = content_of(entry.path());
    const auto want = content_of(fs::path(entry.path()).replace_extension(".txt"));
    EXPECT_TRUE(is_long_csv(file)) << entry.path();
    EXPECT_EQ(said(file), want) << entry.path();
    EXPECT_THAT(document, HasSubstr("`" + entry.path().filename().string() + "`"));
    EXPECT_THAT(document, HasSubstr("```text\n" + file + "```\n")) << entry.path();
    EXPECT_THAT(document, HasSubstr("```text\n" + want + "```\n")) << entry.path();
    ++examples;
  }
  EXPECT_EQ(examples, 2);
}

}  // namespace
}  // namespace meterline::formats
