#include "cli/tariffs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>
#include <vector>

#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/table.h"
#include "core/finding.h"
#include "core/json_writer.h"
#include "core/try.h"
#include "source/disk/disk_source.h"

namespace meterline::cli {
namespace {

/// Minutes of one band, one after the other.
struct BandSpan {
  std::size_t from = 0;
  std::size_t to = 0;  ///< Behind the last.
  std::string_view band;
};

/// Days of a year whose times are of the same bands.
struct LikeDays {
  query::DayBands bands{};
  Date first;
  std::int64_t count = 0;
};

std::string clock_text(std::size_t minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

std::vector<BandSpan> spans_of(const query::Tariff& tariff, const query::DayBands& bands) {
  std::vector<BandSpan> spans;
  for (std::size_t minute = 0; minute < query::clock_minutes; ++minute) {
    const auto& band = tariff.bands().at(bands.at(minute));
    if (spans.empty() || spans.back().band != band)
      spans.push_back({.from = minute, .to = minute, .band = band});
    spans.back().to = minute + 1;
  }
  return spans;
}

/// In the order of their first days.
std::vector<LikeDays> days_of(const query::Tariff& tariff, int year) {
  std::vector<LikeDays> days;
  const auto first = *Date::from_civil({.year = year, .month = 1, .day = 1});
  const auto last = *Date::from_civil({.year = year, .month = 12, .day = 31});
  for (auto day = first.days(); day <= last.days(); ++day) {
    const Date date = *Date::from_days(day);
    const auto bands = tariff.bands_of(date);
    auto found = std::find_if(days.begin(), days.end(),
                              [&](const LikeDays& each) { return each.bands == bands; });
    if (found == days.end()) {
      days.push_back({.bands = bands, .first = date});
      found = std::prev(days.end());
    }
    ++found->count;
  }
  return days;
}

/// Minutes of each band in the year, as many as a clock without changes shows.
std::vector<std::int64_t> minutes_of(const query::Tariff& tariff,
                                     const std::vector<LikeDays>& days) {
  std::vector<std::int64_t> minutes(tariff.bands().size());
  for (const auto& each : days)
    for (const auto band : each.bands) minutes.at(band) += each.count;
  return minutes;
}

std::string table_of(const query::Tariff& tariff, const std::vector<LikeDays>& days) {
  Table bands({{.title = "band"}, {.title = "hours of the year", .align = Table::Align::right}});
  const auto minutes = minutes_of(tariff, days);
  for (std::size_t i = 0; i < minutes.size(); ++i)
    bands.add({tariff.bands()[i], fmt::format("{}:{:02}", minutes[i] / 60, minutes[i] % 60)});
  Table table({{.title = "first day"},
               {.title = "days like it", .align = Table::Align::right},
               {.title = "bands"}});
  for (const auto& each : days) {
    std::string text;
    for (const auto& span : spans_of(tariff, each.bands))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", clock_text(span.from), span.band);
    table.add({each.first.text(), grouped(each.count), text});
  }
  return bands.text() + '\n' + table.text();
}

std::string json_of(const query::Tariff& tariff, int year, const std::vector<LikeDays>& days) {
  JsonWriter json;
  json.begin_object().member("tariff", std::string_view(tariff.name())).member("year", year);
  json.key("bands").begin_array();
  const auto minutes = minutes_of(tariff, days);
  for (std::size_t i = 0; i < minutes.size(); ++i)
    json.begin_object()
        .member("band", std::string_view(tariff.bands()[i]))
        .member("minutes", minutes[i])
        .end_object();
  json.end_array().key("days").begin_array();
  for (const auto& each : days) {
    json.begin_object().member("first", each.first.text()).member("count", each.count);
    json.key("times").begin_array();
    for (const auto& span : spans_of(tariff, each.bands))
      json.begin_object()
          .member("from", clock_text(span.from))
          .member("to", clock_text(span.to))
          .member("band", span.band)
          .end_object();
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string csv_of(const query::Tariff& tariff, const std::vector<LikeDays>& days) {
  std::string out = "first,count,from,to,band\n";
  for (const auto& each : days)
    for (const auto& span : spans_of(tariff, each.bands))
      out += fmt::format("{},{},{},{},{}\n", each.first.text(), each.count, clock_text(span.from),
                         clock_text(span.to), span.band);
  return out;
}

Result<int> try_check(const TariffCheckVerb& verb, const Session& session) {
  METERLINE_TRY(const auto tariff, tariff_option(verb.file));
  const int year =
      verb.year > 0 ? verb.year : Date::parse(now().text().substr(0, 10))->civil().year;
  const auto days = days_of(tariff, year);
  switch (session.output) {
    case Output::json:
      print_line(json_of(tariff, year, days));
      return exit_ok;
    case Output::csv:
      print_text(csv_of(tariff, days));
      return exit_ok;
    case Output::table:
      print_text(table_of(tariff, days));
  }
  return exit_ok;
}

}  // namespace

Result<query::Tariff> tariff_option(const std::string& path) {
  METERLINE_TRY(const auto text, read_small_file("tariff", path, query::tariff_bytes_max));
  return query::Tariff::parse(text, toml_name_of(path));
}

Result<query::Tariffs> read_tariffs(const std::string& folder) {
  query::Tariffs tariffs;
  if (folder.empty()) return tariffs;
  METERLINE_TRY(const auto files, source::list_files({folder}));
  for (const auto& file : files) {
    if (file.extension() != ".toml") continue;
    const auto path = file.string();
    METERLINE_TRY(const auto text, read_small_file("--tariffs", path, query::tariff_bytes_max));
    const auto name = toml_name_of(path);
    if (!query::is_tariff_name(name))
      return fail(Errc::invalid_argument,
                  fmt::format("--tariffs: {}: a tariff is named by 1 to {} characters of "
                              "A-Z a-z 0-9 _ - . :",
                              excerpt_of(path), query::tariff_name_chars_max));
    METERLINE_TRY(auto tariff, query::Tariff::parse(text, name));
    if (!tariffs.emplace(name, std::move(tariff)).second)
      return fail(Errc::invalid_argument,
                  fmt::format("--tariffs: two files are called {}.toml", name));
    if (tariffs.size() > tariffs_max)
      return fail(Errc::invalid_argument,
                  fmt::format("--tariffs: more than {} tariffs", tariffs_max));
  }
  if (tariffs.empty())
    return fail(Errc::invalid_argument,
                fmt::format("--tariffs: no file *.toml is in {}", excerpt_of(folder)));
  return tariffs;
}

int check_tariff(const TariffCheckVerb& verb, const Session& session) {
  const auto done = try_check(verb, session);
  return done ? *done : report_error(done.error());
}

void add_tariff_check(CLI::App& app, TariffCheckVerb& verb) {
  auto* const tariff = app.add_subcommand("tariff", "Tariffs: which time is of which band");
  tariff->require_subcommand(1);
  auto* const check =
      tariff->add_subcommand("check", "Read a tariff, and show what it says of each day of a year");
  check->add_option("FILE", verb.file, "A TOML file: see docs/use/tariffs.md")->required();
  check->add_option("--year", verb.year, "Which year (default: this one)")
      ->check(CLI::Range(Date::min().civil().year, Date::max().civil().year));
}

}  // namespace meterline::cli
