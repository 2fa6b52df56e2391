#include "core/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "core/try.h"

namespace meterline {

struct TimeZone::Rules {
  std::string text;
  std::optional<int> offset_minutes;  ///< Of an offset.
  absl::TimeZone zone;
  std::vector<OddDay> odd_days;

  /// What the clock shows so many minutes behind midnight.
  absl::TimeZone::CivilInfo shown(Date date, int minute) const;
};

namespace {

constexpr std::int32_t day_minutes = 24 * 60;

absl::CivilSecond civil(Date date) {
  const auto day = date.civil();
  return absl::CivilSecond(day.year, day.month, day.day);
}

/// The first moment of a local day.
absl::Time midnight(const absl::TimeZone& zone, absl::CivilSecond day) {
  const auto found = zone.At(day);
  return found.kind == absl::TimeZone::TimeInfo::SKIPPED ? found.trans : found.pre;
}

std::int32_t minutes_in(const absl::TimeZone& zone, Date date) {
  const auto start = civil(date);
  const auto length =
      midnight(zone, absl::CivilSecond(absl::CivilDay(start) + 1)) - midnight(zone, start);
  return static_cast<std::int32_t>(absl::ToInt64Minutes(absl::Ceil(length, absl::Minutes(1))));
}

std::optional<Date> date_of(const absl::CivilSecond& at) {
  if (at.year() < Date::min().civil().year || at.year() > Date::max().civil().year)
    return std::nullopt;
  return Date::from_civil(
      {.year = static_cast<int>(at.year()), .month = at.month(), .day = at.day()});
}

/// A change of the clock is within a day or at the end of the one before.
std::vector<OddDay> odd_days_of(const absl::TimeZone& zone) {
  std::vector<OddDay> odd;
  std::int64_t next = Date::min().days();  // The first that was not looked at.
  absl::TimeZone::CivilTransition change;
  for (auto at = midnight(zone, civil(Date::min())); zone.NextTransition(at, &change);) {
    at = zone.At(change.to).trans;
    const auto from = date_of(std::min(change.from, change.to));
    const auto to = date_of(std::max(change.from, change.to));
    if (!from || !to) break;
    for (next = std::max<std::int64_t>(next, from->days() - 1); next <= to->days(); ++next) {
      const auto date = Date::from_days(next);
      if (!date) continue;
      const auto minutes = minutes_in(zone, *date);
      if (minutes != day_minutes) odd.push_back({.date = *date, .minutes = minutes});
    }
  }
  return odd;
}

std::string offset_text(int seconds) {
  const char sign = seconds < 0 ? '-' : '+';
  const int minutes = std::abs(seconds) / 60;
  return fmt::format("{}{:02}:{:02}", sign, minutes / 60, minutes % 60);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `+10:00`
std::optional<int> parse_offset(std::string_view text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  for (const std::size_t i : {1U, 2U, 4U, 5U})
    if (!is_digit(text[i])) return std::nullopt;
  const int hours = (text[1] - '0') * 10 + (text[2] - '0');
  const int minutes = (text[4] - '0') * 10 + (text[5] - '0');
  const int all = hours * 60 + minutes;
  if (minutes > 59 || all > time_zone_offset_minutes_max) return std::nullopt;
  return text[0] == '-' ? -all : all;
}

/// As the names of the tz database are, and no path to anywhere else. `localtime` is whatever this
/// machine is set to.
bool is_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_allowed = [&](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '+' || c == '/';
  };
  return !text.empty() && text.size() <= time_zone_name_chars_max && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), is_allowed) && text != "localtime" &&
         text != "posixrules" && text != "Factory" && !text.starts_with("posix/") &&
         !text.starts_with("right/");
}

std::string database_folder() {
  const char* const folder = std::getenv("TZDIR");
  return folder == nullptr || *folder == '\0' ? "/usr/share/zoneinfo" : folder;
}

}  // namespace

absl::TimeZone::CivilInfo TimeZone::Rules::shown(Date date, int minute) const {
  return zone.At(midnight(zone, civil(date)) + absl::Minutes(minute));
}

Result<TimeZone> TimeZone::parse(std::string_view text) {
  if (text == "UTC" || text == "Z") return of_offset(0);
  if (const auto offset = parse_offset(text)) return of_offset(*offset);
  return named(text);
}

TimeZone TimeZone::of_offset(int minutes) {
  static std::shared_mutex mutex;
  static std::map<int, std::unique_ptr<const Rules>> known;
  {
    const std::shared_lock lock(mutex);
    if (const auto found = known.find(minutes); found != known.end())
      return TimeZone(found->second.get());
  }
  const std::unique_lock lock(mutex);
  auto& rules = known[minutes];
  if (!rules)
    rules = std::make_unique<const Rules>(
        Rules{.text = minutes == 0 ? "UTC" : offset_text(minutes * 60),
              .offset_minutes = minutes,
              .zone = absl::FixedTimeZone(minutes * 60)});
  return TimeZone(rules.get());
}

/// Only names that the tz database has are kept, so there are never many.
Result<TimeZone> TimeZone::named(std::string_view name) {
  static std::shared_mutex mutex;
  static std::map<std::string, std::unique_ptr<const Rules>, std::less<>> known;
  {
    const std::shared_lock lock(mutex);
    if (const auto found = known.find(name); found != known.end())
      return TimeZone(found->second.get());
  }
  const auto fail_for = [&](std::string_view what) {
    return fail(
        Errc::invalid_argument,
        fmt::format("\"{}\" is no time zone{}: want UTC, an offset like +10:00, or a name of "
                    "the tz database like Europe/London",
                    name.substr(0, time_zone_name_chars_max), what));
  };
  if (!is_name(name)) return fail_for("");
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(std::string(name), &zone))
    return fail_for(fmt::format(" that this machine knows (tz database {} in {}, package tzdata)",
                                tz_database_version(), database_folder()));
  const std::unique_lock lock(mutex);
  auto& rules = known[std::string(name)];
  if (!rules)
    rules = std::make_unique<const Rules>(
        Rules{.text = std::string(name), .zone = zone, .odd_days = odd_days_of(zone)});
  return TimeZone(rules.get());
}

bool TimeZone::is_fixed() const { return rules_ != nullptr && rules_->offset_minutes.has_value(); }

int TimeZone::offset_minutes() const { return *rules_->offset_minutes; }

std::string_view TimeZone::text() const {
  return rules_ == nullptr ? std::string_view() : rules_->text;
}

std::span<const OddDay> TimeZone::odd_days(DateRange range) const {
  if (rules_ == nullptr || range.to < range.from) return {};
  const auto& all = rules_->odd_days;
  const auto is_before = [](const OddDay& day, Date date) { return day.date < date; };
  const auto begin = std::lower_bound(all.begin(), all.end(), range.from, is_before);
  auto end = begin;
  while (end != all.end() && end->date <= range.to) ++end;
  return {begin, end};
}

std::int32_t TimeZone::minutes_of(Date date) const {
  const auto odd = odd_days({.from = date, .to = date});
  return odd.empty() ? day_minutes : odd.front().minutes;
}

std::optional<LocalDay> TimeZone::day_at(Instant at) const {
  const auto time = absl::FromUnixMicros(at.micros);
  const auto& zone = rules_->zone;
  absl::CivilDay day(zone.At(time).cs);
  // A clock that goes back over midnight shows the day before once more.
  while (time < midnight(zone, absl::CivilSecond(day))) --day;
  while (time >= midnight(zone, absl::CivilSecond(day + 1))) ++day;
  const auto date = date_of(absl::CivilSecond(day));
  if (!date) return std::nullopt;
  return LocalDay{.date = *date,
                  .start = {absl::ToUnixMicros(midnight(zone, absl::CivilSecond(day)))},
                  .end = {absl::ToUnixMicros(midnight(zone, absl::CivilSecond(day + 1)))}};
}

int TimeZone::shown_minute(Date date, int minute) const {
  if (rules_ == nullptr) return minute % day_minutes;
  const auto shown = rules_->shown(date, minute);
  return shown.cs.hour() * 60 + shown.cs.minute();
}

std::string TimeZone::label(Date date, int minute) const {
  if (rules_ == nullptr)
    return fmt::format("{}T{:02}:{:02}:00", date.text(), minute / 60, minute % 60);
  const auto shown = rules_->shown(date, minute);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", shown.cs.year(), shown.cs.month(),
                     shown.cs.day(), shown.cs.hour(), shown.cs.minute(), shown.cs.second(),
                     offset_text(shown.offset));
}

std::string tz_database_version() {
  std::ifstream file(database_folder() + "/tzdata.zi");
  std::string line;
  constexpr std::string_view before = "# version ";
  return std::getline(file, line) && line.starts_with(before) ? line.substr(before.size())
                                                              : "unknown";
}

}  // namespace meterline
