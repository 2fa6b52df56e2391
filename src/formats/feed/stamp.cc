#include "formats/feed/stamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "core/finding.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

constexpr int day_minutes = 24 * 60;
constexpr int noon = 12;
constexpr std::int64_t day_seconds = std::int64_t{day_minutes} * 60;
constexpr std::array<std::string_view, 12> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 12> long_months = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
bool is_letter(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z'); }

/// Takes digits off the front: at least `least`, at most `most`.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  int value = 0;
  std::size_t count = 0;
  while (count < most && count < text.size() && is_digit(text[count]))
    value = value * 10 + (text[count++] - '0');
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2, 2);
  if (!hours) return std::nullopt;
  const bool has_colon = take(text, ':');
  const bool has_minutes = has_colon || (!text.empty() && is_digit(text.front()));
  const auto minutes = has_minutes ? take_number(text, 2, 2) : std::optional(0);
  if (!minutes || *hours > 15 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Stamp& stamp) {
  out << fmt::format("{} {:02}:{:02}:{:02}", stamp.date.text(), stamp.minute / 60,
                     stamp.minute % 60, stamp.second);
  if (stamp.offset_minutes) out << fmt::format(" offset {}", *stamp.offset_minutes);
  return out;
}

/// What has been read so far, and what is left of the text.
struct StampPattern::Reading {
  std::string_view rest = {};
  CivilDay civil{.year = 1970, .month = 1, .day = 1};
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::optional<bool> is_pm = {};
  bool is_half = false;
  std::optional<int> offset = {};

  bool take_into(int& value, std::size_t least, std::size_t most) {
    const auto number = take_number(rest, least, most);
    if (number) value = *number;
    return number.has_value();
  }
  bool take_month_name() {
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_letter);
    const auto word = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    for (std::size_t i = 0; i < months.size(); ++i) {
      if (!is_same_word(word, months.at(i)) && !is_same_word(word, long_months.at(i))) continue;
      civil.month = static_cast<int>(i) + 1;
      rest.remove_prefix(word.size());
      return true;
    }
    return false;
  }
  bool take_am_pm() {
    if (rest.size() < 2 || (rest[1] | 0x20) != 'm') return false;
    const char first = static_cast<char>(rest[0] | 0x20);
    if (first != 'a' && first != 'p') return false;
    is_pm = first == 'p';
    rest.remove_prefix(2);
    return true;
  }
  bool take_epoch() {
    std::int64_t seconds = 0;
    std::size_t count = 0;
    constexpr std::size_t millis_digits = 13;
    while (count < rest.size() && count < millis_digits && is_digit(rest[count]))
      seconds = seconds * 10 + (rest[count++] - '0');
    if (count == millis_digits) seconds /= 1000;
    const auto date = Date::from_days(seconds / day_seconds);
    if (count == 0 || !date) return false;
    rest.remove_prefix(count);
    civil = date->civil();
    const auto of_day = static_cast<int>(seconds % day_seconds);
    hour = of_day / 3600;
    minute = of_day / 60 % 60;
    second = of_day % 60;
    offset = 0;
    return true;
  }
  bool take_iso() {
    const bool has_date = take_into(civil.year, 4, 4) && take(rest, '-') &&
                          take_into(civil.month, 2, 2) && take(rest, '-') &&
                          take_into(civil.day, 2, 2);
    if (!has_date || (!take(rest, 'T') && !take(rest, ' ') && !take(rest, 't'))) return false;
    if (!take_into(hour, 2, 2) || !take(rest, ':') || !take_into(minute, 2, 2)) return false;
    if (take(rest, ':')) {
      if (!take_into(second, 2, 2)) return false;
      if (take(rest, '.') || take(rest, ',')) {
        if (rest.empty() || !is_digit(rest.front())) return false;
        while (!rest.empty() && is_digit(rest.front())) rest.remove_prefix(1);
      }
    }
    if (rest.empty()) return true;
    offset = take_offset(rest);
    return offset.has_value();
  }
};

/// The part that the pattern begins with, and its characters.
std::optional<std::pair<StampPattern::Part, std::size_t>> StampPattern::part_at(
    std::string_view pattern) {
  constexpr std::array<std::pair<std::string_view, Part>, 13> parts = {{
      {"iso", Part::iso},
      {"epoch", Part::epoch},
      {"yyyy", Part::year},
      {"yy", Part::short_year},
      {"MMM", Part::month_name},
      {"MM", Part::month},
      {"dd", Part::day},
      {"HH", Part::hour},
      {"hh", Part::half_hour_clock},
      {"mm", Part::minute},
      {"ss", Part::second},
      {"a", Part::am_pm},
      {"Z", Part::offset},
  }};
  for (const auto& [name, part] : parts)
    if (pattern.starts_with(name)) return std::pair(part, name.size());
  return std::nullopt;
}

Result<StampPattern> StampPattern::parse(std::string_view pattern) {
  constexpr std::size_t chars_max = 64;
  const auto bad = [&] {
    return fail(Errc::invalid_argument,
                fmt::format("\"{}\" is no pattern of dates and times: want {}, like "
                            "\"dd/MM/yyyy HH:mm\"",
                            excerpt_of(pattern), stamp_pattern_parts));
  };
  StampPattern made;
  made.text_ = pattern;
  if (pattern.empty() || pattern.size() > chars_max) return bad();
  bool is_optional = false;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto rest = pattern.substr(at);
    if (const auto found = part_at(rest)) {
      const auto [part, chars] = *found;
      const bool is_whole = part == Part::iso || part == Part::epoch;
      made.has_date_ |= is_whole || part == Part::day;
      made.has_time_ |= is_whole || part == Part::hour || part == Part::half_hour_clock;
      made.has_offset_ |= part == Part::offset || part == Part::epoch;
      at += chars;
      const bool is_followed = at < pattern.size() && part_at(pattern.substr(at)).has_value();
      made.steps_.push_back({.part = part, .is_fixed = is_followed});
      continue;
    }
    const char c = rest.front();
    const bool is_last = at + 1 == pattern.size();
    if (c == '[' && !is_optional) {
      is_optional = true;
      made.steps_.push_back({.part = Part::optional_rest});
    } else if (c == ']' && is_optional && is_last) {
      // The end of what is optional is the end of the pattern.
    } else if (c == '*' && is_last) {
      made.steps_.push_back({.part = Part::anything});
    } else if (c == ' ') {
      made.steps_.push_back({.part = Part::blank});
    } else if (c != '[' && c != ']' && c != '*' && (!is_letter(c) || c == 'T')) {
      made.steps_.push_back({.part = Part::literal, .literal = c});
    } else {
      return bad();
    }
    ++at;
  }
  if (is_optional && pattern.back() != ']') return bad();
  if (!made.has_date_ && !made.has_time_) return bad();
  made.place_parts();
  return made;
}

void StampPattern::place_parts() {
  std::size_t at = 0;
  for (const auto& step : steps_) {
    places_.push_back(static_cast<std::uint8_t>(at));
    switch (step.part) {
      case Part::literal:
      case Part::blank:
        ++at;
        break;
      case Part::year:
        at += 4;
        break;
      case Part::short_year:
      case Part::month:
      case Part::day:
      case Part::hour:
      case Part::minute:
      case Part::second:
        at += 2;
        break;
      default:
        places_.clear();
        return;
    }
  }
  placed_chars_ = at;
  place_day();
}

void StampPattern::place_day() {
  const auto is_of_time = [](const Step& step) {
    return step.part == Part::hour || step.part == Part::minute || step.part == Part::second;
  };
  const auto is_of_day = [](const Step& step) {
    return step.part == Part::year || step.part == Part::short_year || step.part == Part::month ||
           step.part == Part::day;
  };
  const auto time = std::find_if(steps_.begin(), steps_.end(), is_of_time);
  if (has_date_ && time != steps_.end() && std::none_of(time, steps_.end(), is_of_day))
    day_steps_ = static_cast<std::size_t>(time - steps_.begin());
}

/// Reads a text of placed_chars_ from a step on. False where it may still be read step by step.
bool StampPattern::read_placed(std::string_view text, std::size_t first_step,
                               Reading& reading) const {
  bool is_good = true;
  const auto two = [&](std::size_t at) {
    const int tens = text[at] - '0';
    const int ones = text[at + 1] - '0';
    is_good &= 0 <= tens && tens <= 9 && 0 <= ones && ones <= 9;
    return tens * 10 + ones;
  };
  for (std::size_t i = first_step; i < steps_.size(); ++i) {
    const std::size_t at = places_[i];
    switch (steps_[i].part) {
      case Part::literal:
        is_good &= text[at] == steps_[i].literal;
        break;
      case Part::year:
        reading.civil.year = two(at) * 100 + two(at + 2);
        break;
      case Part::short_year:
        reading.civil.year = 2000 + two(at);
        break;
      case Part::month:
        reading.civil.month = two(at);
        break;
      case Part::day:
        reading.civil.day = two(at);
        break;
      case Part::hour:
        reading.hour = two(at);
        break;
      case Part::minute:
        reading.minute = two(at);
        break;
      case Part::second:
        reading.second = two(at);
        break;
      default:
        is_good &= text[at] == ' ';
    }
  }
  return is_good;
}

bool StampPattern::read_step(const Step& step, Reading& reading) const {
  const std::size_t least = step.is_fixed ? 2 : 1;
  switch (step.part) {
    case Part::literal:
      return take(reading.rest, step.literal);
    case Part::blank:
      if (!take(reading.rest, ' ')) return false;
      while (take(reading.rest, ' ')) {
      }
      return true;
    case Part::year:
      return reading.take_into(reading.civil.year, 4, 4);
    case Part::short_year:
      if (!reading.take_into(reading.civil.year, 2, 2)) return false;
      reading.civil.year += 2000;
      return true;
    case Part::month:
      return reading.take_into(reading.civil.month, least, 2);
    case Part::month_name:
      return reading.take_month_name();
    case Part::day:
      return reading.take_into(reading.civil.day, least, 2);
    case Part::hour:
      return reading.take_into(reading.hour, least, 2);
    case Part::half_hour_clock:
      reading.is_half = true;
      return reading.take_into(reading.hour, least, 2);
    case Part::am_pm:
      return reading.take_am_pm();
    case Part::minute:
      return reading.take_into(reading.minute, least, 2);
    case Part::second:
      return reading.take_into(reading.second, least, 2);
    case Part::offset:
      reading.offset = take_offset(reading.rest);
      return reading.offset.has_value();
    case Part::iso:
      return reading.take_iso();
    case Part::epoch:
      return reading.take_epoch();
    case Part::optional_rest:
      return true;
    case Part::anything:
      reading.rest = {};
      return true;
  }
  return false;
}

std::optional<Stamp> StampPattern::read(std::string_view text) const {
  if (placed_chars_ > 0 && text.size() == placed_chars_) {
    Reading placed;
    if (read_placed(text, 0, placed)) return stamp_of(placed);
  }
  return read_steps(text);
}

std::optional<Stamp> StampPattern::read(std::string_view text, KnownDay& known) const {
  if (day_steps_ == 0 || text.size() != placed_chars_) return read(text);
  const auto day = text.substr(0, places_[day_steps_]);
  Reading reading;
  if (known.of == this && known.text == day) {
    if (read_placed(text, day_steps_, reading)) return stamp_of(reading, known.date);
  } else if (read_placed(text, 0, reading)) {
    const auto stamp = stamp_of(reading);
    if (stamp) known = {.of = this, .text = std::string(day), .date = stamp->date};
    return stamp;
  }
  return read_steps(text);
}

std::optional<Stamp> StampPattern::read_steps(std::string_view text) const {
  Reading reading{.rest = text};
  for (const auto& step : steps_) {
    if (step.part == Part::optional_rest && reading.rest.empty()) break;
    if (!read_step(step, reading)) return std::nullopt;
  }
  if (!reading.rest.empty()) return std::nullopt;
  if (reading.is_half) {
    if (reading.hour < 1 || reading.hour > noon || !reading.is_pm) return std::nullopt;
    reading.hour = reading.hour % noon + (*reading.is_pm ? noon : 0);
  }
  return stamp_of(reading);
}

std::optional<Stamp> StampPattern::stamp_of(const Reading& reading) {
  const auto date = Date::from_civil(reading.civil);
  return date ? stamp_of(reading, *date) : std::nullopt;
}

std::optional<Stamp> StampPattern::stamp_of(const Reading& reading, Date date) {
  const int minute = reading.hour * 60 + reading.minute;
  if (reading.minute > 59 || reading.second > 59 || minute > day_minutes) return std::nullopt;
  if (minute == day_minutes && reading.second > 0) return std::nullopt;
  return Stamp{
      .date = date, .minute = minute, .second = reading.second, .offset_minutes = reading.offset};
}

}  // namespace meterline::formats
