// Rows with a reading each: when, how long, and in which column.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/channel.h"
#include "core/decimal.h"
#include "core/finding.h"
#include "core/reading_day.h"
#include "formats/column_kind.h"
#include "formats/feed/draft_text.h"
#include "formats/feed/feed_plan.h"
#include "formats/feed/long_csv.h"
#include "formats/feed/row_reader.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

using Section = DraftText::Section;
constexpr int day_minutes = 24 * 60;
constexpr int hour_minutes = 60;
constexpr int week_days = 7;
constexpr int sunday = 3;  ///< Of days since 1970-01-01, a Thursday, modulo 7.

std::string_view field_of(const SampleFields& row, int column) {
  const auto place = static_cast<std::size_t>(column);
  return column >= 0 && place < row.size() ? std::string_view(row[place]) : std::string_view();
}

/// Columns that are a date and time together, and what they say in each row.
struct Time {
  std::vector<int> columns;
  std::vector<std::string> patterns;  ///< One of them where it is decided.
  std::string why;
  std::vector<std::optional<Stamp>> stamps;
  bool is_changing = false;

  bool has_offset() const {
    return std::all_of(stamps.begin(), stamps.end(), [](const auto& stamp) {
      return stamp && stamp->offset_minutes.has_value();
    });
  }
  std::string name(const DraftColumns& columns_of) const {
    std::string text;
    for (const int column : columns)
      text += fmt::format("{}{}", text.empty() ? "" : " ", columns_of.at(column).name);
    return text;
  }
  /// For people.
  std::string text(const DraftColumns& columns_of) const {
    std::string list;
    for (const int column : columns)
      list += fmt::format("{}{}", list.empty() ? "" : " ", columns_of.text(column));
    return list;
  }
};

/// In minutes since 1970, of UTC where an offset says it, else of the clock.
std::int64_t minutes_of(const Stamp& stamp) {
  return std::int64_t{stamp.date.days()} * day_minutes + stamp.minute -
         stamp.offset_minutes.value_or(0);
}

/// Whether a word of the name, in a language of the field's layouts, is one of these.
template <std::size_t N>
bool has_word(std::string_view name, const std::array<std::string_view, N>& words) {
  std::string lower = " ";
  char before = ' ';
  for (const char c : name) {
    const bool is_upper = 'A' <= c && c <= 'Z';
    const bool is_part =
        is_upper || ('a' <= c && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
    const bool was_lower = 'a' <= before && before <= 'z';
    if (!is_part || (is_upper && was_lower)) lower += ' ';
    if (is_part) lower += is_upper ? static_cast<char>(c | 0x20) : c;
    before = c;
  }
  lower += ' ';
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return lower.find(fmt::format(" {} ", word)) != std::string::npos;
  });
}

constexpr std::array<std::string_view, 16> start_words = {
    "start", "begin",      "beginning", "from",  "von",    "beginn", "début",    "debut",
    "fra",   "startdatum", "van",       "desde", "inicio", "od",     "alkuaika", "inizio"};
constexpr std::array<std::string_view, 8> factor_words = {
    "factor", "multiplier", "ratio", "faktor", "facteur", "fattore", "kerroin", "multiplicator"};
constexpr std::array<std::string_view, 13> end_words = {
    "end", "ending", "until", "bis",       "ende", "fin",     "til",
    "tot", "hasta",  "do",    "loppuaika", "fine", "enddatum"};

class LongDraft {
 public:
  explicit LongDraft(const DraftParts& parts) : parts_(parts) {}

  void write();

 private:
  enum class Names { start, end, unknown };

  std::vector<Time> times() const;
  Time time_of(std::vector<int> columns) const;
  bool find_period();
  void find_times();
  void take_pair(const Time& start, const Time& end);
  void take_single(const Time& time);
  Names named(const Time& time, std::string& why) const;
  std::optional<Names> shown(const Time& time, std::string& why) const;
  std::optional<int> step_between(const Time& time) const;
  std::optional<int> minutes_apart(const Time& start, const Time& end) const;
  void say_time(std::string_view key, const Time& time, const std::string& why);
  void say_step(int step, std::string why);
  void find_step_column();
  void find_zone();
  void find_repeated();
  void find_longer_steps();
  void find_factor();
  void find_value();
  std::vector<std::string> row_keys() const;
  std::vector<std::string_view> texts_of(int column) const;
  bool is_number(int column) const;
  bool only_rises(int column) const;

  const DraftParts& parts_;
  std::vector<int> meter_;    ///< Columns that the meter may be in.
  std::optional<Time> time_;  ///< That rows go by; empty with periods.
  std::vector<int> period_;   ///< Day and number of the interval.
  bool is_end_ = false;       ///< Of time_.
  int step_ = 0;
  int channel_ = no_column;
  std::vector<int> values_;
};

std::vector<std::string_view> LongDraft::texts_of(int column) const {
  std::vector<std::string_view> texts;
  texts.reserve(parts_.sample.rows.size());
  for (const auto& row : parts_.sample.rows) texts.push_back(field_of(row, column));
  return texts;
}

bool LongDraft::is_number(int column) const {
  const auto& facts = parts_.columns.at(column);
  std::size_t numbers = 0;
  std::size_t words = 0;
  for (const auto& text : facts.texts)
    (number_styles({text}).empty() ? words : numbers) += is_missing_word(text) ? 0 : 1;
  if (numbers <= words) return false;
  std::size_t others = 0;
  std::size_t filled = 0;
  for (const auto text : texts_of(column)) {
    if (text.empty() || is_missing_word(text)) continue;
    ++filled;
    others += number_styles({text}).empty() ? 1 : 0;
  }
  return others * 2 < filled;
}

Time LongDraft::time_of(std::vector<int> columns) const {
  Time time{.columns = std::move(columns)};
  const int date = time.columns.front();
  const auto choice = choose_pattern(parts_.sample, date);
  time.why = choice.why;
  std::string rest;
  if (time.columns.size() > 1)
    rest = fmt::format(" {}", parts_.columns.at(time.columns.back()).stamps.front().text());
  for (const auto& pattern : choice.patterns) time.patterns.push_back(pattern.text() + rest);
  const auto pattern = StampPattern::parse(time.patterns.front());
  std::set<std::string> seen;
  for (const auto& row : parts_.sample.rows) {
    std::string text(field_of(row, date));
    if (time.columns.size() > 1) text += fmt::format(" {}", field_of(row, time.columns.back()));
    time.stamps.push_back(pattern ? pattern->read(text) : std::nullopt);
    if (seen.size() < 2) seen.insert(std::move(text));
  }
  time.is_changing = seen.size() > 1;
  return time;
}

/// A column with both, or a day and the times beside it: the day is that before the time, or the
/// next one.
std::vector<Time> LongDraft::times() const {
  std::vector<Time> found;
  std::vector<int> days;
  for (int column = 0; column < parts_.columns.size(); ++column) {
    const auto& facts = parts_.columns.at(column);
    if (!facts.is_date()) continue;
    if (facts.has_time())
      found.push_back(time_of({column}));
    else
      days.push_back(column);
  }
  for (int column = 0; column < parts_.columns.size() && !days.empty(); ++column) {
    if (!parts_.columns.at(column).is_time_of_day()) continue;
    int day = days.front();
    for (const int candidate : days)
      if (candidate < column) day = candidate;
    found.push_back(time_of({day, column}));
  }
  // A time that is the same in all rows is not theirs.
  if (parts_.sample.rows.size() > 1)
    std::erase_if(found, [](const Time& time) { return !time.is_changing; });
  return found;
}

std::vector<std::string> LongDraft::row_keys() const {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < parts_.sample.rows.size(); ++i) {
    const auto& row = parts_.sample.rows[i];
    std::string key;
    if (time_ && time_->stamps[i]) key = std::to_string(minutes_of(*time_->stamps[i]));
    for (const int column : period_) key += fmt::format("{} ", field_of(row, column));
    for (const int column : meter_) key += fmt::format("\n{}", field_of(row, column));
    keys.push_back(std::move(key));
  }
  return keys;
}

/// A day, and the number of the interval in it, from 1: as a number, or as `01:00` to `25:00`.
bool LongDraft::find_period() {
  const auto number = [](std::string_view text) -> std::optional<int> {
    constexpr std::string_view hours = ":00";
    const bool is_time = text.size() > hours.size() && text.ends_with(hours);
    if (is_time) text.remove_suffix(hours.size());
    if (text.starts_with('0')) text.remove_prefix(1);
    return interval_number(text);
  };
  std::vector<int> days;
  std::vector<int> numbers;
  for (int column = 0; column < parts_.columns.size(); ++column) {
    const auto& facts = parts_.columns.at(column);
    if (facts.is_date() && !facts.has_time()) days.push_back(column);
    const bool is_of_numbers =
        facts.texts.size() == SampleColumn::texts_max && !facts.has_blanks &&
        !parts_.columns.is_used(column) &&
        std::all_of(facts.texts.begin(), facts.texts.end(),
                    [&](const std::string& text) { return number(text).has_value(); });
    if (is_of_numbers) numbers.push_back(column);
  }
  if (days.size() != 1) return false;
  for (const int column : numbers) {
    std::map<std::string, int> most;  // By day.
    bool is_good = true;
    bool is_time = true;
    for (const auto& row : parts_.sample.rows) {
      const auto text = field_of(row, column);
      const auto read = number(text);
      is_good = is_good && read && *read <= slots_max;
      if (!is_good) break;
      is_time = is_time && text.find(':') != std::string_view::npos;
      auto& last = most[std::string(field_of(row, days.front()))];
      last = std::max(last, *read);
    }
    if (!is_good) continue;
    std::map<int, int> counts;
    for (const auto& [day, last] : most) ++counts[last];
    int step = 0;
    int most_seen = 0;
    for (const auto& [last, seen] : counts)
      for (const int minutes : {60, 30, 15, 10, 5})
        if (last == day_minutes / minutes && seen >= most_seen) {
          step = minutes;
          most_seen = seen;
        }
    // `01:00` to `24:00` may be times of day as well: only a 25th hour shows that they are not.
    const bool is_clock = is_time && counts.rbegin()->first <= day_minutes / hour_minutes;
    if (step == 0 || is_clock || (is_time && step != hour_minutes)) continue;
    const int day = days.front();
    period_ = {day, column};
    parts_.columns.use(day);
    parts_.columns.use(column);
    const auto choice = choose_pattern(parts_.sample, day);
    DraftQuestion question{.key = "long.date", .why = choice.why};
    for (const auto& pattern : choice.patterns)
      question.choices.push_back(fmt::format("date = {{ column = {}, pattern = {} }}",
                                             parts_.columns.toml(day), toml_text(pattern.text())));
    if (question.choices.size() == 1)
      parts_.text.decide(Section::wide, "long.date", question.choices.front(), choice.why);
    else
      parts_.text.ask(Section::wide, std::move(question));
    auto line = fmt::format("period = {}", parts_.columns.toml(column));
    if (is_time) line += "\nperiod_is = \"time\"";
    parts_.text.decide(Section::wide, "long.period", line,
                       fmt::format("{} counts from 1 in each day", parts_.columns.text(column)));
    say_step(step, fmt::format("a day has {} numbers", day_minutes / step));
    return true;
  }
  return false;
}

/// What rows of a meter mostly are apart; empty when it is no interval.
std::optional<int> LongDraft::step_between(const Time& time) const {
  std::map<std::string, std::set<std::int64_t>> by_meter;
  for (std::size_t i = 0; i < time.stamps.size(); ++i) {
    if (!time.stamps[i]) continue;
    std::string meter;
    for (const int column : meter_)
      meter += fmt::format("{}\n", field_of(parts_.sample.rows[i], column));
    by_meter[meter].insert(minutes_of(*time.stamps[i]));
  }
  std::map<int, std::size_t> counts;
  for (const auto& [meter, minutes] : by_meter)
    for (auto at = minutes.begin(); at != minutes.end() && std::next(at) != minutes.end(); ++at) {
      const auto apart = *std::next(at) - *at;
      if (apart <= hour_minutes && IntervalLength::from_minutes(static_cast<int>(apart)))
        ++counts[static_cast<int>(apart)];
    }
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? std::nullopt : std::optional(most->first);
}

/// How far an end is behind its start in nearly all rows, whether it is written as the last minute
/// or second or not; empty when they are no such pair.
std::optional<int> LongDraft::minutes_apart(const Time& start, const Time& end) const {
  std::map<int, std::size_t> counts;
  std::size_t rows = 0;
  for (std::size_t i = 0; i < start.stamps.size(); ++i) {
    if (!start.stamps[i] || !end.stamps[i]) return std::nullopt;
    const auto seconds = (minutes_of(*end.stamps[i]) - minutes_of(*start.stamps[i])) * 60 +
                         end.stamps[i]->second - start.stamps[i]->second;
    auto minutes = seconds;
    if (minutes % 60 == 59) ++minutes;  // The last second.
    minutes /= 60;
    if (minutes % 5 == 4) ++minutes;  // The last minute.
    // The end's day is that of the start, where there is one day for both.
    const bool is_one_day = start.columns.front() == end.columns.front();
    if (minutes < 0 && is_one_day) minutes += day_minutes;
    ++rows;
    if (0 < minutes && minutes <= hour_minutes) ++counts[static_cast<int>(minutes)];
  }
  for (const auto& [minutes, count] : counts)
    if (count * 10 >= rows * 9 && IntervalLength::from_minutes(minutes)) return minutes;
  return std::nullopt;
}

void LongDraft::say_step(int step, std::string why) {
  step_ = step;
  parts_.text.decide(Section::wide, "long.step", fmt::format("step = {}", step), std::move(why));
}

void LongDraft::say_time(std::string_view key, const Time& time, const std::string& why) {
  std::string columns;
  for (const int column : time.columns) {
    parts_.columns.use(column);
    columns += (columns.empty() ? "" : ", ") + parts_.columns.toml(column);
  }
  const auto word = time.columns.size() == 1 ? fmt::format("column = {}", columns)
                                             : fmt::format("columns = [{}]", columns);
  DraftQuestion question{.key = fmt::format("long.{}", key == "?" ? "start" : key), .why = why};
  const std::vector<std::string_view> keys = key == "?"
                                                 ? std::vector<std::string_view>{"start", "end"}
                                                 : std::vector<std::string_view>{key};
  for (const auto one : keys)
    for (const auto& pattern : time.patterns)
      question.choices.push_back(
          fmt::format("{} = {{ {}, pattern = {} }}", one, word, toml_text(pattern)));
  if (question.choices.size() == 1) {
    parts_.text.decide(Section::wide, question.key, question.choices.front(),
                       fmt::format("{}; {}", why, time.why));
    return;
  }
  if (time.patterns.size() > 1) question.why += "; " + time.why;
  parts_.text.ask(Section::wide, std::move(question));
}

void LongDraft::take_pair(const Time& start, const Time& end) {
  time_ = start;
  const int step = *minutes_apart(start, end);
  say_time("start", start,
           fmt::format("{} is {} minutes before {} in nearly all rows", start.text(parts_.columns),
                       step, end.text(parts_.columns)));
  for (const int column : end.columns) {
    if (!parts_.columns.is_used(column)) {
      parts_.text.note("long.end", fmt::format("{} is not needed beside start and step",
                                               parts_.columns.text(column)));
    }
  }
  say_step(step, "so far are starts and ends apart");
}

LongDraft::Names LongDraft::named(const Time& time, std::string& why) const {
  const auto name = time.name(parts_.columns);
  const auto role = long_role(name);
  const bool is_start = role == LongRole::start || has_word(name, start_words);
  const bool is_end = role == LongRole::end || has_word(name, end_words);
  if (is_start == is_end) return Names::unknown;
  why =
      fmt::format("{} is named for the {}", time.text(parts_.columns), is_start ? "start" : "end");
  return is_start ? Names::start : Names::end;
}

/// What the first and the last time of the file show, if it has whole days: 00:00 and 23:30, or
/// 00:30 and 00:00.
std::optional<LongDraft::Names> LongDraft::shown(const Time& time, std::string& why) const {
  const Stamp* first = nullptr;
  const Stamp* last = nullptr;
  for (const auto& stamp : time.stamps) {
    if (!stamp) continue;
    if (stamp->minute == day_minutes) {
      why = "24:00 is the end of a day";
      return Names::end;
    }
    if (first == nullptr || minutes_of(*stamp) < minutes_of(*first)) first = &*stamp;
    if (last == nullptr || minutes_of(*stamp) > minutes_of(*last)) last = &*stamp;
  }
  if (first == nullptr || !parts_.sample.is_whole || step_ == 0 ||
      minutes_of(*last) - minutes_of(*first) < day_minutes - hour_minutes)
    return std::nullopt;
  const auto clock = [](int minute) {
    return fmt::format("{:02}:{:02}", minute / hour_minutes, minute % hour_minutes);
  };
  why = fmt::format("the first time is {}, the last {}", clock(first->minute), clock(last->minute));
  if (first->minute == 0 && last->minute == day_minutes - step_) return Names::start;
  if (first->minute == step_ && last->minute == 0) return Names::end;
  return std::nullopt;
}

void LongDraft::take_single(const Time& time) {
  time_ = time;
  if (const auto step = step_between(time))
    say_step(*step, "so far apart are most rows of a meter");
  else
    parts_.text.ask(Section::wide, {.key = "long.step",
                                    .why = "no two rows of a meter are an interval apart",
                                    .choices = {"step = 30"}});
  std::string by_name;
  std::string by_texts;
  const auto name = named(time, by_name);
  const auto texts = shown(time, by_texts);
  const bool is_name = name != Names::unknown;
  if (texts && is_name && *texts != name)
    return say_time("?", time, fmt::format("{}, but {}", by_name, by_texts));
  if (!texts && !is_name)
    return say_time("?", time, "neither name nor texts say whether times are starts or ends");
  is_end_ = (texts ? *texts : name) == Names::end;
  const auto why = texts && is_name ? by_name + ", and " + by_texts : texts ? by_texts : by_name;
  say_time(is_end_ ? "end" : "start", time, why);
}

void LongDraft::find_times() {
  const auto found = times();
  if (found.size() == 1) return take_single(found.front());
  std::vector<std::pair<const Time*, const Time*>> pairs;
  for (const auto& start : found)
    for (const auto& end : found)
      if (&start != &end && minutes_apart(start, end)) pairs.emplace_back(&start, &end);
  if (pairs.size() == 1) return take_pair(*pairs.front().first, *pairs.front().second);
  DraftQuestion question{
      .key = "long.start",
      .why = found.empty() ? "no column of times was found" : "several columns hold times"};
  for (const auto& time : found) {
    std::string columns;
    for (const int column : time.columns) {
      parts_.columns.use(column);
      columns += (columns.empty() ? "" : ", ") + parts_.columns.toml(column);
    }
    for (const auto* const key : {"start", "end"})
      question.choices.push_back(fmt::format("{} = {{ columns = [{}], pattern = {} }}", key,
                                             columns, toml_text(time.patterns.front())));
  }
  parts_.text.ask(Section::wide, std::move(question));
  parts_.text.ask(Section::wide, {.key = "long.step",
                                  .why = "it depends on which column has the times",
                                  .choices = {"step = 30"}});
}

/// A column that says how long each row's interval is, where they differ.
void LongDraft::find_step_column() {
  for (int column = 0; column < parts_.columns.size(); ++column) {
    const auto& facts = parts_.columns.at(column);
    const bool is_of_steps =
        !parts_.columns.is_used(column) && !facts.texts.empty() &&
        std::all_of(facts.texts.begin(), facts.texts.end(), [](const std::string& text) {
          return step_minutes(text) && number_styles({text}).empty();
        });
    if (!is_of_steps) continue;
    if (facts.texts.size() == 1 && step_minutes(facts.texts.front()) == step_) {
      parts_.text.note("long.step_column",
                       fmt::format("{} says so, too", parts_.columns.text(column)));
      continue;
    }
    parts_.columns.use(column);
    parts_.text.ask(
        Section::wide,
        {.key = "long.step_column",
         .why = fmt::format("{} says how long intervals are, and otherwise than rows are apart: "
                            "instead of `step`, it may be read",
                            parts_.columns.text(column)),
         .choices = {fmt::format("step_column = {}", parts_.columns.toml(column))}});
  }
}

void LongDraft::find_zone() {
  if (time_ && !time_->has_offset() && fits("*UTC*", time_->name(parts_.columns)))
    parts_.text.decide(Section::top, "clock", "clock = \"UTC\"",
                       time_->text(parts_.columns) + " says it");
  parts_.text.ask(Section::top, {.key = "zone",
                                 .why = "no file says of which clock its days are",
                                 .choices = {"zone = \"Europe/London\""}});
}

/// Times that go back by an hour on a Sunday, or forward in a file that has the newest first.
void LongDraft::find_repeated() {
  if (!time_ || time_->has_offset() || step_ == 0 || fits("*UTC*", time_->name(parts_.columns)))
    return;
  const bool are_days_known = time_->patterns.size() == 1;
  struct Series {
    std::int64_t last = 0;
    std::size_t up = 0;
    std::size_t down = 0;
    std::set<std::int32_t> up_days;  ///< On which it jumped by what an hour that repeats would.
    std::set<std::int32_t> down_days;
  };
  std::map<std::string, Series> all;
  for (std::size_t i = 0; i < time_->stamps.size(); ++i) {
    const auto& stamp = time_->stamps[i];
    if (!stamp) continue;
    std::string key;
    for (const int column : meter_)
      key += fmt::format("{}\n", field_of(parts_.sample.rows[i], column));
    if (channel_ != no_column) key += field_of(parts_.sample.rows[i], channel_);
    const auto now = minutes_of(*stamp);
    const auto [found, is_new] = all.try_emplace(std::move(key));
    auto& series = found->second;
    if (!is_new) {
      const auto apart = now - series.last;
      const auto back = hour_minutes - step_;
      const bool is_sunday = stamp->date.days() % week_days == sunday;
      series.up += apart > 0 ? 1 : 0;
      series.down += apart < 0 ? 1 : 0;
      if (is_sunday && apart == -back) series.down_days.insert(stamp->date.days());
      if (is_sunday && apart == back) series.up_days.insert(stamp->date.days());
    }
    series.last = now;
  }
  std::size_t up = 0;
  std::size_t down = 0;
  std::set<std::int32_t> ups;
  std::set<std::int32_t> downs;
  for (const auto& [key, series] : all) {
    up += series.up;
    down += series.down;
    ups.insert(series.up_days.begin(), series.up_days.end());
    downs.insert(series.down_days.begin(), series.down_days.end());
  }
  constexpr std::size_t mostly = 10;
  const bool is_rising = are_days_known && up > down * mostly && !downs.empty();
  const bool is_falling = are_days_known && down > up * mostly && !ups.empty();
  if (is_rising || is_falling) {
    parts_.text.decide(
        Section::wide, "long.repeated",
        is_rising ? "repeated = \"file order\"" : "repeated = \"newest first\"",
        fmt::format("times {}, and repeat an hour on {}", is_rising ? "rise" : "fall",
                    Date::from_days(is_rising ? *downs.begin() : *ups.begin())->text()));
    return;
  }
  parts_.text.ask(
      Section::top,
      {.key = "clock",
       .why = "times have no offset, and no hour of the sample comes twice, as it would by the "
              "clock of a zone that changes: are they of UTC? Unsaid, they are of the zone",
       .choices = {"clock = \"UTC\""}});
  parts_.text.ask(Section::wide,
                  {.key = "long.repeated",
                   .why = "no hour comes twice in the sample: which of two equal times is meant in "
                          "autumn? Unsaid, such rows are rejected",
                   .choices = {"repeated = \"file order\"", "repeated = \"newest first\""}});
}

/// Mean power, of which some rows are further behind the one before than a step.
void LongDraft::find_longer_steps() {
  if (!time_ || !is_end_ || step_ == 0) return;
  std::set<std::int64_t> minutes;
  for (const auto& stamp : time_->stamps)
    if (stamp) minutes.insert(minutes_of(*stamp));
  std::size_t longer = 0;
  for (auto at = minutes.begin(); at != minutes.end() && std::next(at) != minutes.end(); ++at) {
    const auto apart = *std::next(at) - *at;
    longer += apart > step_ && apart <= hour_minutes ? 1 : 0;
  }
  if (longer == 0) return;
  parts_.text.ask(Section::wide,
                  {.key = "long.longer_steps",
                   .why = fmt::format("{} ends are further behind the one before than {} minutes: "
                                      "are these longer intervals, of mean power? Unsaid, what is "
                                      "between is missing",
                                      longer, step_),
                   .choices = {"longer_steps = true"}});
}

/// As a register does: in the order of time, of each meter and channel.
bool LongDraft::only_rises(int column) const {
  const auto styles = number_styles(texts_of(column));
  if (styles.empty()) return false;
  std::map<std::string, std::map<std::int64_t, Int128>> series;
  for (std::size_t i = 0; i < parts_.sample.rows.size(); ++i) {
    const auto& row = parts_.sample.rows[i];
    const auto read = read_number(field_of(row, column), styles.front());
    if (!read || (time_ && !time_->stamps[i])) continue;
    std::string key;
    for (const int meter : meter_) key += fmt::format("{}\n", field_of(row, meter));
    if (channel_ != no_column) key += field_of(row, channel_);
    const auto place = time_ ? minutes_of(*time_->stamps[i]) : static_cast<std::int64_t>(i);
    series[key].emplace(place, scaled(read->value));
  }
  constexpr std::size_t readings_min = 12;
  std::size_t readings = 0;
  std::size_t rises = 0;
  for (const auto& [key, values] : series) {
    readings += values.size();
    constexpr int part = 100;
    std::optional<Int128> before;
    bool has_begun_again = false;  // At 0, once.
    for (const auto& [minutes, value] : values) {
      if (before && value < *before) {
        if (has_begun_again || value * part > *before) return false;
        has_begun_again = true;
      }
      rises += before && value > *before ? 1 : 0;
      before = value;
    }
  }
  return readings >= readings_min && rises > 0;
}

/// A column that is named for what numbers are multiplied by.
void LongDraft::find_factor() {
  for (int column = 0; column < parts_.columns.size(); ++column) {
    if (parts_.columns.is_used(column) || !is_number(column) ||
        !has_word(parts_.columns.at(column).name, factor_words))
      continue;
    parts_.columns.use(column);
    parts_.text.ask(
        Section::top,
        {.key = "factor_column",
         .why = fmt::format("{} is named for what readings are multiplied by. Unsaid, they are not",
                            parts_.columns.text(column)),
         .choices = {fmt::format("factor_column = {}", parts_.columns.toml(column))}});
  }
}

void LongDraft::find_value() {
  std::vector<int> changing;
  std::vector<int> named;
  std::vector<int> constant;
  for (int column = 0; column < parts_.columns.size(); ++column) {
    const auto& facts = parts_.columns.at(column);
    if (parts_.columns.is_used(column) || !facts.stamps.empty() || !is_number(column)) continue;
    const bool is_named =
        long_role(facts.name) == LongRole::value || unit_in_name(facts.name) != Unit::unknown;
    const auto numbers = std::count_if(facts.texts.begin(), facts.texts.end(),
                                       [](const auto& text) { return !is_missing_word(text); });
    if (numbers > 1) {
      changing.push_back(column);
      if (is_named) named.push_back(column);
    } else if (is_named) {
      constant.push_back(column);
    }
  }
  std::string why;
  if (changing.size() == 1 && constant.empty()) {
    values_ = changing;
    why = "the only column of numbers that change";
  } else if (named.size() == 1 && constant.empty()) {
    values_ = named;
    why = "of the columns of numbers, only it is named for readings";
  } else if (changing.empty() && constant.size() == 1) {
    values_ = constant;
    why = "the only column that is named for readings";
  }
  if (values_.size() == 1 && only_rises(values_.front())) {
    parts_.columns.use(values_.front());
    parts_.text.ask(
        Section::wide,
        {.key = "long.value",
         .why = "the numbers of a meter never fall, as those of a register do: is it the column?",
         .choices = {fmt::format("value = {}", parts_.columns.toml(values_.front()))}});
    parts_.text.ask(
        Section::wide,
        {.key = "long.register",
         .why = "if they are what a register showed at `end`, their differences are the readings. "
                "Unsaid, they are readings themselves",
         .choices = {"register = true"}});
    parts_.text.ask(Section::wide,
                    {.key = "long.register_digits",
                     .why = "how many whole digits has the register, before it begins again at 0? "
                            "Unsaid, what is between is missing when it does",
                     .choices = {"register_digits = 6"}});
    return;
  }
  if (values_.size() == 1) {
    parts_.columns.use(values_.front());
    parts_.text.decide(Section::wide, "long.value",
                       fmt::format("value = {}", parts_.columns.toml(values_.front())), why);
    return;
  }
  values_ = named.empty() ? changing : named;
  values_.insert(values_.end(), constant.begin(), constant.end());
  DraftQuestion question{.key = "long.value", .why = "several columns may hold readings"};
  if (values_.empty()) question = {.key = "long.value", .why = "no column of numbers was found"};
  std::string all;
  for (const int column : values_) {
    parts_.columns.use(column);
    const auto name = parts_.columns.toml(column);
    question.choices.push_back(fmt::format("value = {}", name));
    all +=
        fmt::format("{}[[long.values]]\ncolumn = {}\nflow = \"?\"", all.empty() ? "" : "\n", name);
  }
  if (values_.size() > 1) question.choices.push_back(all);
  parts_.text.ask(Section::wide, std::move(question));
}

void LongDraft::write() {
  parts_.text.say(Section::wide, "[long]");
  draft_meter(parts_);
  for (int column = 0; column < parts_.columns.size(); ++column)
    if (parts_.columns.is_used(column)) meter_.push_back(column);
  if (!find_period()) find_times();
  find_step_column();
  channel_ = draft_channel(parts_, row_keys());
  find_zone();
  find_repeated();
  find_longer_steps();
  draft_flag_column(parts_);
  find_factor();
  find_value();
  std::vector<std::string> names;
  names.reserve(values_.size());
  for (const int column : values_) names.push_back(parts_.columns.at(column).name);
  draft_unit(parts_, names);
  std::vector<std::string_view> readings;
  for (const int column : values_) {
    const auto texts = texts_of(column);
    readings.insert(readings.end(), texts.begin(), texts.end());
  }
  draft_numbers(parts_, readings);
  draft_title_total(parts_, readings);
}

}  // namespace

void draft_long(const DraftParts& parts) { LongDraft(parts).write(); }

}  // namespace meterline::formats
