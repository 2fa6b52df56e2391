// Every shipped feed reads a file in its layout, tests/data/feeds/NAME, as the model has it that
// wrote it (tests/make_feed_samples.py).

#include "formats/feed/shipped_feeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/decimal.h"
#include "formats/csv_rows.h"
#include "formats/feed/draft.h"
#include "formats/feed/feed_csv.h"
#include "formats/feed/wildcard.h"

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

/// The description of a feed, by its parts: what stands above the first heading, and then a part
/// for each heading.
std::vector<std::string> parts_of(const std::string& toml) {
  std::vector<std::string> parts(1);
  for (const auto& line : lines_of(toml)) {
    if (line.starts_with('[')) parts.emplace_back();
    parts.back() += line + '\n';
  }
  return parts;
}

/// The lines of a part that say one of these keys.
std::string lines_with(const std::string& part, const std::vector<std::string>& keys) {
  std::string found;
  for (const auto& line : lines_of(part))
    for (const auto& key : keys)
      if (line.starts_with(key + " = ")) found += line + '\n';
  return found;
}

/// The parts that begin with a heading, with those below it.
std::string parts_with(const std::string& toml, const std::string& heading) {
  std::string found;
  for (const auto& part : parts_of(toml))
    if (part.starts_with("[" + heading + "]") || part.starts_with("[" + heading + ".") ||
        part.starts_with("[[" + heading + "]]") || part.starts_with("[[" + heading + "."))
      found += part;
  return found;
}

/// Answers the questions of a draft as a shipped feed does.
class Answers {
 public:
  explicit Answers(const FeedLayout& feed) : feed_(feed) {}

  std::string to(const DraftQuestion& question) const {
    const auto& key = question.key;
    const auto dot = key.find('.');
    const auto first = key.substr(0, dot);
    const auto rest = dot == std::string::npos ? "" : key.substr(dot + 1);
    if (key == "unit") return unit();
    if (key == "meter") return meter();
    if (first == "wide") return lines_with(parts_with(feed_.text, "wide"), {rest});
    if (key == "long.start") return in_long({"start", "end"});
    if (key == "long.value") return value();
    if (key == "long.step" || key == "long.step_column") return in_long({"step", "step_column"});
    if (first == "long") return in_long({rest});
    if (key == "numbers.decimal") return lines_with(parts_with(feed_.text, "numbers"), {"decimal"});
    if (first == "numbers") return lines_with(parts_with(feed_.text, "numbers"), {rest});
    if (key.starts_with("quality.flags.")) return flag(key.substr(std::strlen("quality.flags.")));
    if (first == "column") return column(rest);
    if (first == "channel")
      return parts_with(feed_.text, "channel") + parts_with(feed_.text, "rows");
    if (first == "rows") return parts_with(feed_.text, "rows");
    return lines_with(parts_of(feed_.text).front(), {key});
  }

 private:
  std::string unit() const {
    const auto lines = lines_with(parts_of(feed_.text).front(), {"unit", "unit_column"});
    if (!lines.empty() || feed_.channels.empty()) return lines;
    return "unit = \"" + std::string(text_of(*feed_.channels.front().measured.unit)) + "\"\n";
  }
  std::string in_long(const std::vector<std::string>& keys) const {
    return lines_with(parts_with(feed_.text, "long"), keys);
  }
  std::string value() const {
    const auto all = parts_of(feed_.text);
    std::string values;
    for (const auto& part : all)
      if (part.starts_with("[[long.values]]")) values += part;
    return values.empty() ? in_long({"value"}) : values;
  }
  std::string meter() const {
    const auto in_part = parts_with(feed_.text, "meter");
    if (!in_part.empty()) return in_part.substr(in_part.find('\n') + 1);
    std::string lines;
    for (const auto& line : lines_of(feed_.text))
      if (line.starts_with("meter.")) lines += line.substr(std::strlen("meter.")) + '\n';
    return lines;
  }
  std::string flag(const std::string& flag) const {
    for (const auto& wanted : {flag, std::string("*")})
      for (const auto& known : feed_.flags)
        if (known.flag == wanted)
          return '"' + flag + "\" = \"" + std::string(text_of(known.quality)) + "\"\n";
    return "";
  }
  /// The parts of the feed that read the column, by its name or place.
  std::string column(const std::string& name) const {
    std::string found;
    for (const auto* const heading : {"rows", "channel", "quality"}) {
      const auto part = parts_with(feed_.text, heading);
      const auto line = lines_with(part, {"column"});
      const auto said = line.substr(0, line.find('\n'));
      const auto quote = said.find('"');
      const auto pattern = quote == std::string::npos
                               ? said.substr(std::min(said.size(), std::strlen("column = ")))
                               : said.substr(quote + 1, said.rfind('"') - quote - 1);
      if (!part.empty() && fits(pattern, name)) found += part;
    }
    return found;
  }

  const FeedLayout& feed_;
};

/// A draft, each of whose questions is answered as the feed answers it.
std::string answered(const FeedDraft& draft, const FeedLayout& feed) {
  std::string toml;
  bool is_question = false;
  for (const auto& line : lines_of(draft.toml)) {
    if (line.starts_with("#? ")) {
      is_question = true;
      for (const auto& question : draft.open)
        if (line.starts_with("#? " + question.key + ": ")) toml += Answers(feed).to(question);
    }
    if (is_question && line.starts_with('#')) continue;
    is_question = false;
    toml += line + '\n';
  }
  return toml;
}

std::vector<std::string> read_by(const FeedLayout& feed, const Sample& sample,
                                 const ReadOptions& options) {
  const auto opened = open_feed(feed, {.text = sample.text, .is_last = true}, options);
  if (!opened) return {opened.error().message};
  LineSink sink;
  opened->parser->parse({.text = std::string_view(sample.text).substr(opened->bytes),
                         .first_line = opened->lines + 1,
                         .is_last = true},
                        sink);
  std::sort(sink.lines.begin(), sink.lines.end());
  return sink.lines;
}

TEST_P(ShippedFeed, ADraftOfItReadsTheSameOnceItsQuestionsAreAnswered) {
  const auto sample = sample_of(feed());
  const auto draft = draft_feed(sample.bytes, {.source = sample.name});
  if (const auto& rows = feed().rows_of_readings; rows && rows->date_line) {
    ASSERT_FALSE(draft);
    EXPECT_THAT(draft.error().message, testing::HasSubstr("`date_line`"));
    return;
  }
  ASSERT_TRUE(draft) << draft.error().message;
  EXPECT_THAT(draft->shipped, testing::ElementsAre(GetParam()));
  const auto toml = answered(*draft, feed());
  const auto drafted = parse_feed(toml, "draft");
  ASSERT_TRUE(drafted) << drafted.error().message << '\n' << draft->toml << "\n===\n" << toml;
  auto options = options_for(feed(), sample);
  const auto expected = read_by(feed(), sample, options);
  EXPECT_EQ(read_by(*drafted, sample, options), expected) << draft->toml << "\n===\n" << toml;
}

INSTANTIATE_TEST_SUITE_P(, ShippedFeed, testing::ValuesIn(names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace meterline::formats
