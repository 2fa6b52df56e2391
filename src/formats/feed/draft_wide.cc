// Columns that are named for intervals: by times, by numbers, and with flags beside them.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/decimal.h"
#include "core/finding.h"
#include "core/reading_day.h"
#include "formats/column_kind.h"
#include "formats/feed/draft_text.h"
#include "formats/feed/feed_plan.h"
#include "formats/feed/long_csv.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

using Section = DraftText::Section;
constexpr int day_minutes = 24 * 60;
constexpr int hour_minutes = 60;

bool is_digit(char c) { return '0' <= c && c <= '9'; }

/// What a column's name has in it: a time, two of them, or a number.
struct IntervalName {
  enum class By { time, both, number };

  By by = By::time;
  int first = 0;  ///< A minute, or a number from 1.
  int second = 0;
  std::string prefix;
  std::string between;
  std::string suffix;
};

/// A part of a name that is a number or a time.
struct Run {
  std::size_t at = 0;
  std::size_t size = 0;
};

std::vector<Run> runs_of(std::string_view name) {
  std::vector<Run> runs;
  const auto is_part = [](char c) { return is_digit(c) || c == ':' || c == '_' || c == '.'; };
  for (std::size_t at = 0; at < name.size();) {
    auto end = at;
    while (end < name.size() && is_part(name[end])) ++end;
    auto first = at;
    auto last = end;
    while (first < last && !is_digit(name[first])) ++first;
    while (first < last && !is_digit(name[last - 1])) --last;
    if (first < last) runs.push_back({.at = first, .size = last - first});
    at = end + 1;
  }
  return runs;
}

std::optional<IntervalName> interval_name(std::string_view name) {
  constexpr std::size_t name_max = 200;
  if (name.size() > name_max) return std::nullopt;
  std::vector<std::pair<Run, int>> times;
  const auto runs = runs_of(name);
  for (const auto& run : runs)
    if (const auto minute = interval_minute(name.substr(run.at, run.size)))
      times.emplace_back(run, *minute);
  IntervalName made;
  const auto from = [&](std::size_t at) { return std::string(name.substr(at)); };
  if (times.size() == 1 || times.size() == 2) {
    const auto& [run, minute] = times.front();
    made.first = minute;
    made.prefix = name.substr(0, run.at);
    if (times.size() == 1) {
      made.suffix = from(run.at + run.size);
      return made;
    }
    const auto& [second, second_minute] = times.back();
    made.by = IntervalName::By::both;
    made.second = second_minute;
    made.between = name.substr(run.at + run.size, second.at - run.at - run.size);
    made.suffix = from(second.at + second.size);
    return made;
  }
  if (!times.empty() || runs.size() != 1) return std::nullopt;
  const auto number = interval_number(name.substr(runs.front().at, runs.front().size));
  if (!number) return std::nullopt;
  made.by = IntervalName::By::number;
  made.first = *number;
  made.prefix = name.substr(0, runs.front().at);
  made.suffix = from(runs.front().at + runs.front().size);
  return made;
}

/// Columns whose names differ in their times or numbers only.
struct Group {
  std::vector<int> columns;
  std::vector<IntervalName> names;
  std::string suffix;  ///< With `*` where they differ in it.
};

/// How a group names the intervals of a day.
struct Shape {
  std::string pattern;
  int step = 0;
  int extra = 0;  ///< Columns beyond those of 24 hours.
  bool is_by_number = false;
  std::string why;
};

std::string common_start(const std::string& a, const std::string& b) {
  std::size_t same = 0;
  while (same < a.size() && same < b.size() && a[same] == b[same]) ++same;
  return a.substr(0, same);
}

/// `Consumption 00:00 AM` and `Consumption 12:00 PM` are one group, as no time is in both.
std::optional<Group> united(const std::vector<Group>& parts) {
  Group all;
  std::set<std::pair<int, int>> seen;
  std::string suffix = parts.front().suffix;
  std::map<int, IntervalName> by_place;
  for (const auto& part : parts) {
    suffix = common_start(suffix, part.suffix);
    for (std::size_t i = 0; i < part.columns.size(); ++i) {
      if (!seen.emplace(part.names[i].first, part.names[i].second).second) return std::nullopt;
      by_place.emplace(part.columns[i], part.names[i]);
    }
  }
  for (auto& [column, name] : by_place) {
    all.columns.push_back(column);
    all.names.push_back(std::move(name));
  }
  all.suffix = suffix + "*";
  return all;
}

std::vector<Group> groups_of(const DraftColumns& columns) {
  using Key = std::pair<int, std::string>;
  std::map<Key, std::map<std::string, Group>> found;
  for (int column = 0; column < columns.size(); ++column) {
    const auto name = interval_name(columns.at(column).name);
    if (!name) continue;
    auto& group =
        found[{static_cast<int>(name->by), name->prefix + '\0' + name->between}][name->suffix];
    group.columns.push_back(column);
    group.suffix = name->suffix;
    group.names.push_back(*name);
  }
  std::vector<Group> groups;
  for (auto& [key, by_suffix] : found) {
    std::vector<Group> parts;
    for (auto& [suffix, group] : by_suffix) parts.push_back(std::move(group));
    auto whole = parts.size() > 1 ? united(parts) : std::nullopt;
    if (whole)
      groups.push_back(*std::move(whole));
    else
      for (auto& part : parts) groups.push_back(std::move(part));
  }
  return groups;
}

std::string pattern_of(const Group& group, std::string_view first, std::string_view second) {
  const auto& name = group.names.front();
  auto text = name.prefix + std::string(first);
  if (name.by == IntervalName::By::both) text += name.between + std::string(second);
  return text + group.suffix;
}

std::optional<Shape> shape_by_number(const Group& group) {
  const auto count = static_cast<int>(group.columns.size());
  for (int i = 0; i < count; ++i)
    if (group.names[static_cast<std::size_t>(i)].first != i + 1) return std::nullopt;
  for (const int step : {60, 30, 15, 10, 5, 1}) {
    const int slots = day_minutes / step;
    const int extra = count - slots;
    if (extra != 0 && extra != hour_minutes / step) continue;
    return Shape{.pattern = pattern_of(group, "{n}", ""),
                 .step = step,
                 .extra = extra,
                 .is_by_number = true,
                 .why = fmt::format("{} columns are numbered from 1", count)};
  }
  return std::nullopt;
}

std::optional<Shape> shape_by_time(const Group& group) {
  const auto count = static_cast<int>(group.columns.size());
  if (count < 2) return std::nullopt;
  const auto at = [&](int i) { return group.names[static_cast<std::size_t>(i)].first; };
  const int step = at(1) - at(0);
  if (step <= 0 || !IntervalLength::from_minutes(step) || day_minutes / step > count)
    return std::nullopt;
  const int extra = count - day_minutes / step;
  if (extra != 0 && extra != hour_minutes / step) return std::nullopt;
  const int shift = at(0) == step && step < day_minutes ? step : 0;
  const bool is_both = group.names.front().by == IntervalName::By::both;
  for (int i = 0; i < count; ++i) {
    const int wanted = i * step + shift;
    const bool is_it = at(i) == wanted || (shift > 0 && wanted == day_minutes && at(i) == 0);
    if (!is_it || (at(0) != 0 && shift == 0)) return std::nullopt;
    const int end = (wanted + step) % day_minutes;
    if (is_both &&
        (shift > 0 || group.names[static_cast<std::size_t>(i)].second % day_minutes != end))
      return std::nullopt;
  }
  Shape shape{.step = step, .extra = extra};
  const auto& names = group.names;
  const auto clock = [](int minute) {
    return fmt::format("{:02}:{:02}", minute / hour_minutes, minute % hour_minutes);
  };
  const auto range = fmt::format("{} columns, {} to {}", count, clock(names.front().first),
                                 clock(names.back().first));
  if (is_both) {
    shape.pattern = pattern_of(group, "{start}", "{end}");
    shape.why = range + ", have their starts and ends";
  } else if (shift > 0) {
    shape.pattern = pattern_of(group, "{end}", "");
    shape.why = range + ": the first is a step after midnight, so they are ends";
  } else {
    shape.pattern = pattern_of(group, "{start}", "");
    shape.why = range + ": the first is midnight, so they are starts";
  }
  return shape;
}

std::optional<Shape> shape_of(const Group& group) {
  return group.names.front().by == IntervalName::By::number ? shape_by_number(group)
                                                            : shape_by_time(group);
}

std::string_view field_of(const SampleFields& row, int column) {
  const auto place = static_cast<std::size_t>(column);
  return column >= 0 && place < row.size() ? std::string_view(row[place]) : std::string_view();
}

bool is_nothing(std::string_view text) { return text.empty() || is_missing_word(text); }

std::vector<std::string_view> texts_of(const Sample& sample, const std::vector<int>& columns) {
  std::vector<std::string_view> texts;
  for (const auto& row : sample.rows)
    for (const int column : columns) texts.push_back(field_of(row, column));
  return texts;
}

/// Most of what is there are numbers.
bool has_readings(const Sample& sample, const std::vector<int>& columns) {
  std::size_t numbers = 0;
  std::size_t filled = 0;
  for (const auto text : texts_of(sample, columns)) {
    if (is_nothing(text)) continue;
    ++filled;
    numbers += number_styles({text}).empty() ? 0 : 1;
  }
  return numbers * 2 > filled;
}

class WideDraft {
 public:
  WideDraft(const DraftParts& parts) : parts_(parts) {}

  bool write();

 private:
  bool find_columns();
  bool take_incomplete();
  void find_flags();
  void find_again();
  void find_date();
  void find_counts();
  void find_total();
  std::optional<int> spring_hour() const;
  bool are_extras_used() const;
  std::vector<std::string> row_keys() const;
  std::vector<std::string> flag_texts() const;

  const DraftParts& parts_;
  std::vector<Group> groups_;
  Group cells_;
  Shape shape_;
  bool is_incomplete_ = false;  ///< There are not the columns of a whole day.
  std::vector<int> again_;
  std::vector<int> flags_;
  std::vector<std::string> unit_names_;
  int date_ = no_column;
};

bool WideDraft::find_columns() {
  groups_ = groups_of(parts_.columns);
  std::vector<std::pair<Group, Shape>> whole;
  for (const auto& group : groups_)
    if (const auto shape = shape_of(group); shape && has_readings(parts_.sample, group.columns))
      whole.emplace_back(group, *shape);
  if (whole.empty()) return take_incomplete();
  cells_ = whole.front().first;
  shape_ = whole.front().second;
  parts_.text.say(Section::wide, "[wide]");
  for (const auto& [group, shape] : whole)
    for (const int column : group.columns) parts_.columns.use(column);
  if (whole.size() > 1) {
    DraftQuestion question{.key = "wide.columns", .why = "several kinds of columns hold numbers"};
    for (const auto& [group, shape] : whole)
      question.choices.push_back(
          fmt::format("columns = {}\nstep = {}", toml_text(shape.pattern), shape.step));
    parts_.text.ask(Section::wide, std::move(question));
    return true;
  }
  parts_.text.decide(Section::wide, "wide.columns",
                     fmt::format("columns = {}", toml_text(shape_.pattern)), shape_.why);
  parts_.text.decide(Section::wide, "wide.step", fmt::format("step = {}", shape_.step),
                     fmt::format("{} columns are a day", day_minutes / shape_.step));
  unit_names_.push_back(parts_.columns.at(cells_.columns.front()).name);
  return true;
}

/// Columns that are named for times, but not for all of a day: false where there are none, or where
/// rows have times of their own.
bool WideDraft::take_incomplete() {
  for (int column = 0; column < parts_.columns.size(); ++column)
    if (parts_.columns.at(column).has_time()) return false;
  const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
    return group.columns.size() > 1 && group.names.front().by != IntervalName::By::number &&
           has_readings(parts_.sample, group.columns);
  });
  if (found == groups_.end()) return false;
  cells_ = *found;
  shape_.step = cells_.names[1].first - cells_.names[0].first;
  if (!IntervalLength::from_minutes(shape_.step)) shape_.step = hour_minutes;
  is_incomplete_ = true;
  for (const int column : cells_.columns) parts_.columns.use(column);
  parts_.text.say(Section::wide, "[wide]");
  DraftQuestion question{.key = "wide.columns",
                         .why = fmt::format("{} columns are named for times, but these are not all "
                                            "of a day: are they starts or ends, and of what step?",
                                            cells_.columns.size())};
  for (const auto* const hole : {"{start}", "{end}"})
    question.choices.push_back(fmt::format("columns = {}\nstep = {}",
                                           toml_text(pattern_of(cells_, hole, "*")), shape_.step));
  parts_.text.ask(Section::wide, std::move(question));
  unit_names_.push_back(parts_.columns.at(cells_.columns.front()).name);
  return true;
}

/// Flags beside the readings, or in columns that are named as they are.
void WideDraft::find_flags() {
  const auto& columns = parts_.columns;
  auto beside = cells_.columns;
  beside.insert(beside.end(), again_.begin(), again_.end());
  const auto is_flag = [&](int column) {
    if (column < 0 || column >= columns.size() || columns.is_used(column)) return false;
    const auto& texts = columns.at(column).texts;
    return columns.at(column).stamps.empty() && texts.size() < SampleColumn::texts_max &&
           (texts.empty() || number_styles({texts.begin(), texts.end()}).empty());
  };
  for (const auto& [shift, word] : {std::pair(1, "after"), std::pair(-1, "before")}) {
    const bool has_all = std::all_of(beside.begin(), beside.end(),
                                     [&](int column) { return is_flag(column + shift); });
    if (!has_all) continue;
    for (const int column : beside) flags_.push_back(column + shift);
    if (flag_texts().empty()) {
      flags_.clear();
      continue;
    }
    parts_.text.decide(Section::wide, "wide.flags", fmt::format("flags = \"{}\"", word),
                       fmt::format("a column with words stands {} each reading", word));
    break;
  }
  if (flags_.empty()) {
    for (const auto& group : groups_) {
      const auto shape = shape_of(group);
      const bool is_like = shape && group.columns.size() == cells_.columns.size() &&
                           std::all_of(group.columns.begin(), group.columns.end(), is_flag);
      if (!is_like) continue;
      flags_ = group.columns;
      parts_.text.decide(Section::wide, "wide.flags",
                         fmt::format("flags = {}", toml_text(shape->pattern)),
                         "as many columns are named as those of readings are, and hold words");
      break;
    }
  }
  for (const int column : flags_) parts_.columns.use(column);
}

std::vector<std::string> WideDraft::flag_texts() const {
  std::vector<std::string> texts;
  for (const int column : flags_)
    for (const auto& text : parts_.columns.at(column).texts)
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
  return texts;
}

/// Columns that are named for the change of the clock.
void WideDraft::find_again() {
  if (is_incomplete_) return;
  const auto wanted = static_cast<std::size_t>(hour_minutes / shape_.step);
  std::vector<int> found;
  for (int column = 0; column < parts_.columns.size(); ++column) {
    const auto& facts = parts_.columns.at(column);
    const bool is_it = !parts_.columns.is_used(column) && facts.stamps.empty() &&
                       column_kind(facts.name, Unit::unknown) == ColumnKind::slot &&
                       std::any_of(facts.name.begin(), facts.name.end(),
                                   [](char c) { return !is_digit(c) && c != ' '; }) &&
                       has_readings(parts_.sample, {column});
    if (is_it) found.push_back(column);
  }
  // Flags of them are empty on most days, as they are.
  std::erase_if(found, [&](int column) {
    return parts_.columns.at(column).texts.empty() && found.size() > wanted;
  });
  if (found.size() != wanted || shape_.extra > 0) return;
  again_ = std::move(found);
  std::string list;
  for (const int column : again_) {
    parts_.columns.use(column);
    list += (list.empty() ? "" : ", ") + parts_.columns.toml(column);
  }
  parts_.text.decide(Section::wide, "wide.again", fmt::format("again = [{}]", list),
                     "so many columns as an hour has are named for the change of the clock");
  parts_.text.decide(Section::wide, "wide.autumn", "autumn = \"extra columns\"",
                     "the second hour has columns of its own");
}

void WideDraft::find_date() {
  const auto& rows = parts_.sample.rows;
  std::vector<int> dates;
  std::vector<int> changing;
  for (int column = 0; column < parts_.columns.size(); ++column) {
    const auto& facts = parts_.columns.at(column);
    if (parts_.columns.is_used(column) || !facts.is_date()) continue;
    const bool is_day = std::all_of(rows.begin(), rows.end(), [&](const SampleFields& row) {
      const auto stamp = facts.stamps.front().read(field_of(row, column));
      return !stamp || (stamp->minute == 0 && stamp->second == 0);
    });
    if (!is_day) continue;
    dates.push_back(column);
    if (facts.texts.size() > 1) changing.push_back(column);
  }
  std::string why = "the only column of days";
  if (dates.size() > 1 && !changing.empty()) {
    dates = changing;
    why = "the only column of days that change";
  }
  const auto is_plain = [&](int column) {
    return long_role(parts_.columns.at(column).name) == LongRole::date;
  };
  if (dates.size() > 1 && std::count_if(dates.begin(), dates.end(), is_plain) == 1) {
    dates = {*std::find_if(dates.begin(), dates.end(), is_plain)};
    why = "of the columns of days, it is named for the day alone";
  }
  if (dates.empty()) {
    parts_.text.ask(Section::wide, {.key = "wide.date",
                                    .why = "no column of days was found",
                                    .choices = {"date = { column = \"?\", pattern = \"?\" }"}});
    return;
  }
  DraftQuestion question{.key = "wide.date", .why = "several columns hold days"};
  for (const int column : dates) {
    parts_.columns.use(column);
    const auto choice = choose_pattern(parts_.sample, column);
    if (choice.patterns.size() > 1 && dates.size() == 1) question.why = choice.why;
    for (const auto& pattern : choice.patterns)
      question.choices.push_back(fmt::format("date = {{ column = {}, pattern = {} }}",
                                             parts_.columns.toml(column),
                                             toml_text(pattern.text())));
    if (dates.size() == 1 && choice.patterns.size() == 1) why += "; " + choice.why;
  }
  date_ = dates.front();
  if (question.choices.size() == 1)
    parts_.text.decide(Section::wide, "wide.date", question.choices.front(), why);
  else
    parts_.text.ask(Section::wide, std::move(question));
}

/// The place of the hour that is empty on a Sunday, in minutes from midnight, by the columns.
std::optional<int> WideDraft::spring_hour() const {
  if (date_ == no_column || is_incomplete_) return std::nullopt;
  const auto choice = choose_pattern(parts_.sample, date_);
  if (choice.patterns.size() != 1) return std::nullopt;
  const auto& pattern = choice.patterns.front();
  const auto slots = static_cast<std::size_t>(day_minutes / shape_.step);
  const auto in_hour = static_cast<std::size_t>(hour_minutes / shape_.step);
  std::optional<int> found;
  for (const auto& row : parts_.sample.rows) {
    std::vector<std::size_t> blank;
    for (std::size_t i = 0; i < slots; ++i)
      if (is_nothing(field_of(row, cells_.columns[i]))) blank.push_back(i);
    const bool is_hour = blank.size() == in_hour && blank.back() - blank.front() == in_hour - 1 &&
                         blank.front() % in_hour == 0;
    const auto stamp = pattern.read(field_of(row, date_));
    constexpr int week = 7;
    constexpr int sunday = 3;  // 1970-01-01 was a Thursday.
    if (!is_hour || !stamp || stamp->date.days() % week != sunday) continue;
    const int minute = static_cast<int>(blank.front()) * shape_.step;
    if (found && *found != minute) return std::nullopt;
    found = minute;
  }
  return found;
}

bool WideDraft::are_extras_used() const {
  const auto slots = static_cast<std::size_t>(day_minutes / shape_.step);
  for (const auto& row : parts_.sample.rows)
    for (auto i = slots; i < cells_.columns.size(); ++i)
      if (!is_nothing(field_of(row, cells_.columns[i]))) return true;
  return false;
}

void WideDraft::find_counts() {
  const auto spring = spring_hour();
  constexpr int latest = 4 * hour_minutes;
  const bool is_clock = spring && *spring <= latest;
  const bool is_elapsed =
      spring && *spring == day_minutes - hour_minutes && shape_.extra > 0 && are_extras_used();
  const bool needs_counts = shape_.is_by_number || shape_.extra > 0;
  if (is_elapsed) {
    parts_.text.decide(Section::wide, "wide.counts", "counts = \"elapsed\"",
                       "the last hour is empty on a Sunday, and another day has 25 hours");
    return;
  }
  if (is_clock) {
    parts_.text.decide(Section::wide, "wide.counts", "counts = \"clock\"",
                       "the hour that a clock leaves out is empty on a Sunday");
  } else if (needs_counts) {
    parts_.text.ask(Section::wide,
                    {.key = "wide.counts",
                     .why = "no day in the sample shows what columns are where the clock changes",
                     .choices = {"counts = \"clock\"", "counts = \"elapsed\""}});
  }
  if (!again_.empty()) return;
  DraftQuestion question{.key = "wide.autumn",
                         .why =
                             "where the hour is that comes twice in autumn; unsaid, neither of "
                             "the two gets a reading"};
  if (shape_.extra > 0) question.choices.emplace_back("autumn = \"extra columns\"");
  for (const auto* const choice : {"sum", "first only", "second only"})
    question.choices.push_back(fmt::format("autumn = \"{}\"", choice));
  parts_.text.ask(Section::wide, std::move(question));
}

/// A column that is the sum of the row's readings in every row.
void WideDraft::find_total() {
  auto all = cells_.columns;
  all.insert(all.end(), again_.begin(), again_.end());
  const auto styles = number_styles(texts_of(parts_.sample, all));
  if (styles.size() != 1) return;
  const auto value = [&](std::string_view text) -> std::optional<Decimal> {
    const auto read = read_number(text, styles.front());
    return read ? std::optional(read->value) : std::nullopt;
  };
  for (int column = 0; column < parts_.columns.size(); ++column) {
    const auto& facts = parts_.columns.at(column);
    if (parts_.columns.is_used(column) ||
        column_kind(facts.name, Unit::unknown) != ColumnKind::total)
      continue;
    std::size_t same = 0;
    const auto& rows = parts_.sample.rows;
    for (const auto& row : rows) {
      Int128 sum = 0;
      for (const int cell : all)
        if (const auto read = value(field_of(row, cell))) sum += scaled(*read);
      const auto total = value(field_of(row, column));
      same += total && scaled(*total) == sum ? 1 : 0;
    }
    parts_.columns.use(column);
    if (same == rows.size()) {
      parts_.text.decide(Section::wide, "wide.total",
                         fmt::format("total = {}", parts_.columns.toml(column)),
                         "in every row it is the sum of the readings");
      unit_names_.push_back(facts.name);
      return;
    }
    parts_.text.ask(
        Section::wide,
        {.key = "wide.total",
         .why = fmt::format("{} is named for a total, but in {} rows of {} it is not "
                            "the sum",
                            parts_.columns.text(column), rows.size() - same, rows.size()),
         .choices = {fmt::format("total = {}", parts_.columns.toml(column))}});
    return;
  }
}

std::vector<std::string> WideDraft::row_keys() const {
  std::vector<std::string> keys;
  for (const auto& row : parts_.sample.rows) {
    std::string key(field_of(row, date_));
    for (int column = 0; column < parts_.columns.size(); ++column) {
      // Whatever is no reading, flag or day and is said to be something is the meter.
      const bool is_meter =
          parts_.columns.is_used(column) && column != date_ &&
          std::find(cells_.columns.begin(), cells_.columns.end(), column) == cells_.columns.end() &&
          std::find(flags_.begin(), flags_.end(), column) == flags_.end() &&
          std::find(again_.begin(), again_.end(), column) == again_.end();
      if (is_meter) key += '\0' + row[static_cast<std::size_t>(column)];
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

bool WideDraft::write() {
  if (!find_columns()) return false;
  draft_meter(parts_);
  find_again();
  find_flags();
  find_date();
  draft_channel(parts_, row_keys());
  find_total();
  const bool is_utc = date_ != no_column && fits("*UTC*", parts_.columns.at(date_).name);
  if (is_utc)
    parts_.text.decide(Section::top, "zone", "zone = \"UTC\"",
                       parts_.columns.text(date_) + " says it");
  else
    parts_.text.ask(Section::top, {.key = "zone",
                                   .why = "no file says of which clock its days are",
                                   .choices = {"zone = \"Europe/London\""}});
  if (!is_utc) find_counts();
  draft_unit(parts_, unit_names_);
  auto all = cells_.columns;
  all.insert(all.end(), again_.begin(), again_.end());
  draft_numbers(parts_, texts_of(parts_.sample, all));
  draft_title_total(parts_, texts_of(parts_.sample, all));
  if (flags_.empty())
    draft_flag_column(parts_);
  else
    draft_flags(parts_, flag_texts());
  return true;
}

}  // namespace

bool draft_wide(const DraftParts& parts) { return WideDraft(parts).write(); }

}  // namespace meterline::formats
