#include "formats/header_hint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "core/finding.h"
#include "core/text.h"

namespace meterline::formats {
namespace {

constexpr std::size_t line_bytes_max = 16 * 1024;  ///< Of a line that are looked at.

/// How people call the metered point, by the begin of the name.
constexpr std::array<std::string_view, 22> meter_names = {
    "meter",      "mpan",        "mpxn",
    "mprn",       "mpr",         "cups",
    "ean",        "nmi",         "icp",
    "esiid",      "prm",         "pdl",
    "pod",        "zählpunkt",   "zaehlpunkt",
    "målepunkt",  "maalepunkt",  "mittauspiste",
    "usagepoint", "usage point", "identifiant prm",
    "lclid"};
/// Parts of names of dates.
constexpr std::array<std::string_view, 11> date_names = {
    "date", "datum", "fecha", "giorno", "dato", "day", "päivä", "tag", "jour", "horodate", "data"};

bool is_digit(char c) { return '0' <= c && c <= '9'; }

std::string trimmed_lower(std::string_view text) {
  constexpr std::string_view around = " \t\"'[]";
  const auto first = text.find_first_not_of(around);
  if (first == std::string_view::npos) return "";
  return lower(text.substr(first, text.find_last_not_of(around) - first + 1));
}

/// It begins with a time of day, or is a number with perhaps a word before it: `00:30`, `kWh_1`.
bool is_like_an_interval(const std::string& name) {
  const auto colon = name.find(':');
  if (colon == 1 || colon == 2) return is_digit(name[0]) && colon + 1 < name.size();
  const auto digits = name.find_last_not_of("0123456789");
  return digits == std::string::npos
             ? !name.empty() && name.size() <= 2
             : digits + 1 < name.size() && digits + 3 >= name.size() && name.size() <= 16;
}

bool is_time(std::string_view name) {
  return (name.size() == 4 || name.size() == 5) && name[name.size() - 3] == ':';
}

struct Candidate {
  std::int64_t line = 0;
  char delimiter = ',';
  std::size_t columns = 0;
  std::string meter;  ///< The name nearest to it; empty when there is none.
  std::string date;
  std::string interval;  ///< The first of them.
  std::size_t intervals = 0;

  /// Names count more than times, which rows have too.
  std::size_t likeness() const {
    if (columns < 2) return 0;
    return (columns > 2 ? 1U : 0U) + (meter.empty() ? 0U : 4U) + (date.empty() ? 0U : 4U) +
           std::min<std::size_t>(intervals, 3);
  }
};

Candidate candidate_of(std::string_view row, std::int64_t line, char delimiter) {
  Candidate candidate{.line = line, .delimiter = delimiter};
  for (std::size_t at = 0; at <= row.size();) {
    const auto end = std::min(row.find(delimiter, at), row.size());
    const auto field = row.substr(at, end - at);
    const auto name = trimmed_lower(field);
    const bool is_meter = is_meter_name(name);
    const bool is_date = std::any_of(date_names.begin(), date_names.end(), [&](auto known) {
      return name.find(known) != std::string::npos;
    });
    ++candidate.columns;
    if (is_meter && (candidate.meter.empty() || name == "meter"))
      candidate.meter = field;
    else if (is_date && (candidate.date.empty() || name == "date"))
      candidate.date = field;
    else if (is_like_an_interval(name) && candidate.intervals++ == 0)
      candidate.interval = field;
    at = end + 1;
  }
  return candidate;
}

std::string delimiter_text(char delimiter) {
  return delimiter == '\t' ? "a tab" : fmt::format("`{}`", delimiter);
}

std::string name_text(std::string_view name) {
  while (name.starts_with(' ') || name.starts_with('"')) name.remove_prefix(1);
  while (name.ends_with(' ') || name.ends_with('"')) name.remove_suffix(1);
  return fmt::format("`{}`", excerpt_of(name));
}

/// What of a header the candidate has.
std::string seen_text(const Candidate& candidate) {
  return fmt::format(
      "nearest to `Meter` {}, to `Date` {}, to times {}",
      candidate.meter.empty() ? "nothing" : name_text(candidate.meter),
      candidate.date.empty() ? "nothing" : name_text(candidate.date),
      candidate.intervals == 0
          ? "nothing"
          : fmt::format("{} columns like {}", candidate.intervals, name_text(candidate.interval)));
}

/// What to do so that the better candidate is taken.
std::string advice_text(const Candidate& taken, const Candidate& better) {
  std::string advice;
  if (better.line != taken.line)
    advice = fmt::format("delete the lines above line {}", better.line);
  if (better.delimiter != ',')
    advice += fmt::format("{}write `,` between columns, not {}, and points in numbers",
                          advice.empty() ? "" : ", and ", delimiter_text(better.delimiter));
  return advice;
}

}  // namespace

bool is_meter_name(std::string_view name) {
  const auto lower = trimmed_lower(name);
  return std::any_of(meter_names.begin(), meter_names.end(),
                     [&](auto known) { return lower.starts_with(known); });
}

std::string header_hint(std::string_view text, std::int64_t line) {
  std::optional<Candidate> taken;
  Candidate best;
  for (int i = 0; i < header_hint_lines_max && !text.empty(); ++i, ++line) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const auto row = text.substr(0, std::min(end, line_bytes_max));
    for (const char delimiter : {',', ';', '\t', '|'}) {
      auto candidate = candidate_of(row, line, delimiter);
      if (!taken) taken = candidate;
      // A line further down has one of the names at least: rows may begin with numbers, too.
      const bool is_named = !candidate.meter.empty() || !candidate.date.empty();
      const bool may_be = is_named || line == taken->line;
      if (may_be && candidate.likeness() > best.likeness()) best = candidate;
    }
    const bool is_crlf = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(end + (is_crlf ? 2 : 1), text.size()));
  }
  if (!taken) return "";
  const auto hint = fmt::format("line {} was taken for the header, with {} {} by `,`", taken->line,
                                taken->columns, taken->columns == 1 ? "column" : "columns");
  const bool has_all = trimmed_lower(taken->meter) == "meter" &&
                       trimmed_lower(taken->date) == "date" && is_time(taken->interval);
  if (has_all) return "";
  const bool is_better = best.likeness() > taken->likeness();
  if (!is_better) return hint + ": " + seen_text(*taken);
  return hint + fmt::format("; line {}, with {} columns by {}, looks more like it ({}): {}",
                            best.line, best.columns, delimiter_text(best.delimiter),
                            seen_text(best), advice_text(*taken, best));
}

}  // namespace meterline::formats
