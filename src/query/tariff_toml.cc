// Reads the file of a tariff. The first thing that is wrong ends it: each reader of a key gives a
// default then, and the error stays.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <optional>
#include <utility>

#include "core/finding.h"
#include "core/toml.h"
#include "query/tariff.h"

namespace meterline::query {
namespace {

constexpr std::string_view names_wanted = "1 to 32 characters of A-Z a-z 0-9 _ - . :";

struct DayName {
  std::string_view name;
  std::uint8_t bits;
};
constexpr std::array<DayName, 10> day_names = {{{"mon", 1},
                                                {"tue", 2},
                                                {"wed", 4},
                                                {"thu", 8},
                                                {"fri", 16},
                                                {"sat", 32},
                                                {"sun", 64},
                                                {"weekday", 31},
                                                {"weekend", 96},
                                                {"holiday", holiday_bit}}};

/// Two digits at `at`; nothing where there are none.
std::optional<int> two_digits(std::string_view text, std::size_t at) {
  const auto digits = text.substr(at, 2);
  int value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// `12-25` of any year, 02-29 among them.
std::optional<int> month_day(std::string_view text) {
  constexpr int leap_year = 2000;
  if (text.size() != 5 || text[2] != '-') return std::nullopt;
  const auto month = two_digits(text, 0);
  const auto day = two_digits(text, 3);
  if (!month || !day || !Date::from_civil({.year = leap_year, .month = *month, .day = *day}))
    return std::nullopt;
  return *month * 100 + *day;
}

/// `11-01..03-31`, or one day.
std::optional<YearSpan> year_span(std::string_view text) {
  const auto dots = text.find("..");
  const auto from = month_day(text.substr(0, dots));
  const auto to = dots == std::string_view::npos ? from : month_day(text.substr(dots + 2));
  if (!from || !to) return std::nullopt;
  return YearSpan{.from = *from, .to = *to};
}

/// `07:00`, and `24:00`.
std::optional<std::size_t> clock_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = two_digits(text, 0);
  const auto minute = two_digits(text, 3);
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > static_cast<int>(clock_minutes))
    return std::nullopt;
  return static_cast<std::size_t>(*hour * 60 + *minute);
}

/// `07:00-23:00`, and over midnight `22:00-06:00`.
std::optional<ClockSpan> clock_span(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto from = clock_minute(text.substr(0, dash));
  const auto to = clock_minute(text.substr(dash + 1));
  if (!from || !to || *from == *to || *from == clock_minutes) return std::nullopt;
  return ClockSpan{.from = *from, .to = *to};
}

}  // namespace

class TariffReader {
 public:
  explicit TariffReader(std::string_view name) { tariff_.name_ = name; }

  Result<Tariff> read(std::string_view text);

 private:
  using Table = toml::table;
  /// Takes one text of a list; false: it is not what is wanted.
  using TakeText = std::function<bool(std::string_view)>;

  Error error_at(const toml::source_position& at, std::string_view message) const {
    return {.code = Errc::invalid_argument,
            .message = fmt::format("tariff {}, line {}, column {}: {}", tariff_.name_, at.line,
                                   at.column, message)};
  }
  void fault(const toml::node& node, std::string_view message) {
    if (!error_) error_ = error_at(node.source().begin, message);
  }
  /// What may stand in a table, and that nothing else does.
  void allow(const Table& table, std::string_view section,
             std::initializer_list<std::string_view> keys);
  /// Of a list of texts, or of one text alone, each.
  void each_text(const toml::node& node, std::string_view wanted, std::size_t count_max,
                 const TakeText& take);
  std::uint8_t band(const toml::node& node);

  void read_seasons(const toml::node& node);
  void read_holidays(const toml::node& node);
  void read_rules(const toml::node& node);
  TariffRule rule(const Table& table);
  void read_season_names(const toml::node& node, TariffRule& rule);
  std::string season_names() const;

  Tariff tariff_;
  std::map<std::string, std::vector<YearSpan>, std::less<>> seasons_;
  std::optional<Error> error_;
};

void TariffReader::allow(const Table& table, std::string_view section,
                         std::initializer_list<std::string_view> keys) {
  for (const auto& [key, node] : table) {
    if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
    fault(node, fmt::format("`{}` is no key of {}: want one of {}", excerpt_of(key.str()), section,
                            fmt::join(keys, ", ")));
  }
}

void TariffReader::each_text(const toml::node& node, std::string_view wanted, std::size_t count_max,
                             const TakeText& take) {
  const auto read_one = [&](const toml::node& one) {
    const auto* const text = one.as_string();
    if (text == nullptr) return fault(one, fmt::format("want {}, in quotes", wanted));
    if (!take(text->get()))
      fault(one, fmt::format("want {}, got \"{}\"", wanted, excerpt_of(text->get())));
  };
  const auto* const list = node.as_array();
  if (list == nullptr) return read_one(node);
  if (list->empty()) return fault(node, fmt::format("the list is empty: want {}", wanted));
  if (list->size() > count_max)
    return fault(node, fmt::format("the list has {} entries, at most {} are taken", list->size(),
                                   count_max));
  for (const auto& one : *list) read_one(one);
}

std::uint8_t TariffReader::band(const toml::node& node) {
  const auto* const text = node.as_string();
  auto& bands = tariff_.bands_;
  if (text == nullptr || !is_tariff_name(text->get())) {
    fault(node, fmt::format("a band is named by {}, in quotes", names_wanted));
    return 0;
  }
  const auto found = std::find(bands.begin(), bands.end(), text->get());
  const auto place = found - bands.begin();
  if (found == bands.end()) bands.push_back(text->get());
  if (bands.size() > tariff_bands_max)
    fault(node, fmt::format("more than {} bands", tariff_bands_max));
  return static_cast<std::uint8_t>(place);
}

void TariffReader::read_seasons(const toml::node& node) {
  const auto* const table = node.as_table();
  if (table == nullptr)
    return fault(node, "`seasons`: want a table, like winter = \"11-01..03-31\"");
  if (table->size() > tariff_seasons_max)
    return fault(node, fmt::format("`seasons`: more than {}", tariff_seasons_max));
  for (const auto& [key, dates] : *table) {
    if (!is_tariff_name(key.str()))
      fault(dates, fmt::format("a season is named by {}", names_wanted));
    auto& spans = seasons_[std::string(key.str())];
    each_text(dates, "days of the year like 11-01..03-31, both included", tariff_season_spans_max,
              [&](std::string_view text) {
                const auto span = year_span(text);
                if (span) spans.push_back(*span);
                return span.has_value();
              });
  }
}

void TariffReader::read_holidays(const toml::node& node) {
  if (!node.is_array()) return fault(node, "`holidays`: want a list, like [\"12-25\"]");
  if (node.as_array()->empty()) return;
  auto& dates = tariff_.holidays_;
  auto& yearly = tariff_.yearly_holidays_;
  each_text(node, "a day like 2026-04-03, or of every year like 12-25", tariff_holidays_max,
            [&](std::string_view text) {
              const auto date = Date::parse(text);
              const auto each_year = month_day(text);
              if (date) dates.push_back(*date);
              if (each_year) yearly.push_back(*each_year);
              return date || each_year;
            });
  std::sort(dates.begin(), dates.end());
  std::sort(yearly.begin(), yearly.end());
}

std::string TariffReader::season_names() const {
  std::string names;
  for (const auto& [name, spans] : seasons_) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "and [seasons] names none" : "one of " + names;
}

void TariffReader::read_season_names(const toml::node& node, TariffRule& rule) {
  each_text(node, "a season, " + season_names(), tariff_seasons_max, [&](std::string_view text) {
    const auto found = seasons_.find(text);
    if (found == seasons_.end()) return false;
    rule.seasons.insert(rule.seasons.end(), found->second.begin(), found->second.end());
    return true;
  });
}

TariffRule TariffReader::rule(const Table& table) {
  allow(table, "[[rule]]", {"band", "days", "seasons", "times"});
  TariffRule rule;
  if (const auto* const node = table.get("band"))
    rule.band = band(*node);
  else
    fault(table, "[[rule]]: want `band`");
  if (const auto* const node = table.get("days")) {
    rule.days = 0;
    each_text(*node, "mon, tue, wed, thu, fri, sat, sun, weekday (mon to fri), weekend or holiday",
              day_names.size(), [&](std::string_view text) {
                const auto* const found =
                    std::find_if(day_names.begin(), day_names.end(),
                                 [&](const DayName& day) { return day.name == text; });
                if (found != day_names.end()) rule.days |= found->bits;
                return found != day_names.end();
              });
  }
  if (const auto* const node = table.get("seasons")) read_season_names(*node, rule);
  if (const auto* const node = table.get("times"))
    each_text(*node, "times of the day like 07:00-23:00, or over midnight 22:00-06:00",
              tariff_times_max, [&](std::string_view text) {
                const auto span = clock_span(text);
                if (span) rule.times.push_back(*span);
                return span.has_value();
              });
  return rule;
}

void TariffReader::read_rules(const toml::node& node) {
  const auto* const list = node.as_array();
  if (list == nullptr) return fault(node, "`rule`: want tables, each under [[rule]]");
  if (list->size() > tariff_rules_max)
    return fault(node, fmt::format("more than {} rules", tariff_rules_max));
  for (const auto& one : *list) {
    const auto* const table = one.as_table();
    if (table == nullptr) return fault(one, "`rule`: want tables, each under [[rule]]");
    tariff_.rules_.push_back(rule(*table));
  }
}

Result<Tariff> TariffReader::read(std::string_view text) {
  if (text.size() > tariff_bytes_max)
    return fail(Errc::too_large,
                fmt::format("tariff {}: larger than {} bytes", tariff_.name_, tariff_bytes_max));
  const auto parsed = toml::parse(text);
  if (!parsed)
    return tl::unexpected(error_at(parsed.error().source().begin, parsed.error().description()));
  const Table& all = parsed.table();
  allow(all, "a tariff", {"otherwise", "holidays", "seasons", "rule"});
  if (const auto* const node = all.get("seasons")) read_seasons(*node);
  if (const auto* const node = all.get("holidays")) read_holidays(*node);
  if (const auto* const node = all.get("rule")) read_rules(*node);
  if (const auto* const node = all.get("otherwise"))
    tariff_.otherwise_ = band(*node);
  else
    fault(all, "want `otherwise`, the band of all times that no rule has");
  if (error_) return tl::unexpected(*error_);
  return std::move(tariff_);
}

Result<Tariff> Tariff::parse(std::string_view toml, std::string_view name) {
  return TariffReader(name).read(toml);
}

}  // namespace meterline::query
