#include "cli/feeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "cli/table.h"
#include "core/decimal.h"
#include "core/json_writer.h"
#include "core/try.h"
#include "formats/csv_rows.h"
#include "formats/feed/draft.h"
#include "formats/feed/draft_sample.h"
#include "formats/feed/feed_csv.h"
#include "formats/feed/shipped_feeds.h"
#include "formats/recognise.h"
#include "ingest/ingest.h"

namespace meterline::cli {
namespace {

constexpr std::size_t sample_bytes_max = std::size_t{4} << 20;
constexpr std::size_t rows_shown_max = 10;
constexpr auto right = Table::Align::right;

std::string_view shape_of(const formats::FeedLayout& feed) { return feed.wide ? "wide" : "long"; }

/// What is read of a part of a file.
struct Reading {
  std::string day;    ///< Meter, channel and date.
  std::string first;  ///< The first reading, and where it begins.
  std::string last;
  std::size_t readings = 0;
};

/// Writes down what a reader says.
class CheckSink final : public formats::DaySink {
 public:
  void on_day(const ReadingDay& day, int, const formats::Row&) override {
    Reading reading{
        .day = fmt::format("{} {} {}", day.meter.text(), day.channel.name, day.date.text())};
    for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
      if (day.qualities[slot] == Quality::missing) continue;
      const int minute = static_cast<int>(slot) * day.interval.minutes();
      const auto label = day.zone.label(day.date, minute);
      auto text =
          fmt::format("{} {} {}", label.substr(label.find('T') + 1),
                      Decimal{day.mantissas[slot], day.exponent}.text(), text_of(day.channel.unit));
      if (day.qualities[slot] != Quality::actual)
        text += fmt::format(" {}", text_of(day.qualities[slot]));
      if (reading.readings++ == 0) reading.first = text;
      reading.last = std::move(text);
    }
    readings.push_back(std::move(reading));
  }
  void on_read(const RegisterRead&, const formats::Row&) override {}
  void on_rejected_row(const formats::Row&) override { ++rejected; }
  void on_finding(Finding finding) override { findings.push_back(std::move(finding)); }

  std::vector<Reading> readings;
  std::vector<Finding> findings;
  std::int64_t rejected = 0;
};

struct Checked {
  std::string row;
  CheckSink said;
};

struct CheckedText {
  std::string text;
  bool is_whole = false;  ///< Not only the file's start.
};

Result<CheckedText> read_sample(const std::string& path, const formats::FeedLayout& feed) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(sample_bytes_max, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad())
    return fail(Errc::invalid_argument, fmt::format("cannot read {}", path));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  auto encoding = formats::encoding_of(bytes);
  if (encoding == formats::Encoding::utf8) encoding = feed.encoding.value_or(encoding);
  CheckedText sample{.is_whole = bytes.size() < sample_bytes_max};
  auto& text = sample.text;
  formats::Utf8Maker(encoding).add(bytes, text);
  METERLINE_TRY(const auto mark, formats::check_text(text));
  text.erase(0, mark);
  text.erase(0, std::min(text.find_first_not_of("\r\n"), text.size()));
  return sample;
}

std::string counts_of(const std::vector<Finding>& findings) {
  std::map<std::string_view, int> counts;
  for (const auto& finding : findings) ++counts[text_of(finding.code)];
  std::string text;
  for (const auto& [code, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", code, count);
  return text.empty() ? "none" : text;
}

void print_check(const std::vector<Checked>& rows, const CheckSink& all, const Session& session) {
  if (session.output != Output::table) {
    JsonWriter json;
    json.begin_object().key("rows").begin_array();
    for (const auto& [row, said] : rows) {
      json.begin_object().member("row", std::string_view(row)).key("read").begin_array();
      for (const auto& reading : said.readings)
        json.begin_object()
            .member("day", std::string_view(reading.day))
            .member("readings", reading.readings)
            .member("first", std::string_view(reading.first))
            .member("last", std::string_view(reading.last))
            .end_object();
      json.end_array().key("findings").begin_array();
      for (const auto& finding : said.findings)
        json.value(fmt::format("{}: {}", text_of(finding.code), finding.text));
      json.end_array().end_object();
    }
    json.end_array().member("days", all.readings.size()).member("rejected", all.rejected);
    json.member("findings", std::string_view(counts_of(all.findings)));
    return print_line(json.end_object().take());
  }
  Table table({{.title = "row"},
               {.title = "day"},
               {.title = "readings", .align = right},
               {.title = "first"},
               {.title = "last"}});
  for (const auto& [row, said] : rows) {
    constexpr std::size_t shown_chars = 60;
    auto text = row.size() > shown_chars ? row.substr(0, shown_chars) + "..." : row;
    for (const auto& reading : said.readings)
      table.add({std::exchange(text, ""), reading.day, std::to_string(reading.readings),
                 reading.first, reading.last});
    for (const auto& finding : said.findings)
      table.add({std::exchange(text, ""),
                 fmt::format("{}: {}", text_of(finding.code), finding.text), "", "", ""});
  }
  print_text(table.text());
  print_line(fmt::format("{} days in all, {} rows rejected, findings: {}", all.readings.size(),
                         all.rejected, counts_of(all.findings)));
}

/// Questions of a draft that still stand in the description of a feed.
void tell_open_questions(const formats::FeedLayout& feed) {
  int line = 1;
  for (std::string_view rest = feed.text; !rest.empty(); ++line) {
    const auto end = std::min(rest.find('\n'), rest.size());
    if (rest.starts_with("#? "))
      tell(fmt::format("open in the feed, line {}: {}\n", line, rest.substr(3, end - 3)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

Result<int> try_check(const FeedCheckVerb& verb, const Session& session) {
  ingest::IngestOptions options;
  METERLINE_CHECK(read_file_options(verb.files, options));
  const auto* const feed = options.feed.layout();
  if (feed == nullptr) return fail(Errc::invalid_argument, "want the name of one feed");
  tell_open_questions(*feed);
  METERLINE_TRY(const auto sample, read_sample(verb.path, *feed));
  const auto& text = sample.text;
  const formats::ReadOptions reading{.unit = options.unit,
                                     .zone = options.zone,
                                     .source = verb.path,
                                     .hints = options.feed.hints()};
  METERLINE_TRY(const auto opened,
                formats::open_feed(*feed, {.text = text, .is_last = true}, reading));
  if (opened.needs_unit && !options.unit)
    return fail(Errc::invalid_argument,
                "neither the file nor the feed says a unit: name it with "
                "--unit");
  const auto rows = std::string_view(text).substr(opened.bytes);
  std::vector<Checked> first;
  for (auto rest = rows; !rest.empty() && first.size() < rows_shown_max;) {
    const auto row = formats::first_row(rest);
    auto& checked = first.emplace_back(Checked{.row = excerpt_of(row.text)});
    opened.parser->parse({.text = rest.substr(0, row.bytes)}, checked.said);
    rest.remove_prefix(row.bytes);
  }
  CheckSink all;
  opened.parser->parse({.text = rows, .first_line = opened.lines + 1, .is_last = sample.is_whole},
                       all);
  print_check(first, all, session);
  return all.rejected > 0 ? exit_rejected : exit_ok;
}

Result<void> write_draft(const std::string& path, const std::string& toml) {
  if (std::ifstream(path).is_open())
    return fail(Errc::invalid_argument,
                fmt::format("{} is there already: name another file", path));
  std::ofstream file(path, std::ios::binary);
  file << toml;
  file.close();
  if (!file) return fail(Errc::unavailable, fmt::format("cannot write {}", path));
  return {};
}

void tell_draft(const formats::FeedDraft& draft) {
  for (const auto& name : draft.shipped)
    tell(fmt::format("`--feed {}` {}\n", name,
                     draft.shipped.size() == 1 ? "reads this file: no draft is needed"
                                               : "may read this file, too"));
  for (const auto& [key, why] : draft.decided) tell(fmt::format("decided {}: {}\n", key, why));
  for (const auto& question : draft.open) {
    std::string choices;
    for (const auto& choice : question.choices) {
      auto line = choice;
      std::replace(line.begin(), line.end(), '\n', ' ');
      choices += (choices.empty() ? ": " : " | ") + line;
    }
    tell(fmt::format("open {}: {}{}\n", question.key, question.why, choices));
  }
}

Result<void> try_draft(const FeedDraftVerb& verb) {
  std::ifstream file(verb.path, std::ios::binary);
  std::string bytes(formats::draft_bytes_max + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad())
    return fail(Errc::invalid_argument, fmt::format("cannot read {}", verb.path));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  METERLINE_TRY(const auto draft, formats::draft_feed(bytes, {.source = verb.path}));
  if (verb.output.empty())
    print_text(draft.toml);
  else
    METERLINE_CHECK(write_draft(verb.output, draft.toml));
  tell_draft(draft);
  return {};
}

Result<std::string> description_of(const std::string& feed) {
  METERLINE_TRY(const auto choice, feed_option(feed));
  if (choice.layout() == nullptr) return fail(Errc::invalid_argument, "want the name of one feed");
  return choice.layout()->text;
}

}  // namespace

int list_feeds(const Session& session) {
  if (session.output == Output::json) {
    JsonWriter json;
    json.begin_object().key("feeds").begin_array();
    for (const auto& feed : formats::shipped_feeds())
      json.begin_object()
          .member("name", std::string_view(feed.name))
          .member("shape", shape_of(feed))
          .member("zone", feed.zone.text())
          .member("title", std::string_view(feed.title))
          .end_object();
    print_line(json.end_array().end_object().take());
    return exit_ok;
  }
  if (session.output == Output::csv) {
    print_line("name,shape,zone,title");
    for (const auto& feed : formats::shipped_feeds())
      print_line(fmt::format("{},{},{},{}", feed.name, shape_of(feed), feed.zone.text(),
                             csv_field(feed.title)));
    return exit_ok;
  }
  Table table({{.title = "name"}, {.title = "shape"}, {.title = "zone"}, {.title = "title"}});
  for (const auto& feed : formats::shipped_feeds())
    table.add({feed.name, std::string(shape_of(feed)), std::string(feed.zone.text()), feed.title});
  print_text(table.text());
  return exit_ok;
}

int show_feed(const std::string& feed) {
  const auto text = description_of(feed);
  if (!text) return report_error(text.error());
  print_text(*text);
  return exit_ok;
}

int draft_feed(const FeedDraftVerb& verb) {
  const auto done = try_draft(verb);
  return done ? exit_ok : report_error(done.error());
}

int check_feed(const FeedCheckVerb& verb, const Session& session) {
  const auto done = try_check(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
