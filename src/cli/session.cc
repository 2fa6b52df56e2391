#include "cli/session.h"

#include <fmt/core.h>

#include <cstdio>
#include <fstream>

#include "cli/exit_code.h"
#include "core/finding.h"
#include "core/try.h"

namespace meterline::cli {

int report_error(const Error& error) {
  std::fflush(stdout);
  tell(fmt::format("meterline: {}\n", error.message));
  return error.code == Errc::invalid_argument ? exit_usage : exit_failed;
}

// Not fmt::print, which throws when the disk is full.
void print_text(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_line(std::string_view text) { print_text(std::string(text) + '\n'); }

void tell(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

Result<Date> date_option(std::string_view option, const std::string& text) {
  const auto date = Date::parse(text);
  if (!date)
    return fail(Errc::invalid_argument,
                fmt::format("{}: want a day as yyyy-MM-dd, like 2019-01-31, got \"{}\"", option,
                            excerpt_of(text)));
  return *date;
}

Result<Instant> instant_option(std::string_view option, const std::string& text) {
  const auto at = Instant::parse(text);
  if (!at)
    return fail(Errc::invalid_argument,
                fmt::format("{}: want a time as 2019-01-31T06:00:00Z or a day as 2019-01-31, got "
                            "\"{}\"",
                            option, excerpt_of(text)));
  return *at;
}

Result<std::optional<Unit>> unit_option(const std::string& text) {
  if (text.empty()) return std::optional<Unit>();
  const auto unit = parse_unit_choice(text);
  if (!unit)
    return fail(Errc::invalid_argument,
                fmt::format("--unit: want one of {}, got \"{}\"", unit_choices, excerpt_of(text)));
  return unit;
}

Result<std::string> read_small_file(std::string_view option, const std::string& path,
                                    std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(bytes_max + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad())
    return fail(Errc::invalid_argument, fmt::format("{}: cannot read {}", option, path));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

std::string toml_name_of(const std::string& path) {
  constexpr std::string_view ending = ".toml";
  const auto slash = path.rfind('/');
  auto name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  return name;
}

Result<ingest::FeedChoice> feed_option(const std::string& text) {
  if (text.empty() || text == "none") return ingest::FeedChoice();
  if (text == "auto") return ingest::FeedChoice::automatic();
  const bool is_file = text.find('/') != std::string::npos || text.ends_with(".toml");
  if (!is_file) return ingest::FeedChoice::shipped(text);
  METERLINE_TRY(const auto toml, read_small_file("--feed", text, formats::feed_bytes_max));
  return ingest::FeedChoice::described(toml, toml_name_of(text));
}

Result<void> read_file_options(const FileOptions& given, ingest::IngestOptions& options) {
  options.is_strict = given.strict;
  METERLINE_TRY(options.unit, unit_option(given.unit));
  METERLINE_TRY(options.feed, feed_option(given.feed));
  options.feed.take(
      {.meter = given.meter, .stamp = given.stamp, .dates = given.dates, .step = given.step});
  if (given.zone.empty() || given.zone == "unknown") return {};
  auto zone = TimeZone::parse(given.zone);
  if (!zone) return fail(Errc::invalid_argument, "--zone: " + zone.error().message);
  options.zone = *zone;
  return {};
}

Result<DateRange> range_options(const std::string& from, const std::string& to) {
  METERLINE_TRY(const auto first, date_option("--from", from));
  if (to.empty()) return DateRange{.from = first, .to = first};
  METERLINE_TRY(const auto last, date_option("--to", to));
  if (last < first)
    return fail(Errc::invalid_argument,
                fmt::format("--to {} is before --from {}", last.text(), first.text()));
  return DateRange{.from = first, .to = last};
}

}  // namespace meterline::cli
