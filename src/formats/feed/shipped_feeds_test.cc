// Every shipped feed reads a file in its layout, tests/data/feeds/NAME, as the model has it that
// wrote it (tests/make_feed_samples.py).

#include "formats/feed/shipped_feeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/decimal.h"
#include "formats/csv_rows.h"
#include "formats/feed/feed_csv.h"

namespace meterline::formats {
namespace {

const std::filesystem::path folder = "tests/data/feeds";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Writes days as expect.txt does.
class LineSink final : public DaySink {
 public:
  void on_day(const ReadingDay& day, int, const Row&) override {
    std::ostringstream line;
    line << day.meter << ' ' << day.channel.name << ' ' << text_of(day.channel.flow) << ' '
         << text_of(day.channel.unit) << ' ' << day.date << ' ' << day.interval.minutes() << ':';
    for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
      const auto quality = day.qualities[slot];
      line << ' ';
      if (quality == Quality::missing)
        line << '-';
      else
        line << Decimal{day.mantissas[slot], day.exponent};
      if (quality == Quality::estimated) line << 'e';
      if (quality == Quality::substituted) line << 's';
    }
    lines.push_back(line.str());
  }
  void on_read(const RegisterRead&, const Row&) override {}
  void on_rejected_row(const Row& row) override { rejected.emplace_back(row.text); }
  void on_finding(Finding finding) override { findings.push_back(std::move(finding)); }

  std::vector<std::string> lines;
  std::vector<std::string> rejected;
  std::vector<Finding> findings;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Sample {
  std::string name;
  std::string bytes;
  std::string text;  ///< UTF-8, without byte order mark.

  friend std::ostream& operator<<(std::ostream& out, const Sample& sample) {
    return out << sample.name;
  }
};

Sample sample_of(const FeedLayout& feed) {
  Sample sample;
  for (const auto& entry : std::filesystem::directory_iterator(folder / feed.name))
    if (entry.path().extension() == ".csv") sample.name = entry.path().filename();
  sample.bytes = read_file(folder / feed.name / sample.name);
  Utf8Maker(feed.encoding.value_or(Encoding::utf8)).add(sample.bytes, sample.text);
  if (sample.text.starts_with("\xEF\xBB\xBF")) sample.text.erase(0, 3);
  return sample;
}

class ShippedFeed : public testing::TestWithParam<std::string> {
 protected:
  const FeedLayout& feed() const { return *find_shipped_feed(GetParam()); }
};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator("feeds"))
    all.push_back(entry.path().stem());
  std::sort(all.begin(), all.end());
  return all;
}

ReadOptions options_for(const FeedLayout& feed, const Sample& sample) {
  ReadOptions options{.source = sample.name};
  const bool says_meter = feed.meter.column.is_given() || !feed.meter.titles.empty() ||
                          !feed.meter.title_below.empty() || !feed.meter.column_name.empty() ||
                          !feed.meter.file_name.empty();
  if (!says_meter) options.hints.meter = "METER";
  if (!feed.zone.is_known()) options.zone = *TimeZone::parse("America/Los_Angeles");
  return options;
}

TEST_P(ShippedFeed, ReadsAFileInItsLayoutAsItWasMeant) {
  ASSERT_NE(find_shipped_feed(GetParam()), nullptr);
  const auto sample = sample_of(feed());
  const auto opened =
      open_feed(feed(), {.text = sample.text, .is_last = true}, options_for(feed(), sample));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_FALSE(opened->needs_unit);
  LineSink sink;
  opened->parser->parse({.text = std::string_view(sample.text).substr(opened->bytes),
                         .first_line = opened->lines + 1,
                         .is_last = true},
                        sink);
  std::sort(sink.lines.begin(), sink.lines.end());
  EXPECT_EQ(sink.lines, lines_of(read_file(folder / GetParam() / "expect.txt")));
  EXPECT_THAT(sink.rejected, testing::IsEmpty());
  for (const auto& finding : sink.findings)
    EXPECT_THAT(finding.code,
                testing::AnyOf(FindingCode::row_left_out, FindingCode::time_comes_twice,
                               FindingCode::no_such_time))
        << finding;
}

TEST_P(ShippedFeed, IsFoundByTheHeaderOfSuchAFile) {
  const auto matching = matching_feeds(sample_of(feed()).bytes.substr(0, 16384));
  ASSERT_EQ(matching.size(), 1U) << "first: " << (matching.empty() ? "" : matching.front()->name);
  EXPECT_EQ(matching.front()->name, GetParam());
}

INSTANTIATE_TEST_SUITE_P(, ShippedFeed, testing::ValuesIn(names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace meterline::formats
