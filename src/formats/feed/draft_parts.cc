// What wide and long files have: how they are written, their meter, unit, numbers, channels, flags.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/channel.h"
#include "core/decimal.h"
#include "core/finding.h"
#include "formats/column_kind.h"
#include "formats/feed/draft_text.h"
#include "formats/feed/feed_plan.h"
#include "formats/feed/long_csv.h"
#include "formats/feed/wildcard.h"
#include "formats/header_hint.h"
#include "formats/meter_text.h"

namespace meterline::formats {
namespace {

using Section = DraftText::Section;
constexpr std::size_t choices_max = 8;

bool is_digit(char c) { return '0' <= c && c <= '9'; }

bool is_letter(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

bool has_digit(std::string_view text) { return std::any_of(text.begin(), text.end(), is_digit); }

std::string quoted(std::string_view text) { return fmt::format("`{}`", excerpt_of(text)); }

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  constexpr std::size_t shown_max = 6;
  for (std::size_t i = 0; i < std::min(texts.size(), shown_max); ++i)
    list += (i == 0 ? "" : ", ") + quoted(texts[i]);
  return texts.size() > shown_max ? list + " and more" : list;
}

// --- meter -------------------------------------------------------------------------------------

enum class MeterNamed { no, so_to_say, plainly };

/// `Meter Serial Number` is named for a meter, so to say; `MPAN` plainly; `Meter Type` is not.
MeterNamed meter_named(std::string_view name) {
  if (long_role(name) == LongRole::meter) return MeterNamed::plainly;
  if (!is_meter_name(name)) return MeterNamed::no;
  constexpr std::string_view meter = "meter";
  if (!is_same_word(name.substr(0, meter.size()), meter)) return MeterNamed::plainly;
  std::string rest;
  for (const char c : name.substr(meter.size()))
    if (c != ' ' && c != '_' && c != '-') rest += c;
  constexpr std::array<std::string_view, 10> words = {
      "point", "pointid", "serial", "serialnumber", "serialno",
      "ref",   "code",    "no",     "nr",           "identifier"};
  const bool is_id = std::any_of(words.begin(), words.end(),
                                 [&](std::string_view word) { return is_same_word(word, rest); });
  return is_id ? MeterNamed::so_to_say : MeterNamed::no;
}

std::string without_blanks(std::string_view text) {
  std::string cleaned;
  for (const char c : text)
    if (c != ' ') cleaned += c;
  return cleaned;
}

bool is_id(std::string_view text) {
  if (text.starts_with('\'')) text.remove_prefix(1);
  return !objection_to_meter(text);
}

enum class Ids { none, whole, with_blanks };

Ids ids_of(const SampleColumn& column) {
  if (column.texts.empty()) return Ids::none;
  if (std::all_of(column.texts.begin(), column.texts.end(), is_id)) return Ids::whole;
  const bool is_by_parts = std::all_of(
      column.texts.begin(), column.texts.end(),
      [](const std::string& text) { return has_digit(text) && is_id(without_blanks(text)); });
  return is_by_parts ? Ids::with_blanks : Ids::none;
}

void say_meter(const DraftParts& parts, int column, const std::string& why) {
  parts.columns.use(column);
  parts.text.decide(Section::meter, "meter.column",
                    fmt::format("column = {}", parts.columns.toml(column)), why);
  if (ids_of(parts.columns.at(column)) != Ids::with_blanks) return;
  parts.text.decide(Section::meter, "meter.remove_blanks", "remove_blanks = true",
                    "ids of meters have no blanks inside");
}

struct Title {
  std::string name;
  std::string value;
  bool is_below = false;  ///< The value stands under the name.
  bool is_alone = false;  ///< Nothing else stands on the line.
};

/// What lines above the header say, as Planner::title() reads them.
std::vector<Title> titles_of(const Sample& sample) {
  std::vector<Title> titles;
  for (std::size_t i = 0; i < sample.titles.size(); ++i) {
    const auto& line = sample.titles[i];
    const auto filled = std::count_if(line.begin(), line.end(),
                                      [](const std::string& field) { return !field.empty(); });
    for (std::size_t at = 0; at < line.size(); ++at) {
      const std::string_view field = line[at];
      const auto colon = field.find(':');
      if (colon != std::string_view::npos && colon > 0) {
        const auto value = without_blanks_around(field.substr(colon + 1));
        if (!value.empty())
          titles.push_back({.name = std::string(without_blanks_around(field.substr(0, colon))),
                            .value = std::string(value),
                            .is_alone = filled == 1});
      }
      if (field.empty()) continue;
      if (at + 1 < line.size() && !line[at + 1].empty())
        titles.push_back({.name = line[at], .value = line[at + 1], .is_alone = filled == 2});
      if (i + 1 < sample.titles.size() && at < sample.titles[i + 1].size() &&
          !sample.titles[i + 1][at].empty() && line.size() == sample.titles[i + 1].size() &&
          filled > 2)
        titles.push_back({.name = line[at], .value = sample.titles[i + 1][at], .is_below = true});
    }
  }
  std::erase_if(titles, [](const Title& title) {
    return title.name.size() > draft_name_max || title.value.size() > draft_name_max;
  });
  return titles;
}

std::string line_of(const Title& title) {
  return title.is_below ? fmt::format("title_below = {}", toml_text(title.name))
                        : fmt::format("title = [{}]", toml_text(title.name));
}

bool draft_meter_title(const DraftParts& parts) {
  std::vector<Title> found;
  // Of a word alone it is not to be seen whether it is an id or another name.
  for (auto& title : titles_of(parts.sample))
    if (is_meter_name(title.name) && is_id(without_blanks(title.value)) &&
        (has_digit(title.value) || title.is_alone))
      found.push_back(std::move(title));
  if (found.size() != 1) return false;
  parts.text.decide(Section::meter, "meter.title", line_of(found.front()),
                    fmt::format("above the header stands {} with {}", quoted(found.front().name),
                                quoted(found.front().value)));
  return true;
}

/// A part of a name that may be an id: letters and digits, of which there are some.
std::optional<std::string> pattern_with_id(std::string_view name) {
  if (name.size() > draft_name_max) return std::nullopt;
  constexpr std::size_t digits_min = 4;
  for (std::size_t at = 0; at < name.size();) {
    auto end = at;
    while (end < name.size() && (is_digit(name[end]) || ('A' <= name[end] && name[end] <= 'Z')))
      ++end;
    const auto word = name.substr(at, end - at);
    const auto digits = std::count_if(word.begin(), word.end(), is_digit);
    if (static_cast<std::size_t>(digits) >= digits_min)
      return fmt::format("{}{{}}{}", name.substr(0, at), name.substr(end));
    at = end + 1;
  }
  return std::nullopt;
}

void ask_meter(const DraftParts& parts) {
  DraftQuestion question{.key = "meter",
                         .why =
                             "neither a column nor a title is named for a meter; it may also be "
                             "said with --meter when a file is loaded"};
  const auto add = [&](std::string choice) {
    if (question.choices.size() < choices_max) question.choices.push_back(std::move(choice));
  };
  for (int column = 0; column < parts.columns.size(); ++column) {
    const auto& facts = parts.columns.at(column);
    const bool may_be = !parts.columns.is_used(column) && facts.stamps.empty() &&
                        std::any_of(facts.texts.begin(), facts.texts.end(), has_digit) &&
                        ids_of(facts) != Ids::none;
    const bool has_point =
        std::any_of(facts.texts.begin(), facts.texts.end(),
                    [](const std::string& text) { return text.find('.') != std::string::npos; });
    if (may_be && !has_point) add(fmt::format("column = {}", parts.columns.toml(column)));
  }
  for (const auto& title : titles_of(parts.sample))
    if (has_digit(title.value) && is_id(title.value)) add(line_of(title));
  for (int column = 0; column < parts.columns.size(); ++column)
    if (const auto pattern = pattern_with_id(parts.columns.at(column).name))
      add(fmt::format("column_name = {}", toml_text(*pattern)));
  const auto file = parts.source.substr(parts.source.rfind('/') + 1);
  if (const auto pattern = pattern_with_id(file))
    add(fmt::format("file_name = {}", toml_text(*pattern)));
  parts.text.ask(Section::meter, std::move(question));
}

// --- units -------------------------------------------------------------------------------------

void say_unit(const DraftParts& parts, Unit unit, std::string why) {
  parts.text.decide(Section::top, "unit", fmt::format("unit = \"{}\"", text_of(unit)),
                    std::move(why));
  if (adds_up(unit)) return;
  parts.text.ask(Section::top,
                 {.key = "average_power",
                  .why = fmt::format("readings in {} may be means over their interval, of which "
                                     "energy is to be made, or be kept as they are",
                                     text_of(unit)),
                  .choices = {"average_power = true", "average_power = false"}});
}

/// False when there is none.
bool draft_unit_column(const DraftParts& parts) {
  std::vector<int> whole;
  std::vector<int> named;
  for (int column = 0; column < parts.columns.size(); ++column) {
    const auto& facts = parts.columns.at(column);
    if (parts.columns.is_used(column) || facts.texts.empty()) continue;
    const auto is_unit = [](const std::string& text) { return parse_unit(text).has_value(); };
    const auto units = std::count_if(facts.texts.begin(), facts.texts.end(), is_unit);
    const auto words = std::count_if(facts.texts.begin(), facts.texts.end(), is_missing_word);
    if (units == 0) continue;
    if (units + words == static_cast<std::ptrdiff_t>(facts.texts.size()))
      whole.push_back(column);
    else if (column_kind(facts.name, Unit::unknown) == ColumnKind::unit)
      named.push_back(column);
  }
  if (whole.empty()) whole = named;
  if (whole.empty()) return false;
  if (whole.size() > 1) {
    DraftQuestion question{.key = "unit", .why = "several columns hold units"};
    for (const int column : whole)
      question.choices.push_back(fmt::format("unit_column = {}", parts.columns.toml(column)));
    parts.text.ask(Section::top, std::move(question));
    for (const int column : whole) parts.columns.use(column);
    return true;
  }
  const int column = whole.front();
  const auto& facts = parts.columns.at(column);
  parts.columns.use(column);
  parts.text.decide(Section::top, "unit_column",
                    fmt::format("unit_column = {}", parts.columns.toml(column)),
                    fmt::format("{} holds {}", parts.columns.text(column), list_of(facts.texts)));
  std::vector<std::string> kept;
  for (const auto& text : facts.texts)
    if (parse_unit(text)) kept.push_back(text);
  if (named == whole)
    parts.text.ask(Section::end,
                   {.key = "rows",
                    .why = fmt::format("{} also holds what is no unit that is read: {}; such rows "
                                       "are rejected, unless they are left out",
                                       parts.columns.text(column), list_of(facts.texts)),
                    .choices = {fmt::format("[[rows]]\ncolumn = {}\nkeep = {}",
                                            parts.columns.toml(column), toml_texts(kept))}});
  const bool has_power = std::any_of(kept.begin(), kept.end(), [](const std::string& text) {
    return !adds_up(*parse_unit(text));
  });
  if (has_power)
    parts.text.ask(Section::top, {.key = "average_power",
                                  .why = "readings in W or kW may be means over their interval, of "
                                         "which energy is to be made",
                                  .choices = {"average_power = true", "average_power = false"}});
  return true;
}

std::optional<Title> unit_title(const Sample& sample) {
  std::optional<Title> found;
  for (auto& title : titles_of(sample)) {
    const auto unit = parse_unit(title.value);
    if (!unit) continue;
    constexpr std::array<std::string_view, 6> words = {"unite",  "unité",   "einheit",
                                                       "unidad", "eenheid", "enhet"};
    const bool is_named = column_kind(title.name, Unit::unknown) == ColumnKind::unit ||
                          std::any_of(words.begin(), words.end(), [&](std::string_view word) {
                            return is_same_word(word, title.name);
                          });
    if (!is_named) continue;
    if (found && parse_unit(found->value) != unit) return std::nullopt;
    found = std::move(title);
  }
  return found;
}

// --- flags -------------------------------------------------------------------------------------

std::vector<std::string> flag_choices(const std::string& flag) {
  std::vector<std::string> choices;
  for (const auto* const quality : {"actual", "estimated", "substituted", "missing"})
    choices.push_back(fmt::format("{} = \"{}\"", toml_text(flag), quality));
  return choices;
}

/// A few texts, some of which are words.
bool is_of_words(const SampleColumn& column) {
  if (!column.stamps.empty() || column.texts.empty() ||
      column.texts.size() >= SampleColumn::texts_max ||
      std::any_of(column.texts.begin(), column.texts.end(),
                  [](const std::string& text) { return text.size() > draft_name_max; }))
    return false;
  return std::any_of(column.texts.begin(), column.texts.end(), [](const std::string& text) {
    return std::any_of(text.begin(), text.end(), is_letter) && number_styles({text}).empty();
  });
}

std::vector<std::string> channel_block(const std::vector<std::string>& texts) {
  std::vector<std::string> lines;
  for (const auto& text : texts) {
    lines.push_back("[[channel.of]]");
    lines.push_back(fmt::format("is = {}", toml_text(text)));
    std::string flow = "?";
    for (const auto& known : long_channels())
      for (const auto& word : known.is)
        if (word.find('*') == std::string::npos && is_same_word(word, text))
          flow = text_of(*known.measured.flow);
    lines.push_back(fmt::format("flow = \"{}\"", flow));
  }
  return lines;
}

}  // namespace

void draft_file(const DraftParts& parts) {
  const auto& sample = parts.sample;
  auto& text = parts.text;
  if (sample.has_mark)
    text.note("file.encoding", "a byte order mark says it");
  else if (sample.encoding == Encoding::utf16le)
    text.decide(Section::file, "file.encoding", "encoding = \"utf-16le\"",
                "every second byte is zero");
  else if (sample.encoding == Encoding::windows1252)
    text.decide(Section::file, "file.encoding", "encoding = \"windows-1252\"",
                "there are bytes that are not UTF-8");
  const std::string delimiter = sample.delimiter == '\t' ? "tab" : std::string(1, sample.delimiter);
  const auto why = sample.is_delimiter_said
                       ? std::string("the first line says it")
                       : fmt::format("{} rows have {} fields by it", sample.rows.size(),
                                     sample.rows.front().size() + (sample.joined ? 1 : 0));
  if (delimiter == ",")
    text.note("file.delimiter", "`,`: " + why);
  else
    text.decide(Section::file, "file.delimiter", fmt::format("delimiter = \"{}\"", delimiter), why);
  if (sample.joined)
    text.decide(Section::file, "file.unquoted_decimals", "unquoted_decimals = true",
                "rows have a field more than the header, by a comma between digits");
  if (sample.header_line > 0)
    return text.note("file.header",
                     fmt::format("line {} is the last above the first row", sample.header_line));
  text.decide(Section::file, "file.header", "header = \"none\"", "no line names the columns");
  if (sample.records.empty()) return;
  text.say(Section::file, fmt::format("starts_with = {}", toml_text(sample.records + "*")));
  text.decide(Section::rows, "rows", "[[rows]]\ncolumn = 1\nkeep = [\"DET\"]",
              "lines are records, of which DET have readings");
}

void draft_meter(const DraftParts& parts) {
  std::map<MeterNamed, std::vector<int>> named;
  for (int column = 0; column < parts.columns.size(); ++column) {
    const auto& facts = parts.columns.at(column);
    if (!facts.stamps.empty() || ids_of(facts) == Ids::none) continue;
    named[meter_named(facts.name)].push_back(column);
  }
  const auto& plainly = named[MeterNamed::plainly];
  const auto& so_to_say = named[MeterNamed::so_to_say];
  if (plainly.size() == 1 || (plainly.empty() && so_to_say.size() == 1)) {
    const int column = plainly.size() == 1 ? plainly.front() : so_to_say.front();
    return say_meter(parts, column,
                     fmt::format("the only column that is named for a meter, with {}",
                                 list_of(parts.columns.at(column).texts)));
  }
  const auto& several = plainly.empty() ? so_to_say : plainly;
  if (several.empty()) {
    if (!draft_meter_title(parts)) ask_meter(parts);
    return;
  }
  DraftQuestion question{.key = "meter", .why = "several columns are named for a meter"};
  for (const int column : several) {
    question.choices.push_back(fmt::format("column = {}", parts.columns.toml(column)));
    parts.columns.use(column);
  }
  parts.text.ask(Section::meter, std::move(question));
}

void draft_unit(const DraftParts& parts, const std::vector<std::string>& names) {
  if (draft_unit_column(parts)) return;
  std::set<Unit> units;
  std::string where;
  for (const auto& name : names) {
    const auto unit = unit_in_name(name);
    if (unit == Unit::unknown) continue;
    units.insert(unit);
    where = name;
  }
  if (units.size() == 1)
    return say_unit(parts, *units.begin(), fmt::format("it stands in {}", quoted(where)));
  if (units.empty())
    if (const auto title = unit_title(parts.sample))
      return say_unit(parts, *parse_unit(title->value),
                      fmt::format("above the header stands {} with {}", quoted(title->name),
                                  quoted(title->value)));
  parts.text.ask(
      Section::top,
      {.key = "unit", .why = "no name, title or column says it", .choices = {"unit = \"kWh\""}});
}

void draft_numbers(const DraftParts& parts, const std::vector<std::string_view>& readings) {
  std::vector<std::string_view> numbers;
  std::vector<std::string> words;
  std::set<std::string, std::less<>> others;
  for (const auto reading : readings) {
    if (reading.empty()) continue;
    if (is_missing_word(reading)) {
      if (std::find(words.begin(), words.end(), reading) == words.end())
        words.emplace_back(reading);
    } else if (!number_styles({reading}).empty()) {
      numbers.push_back(reading);
    } else if (others.size() < choices_max && reading.size() <= draft_name_max) {
      others.emplace(reading);
    }
  }
  if (!words.empty())
    parts.text.note("numbers.missing", list_of(words) + " stand where readings would");
  const auto styles = number_styles(numbers);
  const auto line = [](const NumberStyle& style) {
    auto text = fmt::format("decimal = \"{}\"", style.decimal);
    if (style.thousands != '\0') text += fmt::format("\nthousands = \"{}\"", style.thousands);
    return text;
  };
  if (styles.size() == 1) {
    const bool is_default = styles.front() == NumberStyle{};
    const auto mark = fmt::format("with `{}`", styles.front().decimal);
    if (is_default)
      parts.text.note("numbers.decimal", "all readings are numbers with a point, or whole");
    else
      parts.text.decide(Section::numbers, "numbers.decimal", line(styles.front()),
                        "only so all readings are numbers: " + mark);
  } else {
    DraftQuestion question{.key = "numbers.decimal",
                           .why = styles.empty() ? "readings are written in no way that is known"
                                                 : "decimals or thousands: both can be read"};
    for (const auto& style : styles) question.choices.push_back(line(style));
    parts.text.ask(Section::numbers, std::move(question));
  }
  if (others.empty()) {
    if (!words.empty()) parts.text.say(Section::numbers, "missing = " + toml_texts(words));
    return;
  }
  const std::vector<std::string> unknown(others.begin(), others.end());
  auto all = words;
  all.insert(all.end(), unknown.begin(), unknown.end());
  parts.text.ask(
      Section::numbers,
      {.key = "numbers.missing",
       .why = list_of(unknown) + " are no numbers: do they say that there is no reading?",
       .choices = {"missing = " + toml_texts(all), "missing = " + toml_texts(words)}});
}

void draft_title_total(const DraftParts& parts, const std::vector<std::string_view>& readings) {
  const auto styles = number_styles(readings);
  if (styles.size() != 1) return;
  Int128 sum = 0;
  for (const auto reading : readings)
    if (const auto read = read_number(reading, styles.front())) sum += scaled(read->value);
  for (const auto& title : titles_of(parts.sample)) {
    const auto said = read_number(title.value, styles.front());
    const bool is_it = !title.is_below && said && scaled(said->value) == sum &&
                       column_kind(title.name, Unit::unknown) == ColumnKind::total;
    if (!is_it) continue;
    parts.text.decide(
        Section::totals, "totals.sum", fmt::format("sum = {}", toml_text(title.name)),
        fmt::format("above the header stands {} with {}, to which all readings add up",
                    quoted(title.name), quoted(title.value)));
    return;
  }
}

int draft_channel(const DraftParts& parts, const std::vector<std::string>& keys) {
  const auto& rows = parts.sample.rows;
  const auto repeats_with = [&](int column) {
    std::set<std::string> seen;
    std::size_t repeats = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto key = keys[i];
      if (column >= 0) key += '\0' + rows[i][static_cast<std::size_t>(column)];
      repeats += seen.insert(std::move(key)).second ? 0 : 1;
    }
    return repeats;
  };
  constexpr std::size_t many = 20;  // One of so many rows.
  const auto repeats = repeats_with(-1);
  if (repeats * many < rows.size()) return no_column;
  std::vector<int> telling;
  for (int column = 0; column < parts.columns.size(); ++column)
    if (telling.size() < choices_max && !parts.columns.is_used(column) &&
        parts.columns.at(column).texts.size() > 1 && is_of_words(parts.columns.at(column)) &&
        repeats_with(column) * many <= repeats)
      telling.push_back(column);
  if (telling.empty()) {
    parts.text.ask(Section::end,
                   {.key = "channel",
                    .why = fmt::format("{} rows repeat the meter and time of another, and no "
                                       "column tells them apart",
                                       repeats),
                    .choices = {}});
    return no_column;
  }
  DraftQuestion question{.key = "channel",
                         .why =
                             "rows of a meter and time are told apart by it: say what each is, "
                             "or which rows to keep"};
  for (const int column : telling) {
    parts.columns.use(column);
    const auto& texts = parts.columns.at(column).texts;
    auto lines = channel_block(texts);
    std::string block = fmt::format("column = {}", parts.columns.toml(column));
    for (const auto& line : lines) block += '\n' + line;
    const bool is_known =
        std::find(lines.begin(), lines.end(), std::string("flow = \"?\"")) == lines.end();
    if (telling.size() == 1 && is_known) {
      parts.text.decide(Section::channel, "channel", block,
                        fmt::format("{} tells rows of a meter and time apart, by {}",
                                    parts.columns.text(column), list_of(texts)));
      return column;
    }
    question.choices.push_back("[channel]\n" + block);
    question.choices.push_back(fmt::format("[[rows]]\ncolumn = {}\nkeep = {}",
                                           parts.columns.toml(column), toml_texts(texts)));
  }
  parts.text.ask(Section::end, std::move(question));
  return telling.front();
}

void draft_flags(const DraftParts& parts, const std::vector<std::string>& flags) {
  const auto known = long_flags();
  const bool has_longer = std::any_of(flags.begin(), flags.end(), [](const std::string& flag) {
    return flag.size() > draft_name_max;
  });
  if (flags.size() > draft_flags_max || has_longer) {
    parts.text.ask(Section::flags, {.key = "quality.flags",
                                    .why = fmt::format("there are {} different ones, like {}",
                                                       flags.size(), quoted(flags.front())),
                                    .choices = {"\"?\" = \"actual\""}});
    return;
  }
  for (const auto& flag : flags) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const FlagClass& one) { return one.flag == flag; });
    if (found != known.end()) {
      parts.text.decide(Section::flags, "quality.flags." + flag,
                        fmt::format("{} = \"{}\"", toml_text(flag), text_of(found->quality)),
                        "as in long CSV");
      continue;
    }
    parts.text.ask(Section::flags, {.key = "quality.flags." + flag,
                                    .why = "what it says of a reading is not known; unsaid, the "
                                           "reading is taken as estimated",
                                    .choices = flag_choices(flag)});
  }
}

void draft_flag_column(const DraftParts& parts) {
  std::vector<int> named;
  for (int column = 0; column < parts.columns.size(); ++column) {
    const auto& facts = parts.columns.at(column);
    const auto kind = column_kind(facts.name, Unit::unknown);
    const bool is_named = kind == ColumnKind::flag || kind == ColumnKind::slot_flag ||
                          long_role(facts.name) == LongRole::flag;
    if (is_named && !parts.columns.is_used(column) && is_of_words(facts)) named.push_back(column);
  }
  if (named.size() != 1) return;  // Of several, each is a question of its own.
  const int column = named.front();
  parts.columns.use(column);
  parts.text.decide(Section::quality, "quality.column",
                    fmt::format("column = {}", parts.columns.toml(column)),
                    fmt::format("{} is named for it", parts.columns.text(column)));
  draft_flags(parts, parts.columns.at(column).texts);
}

void draft_rest(const DraftParts& parts) {
  auto& columns = parts.columns;
  std::size_t odd_rows = 0;
  for (const auto& odd : parts.sample.odd) {
    if (!parts.sample.records.empty() || ++odd_rows > draft_questions_max) break;
    const auto place = static_cast<int>(
        std::find_if(odd.fields.begin(), odd.fields.end(),
                     [](const std::string& field) { return !field.empty() && !has_digit(field); }) -
        odd.fields.begin());
    const bool is_footer = odd.is_last && place < columns.size() &&
                           place < static_cast<int>(odd.fields.size()) &&
                           odd.fields[static_cast<std::size_t>(place)].size() <= draft_name_max;
    if (is_footer) {
      const auto& word = odd.fields[static_cast<std::size_t>(place)];
      parts.text.decide(
          Section::rows, "rows",
          fmt::format("[[rows]]\ncolumn = {}\ndrop = {}", columns.toml(place), toml_texts({word})),
          fmt::format("line {}, behind all rows, is none: {}", odd.line, quoted(word)));
    } else {
      parts.text.ask(Section::end,
                     {.key = fmt::format("rows.{}", odd.line),
                      .why = fmt::format("line {} is not like the others, and is rejected unless "
                                         "the feed leaves it out",
                                         odd.line),
                      .choices = {"[[rows]]\ncolumn = 1\ndrop = [\"?\"]"}});
    }
  }
  std::vector<std::string> others;
  std::size_t others_bytes = 0;
  std::size_t asked = 0;
  std::string told;
  for (int column = 0; column < columns.size(); ++column) {
    if (columns.is_used(column)) continue;
    const auto& facts = columns.at(column);
    const auto kind = column_kind(facts.name, Unit::unknown);
    const bool is_stated = facts.is_date() && (long_role(facts.name) == LongRole::stated ||
                                               kind == ColumnKind::remark);
    if (is_stated) {
      DraftQuestion question{.key = "stated",
                             .why = columns.text(column) + " may say when a row was made"};
      for (const auto& pattern : choose_pattern(parts.sample, column).patterns)
        question.choices.push_back(fmt::format("stated = {{ column = {}, pattern = {} }}",
                                               columns.toml(column), toml_text(pattern.text())));
      parts.text.ask(Section::top, std::move(question));
    } else if (asked < draft_questions_max && is_of_words(facts) &&
               facts.texts.size() + (facts.has_blanks ? 1 : 0) > 1) {
      ++asked;
      parts.text.ask(
          Section::end,
          {.key = "column." + (facts.name.empty() ? std::to_string(column + 1) : facts.name),
           .why = fmt::format("it holds {}: flags, or what tells which rows to read, or neither",
                              list_of(facts.texts)),
           .choices = {fmt::format("[quality]\ncolumn = {}\nflags = {{ {} = \"?\" }}",
                                   columns.toml(column), toml_text(facts.texts.front())),
                       fmt::format("[[rows]]\ncolumn = {}\nkeep = {}", columns.toml(column),
                                   toml_texts(facts.texts))}});
    } else if (!facts.name.empty()) {
      others_bytes += facts.name.size();
      others.push_back(facts.name);
      told += fmt::format("{}{}{}", told.empty() ? "" : ", ", columns.text(column),
                          facts.texts.empty() ? "" : ", like " + quoted(facts.texts.front()));
    }
  }
  if (others.empty()) return;
  constexpr std::size_t told_max = 500;
  constexpr std::size_t others_max = std::size_t{16} << 10;
  if (told.size() > told_max) told = fmt::format("{} columns", others.size());
  if (others_bytes > others_max) return parts.text.note("file.other", "not read: " + told);
  parts.text.decide(Section::file, "file.other", "other = " + toml_texts(others),
                    "not read: " + told);
}

PatternChoice choose_pattern(const Sample& sample, int column) {
  const auto& facts = sample.columns[static_cast<std::size_t>(column)];
  PatternChoice choice{.patterns = facts.stamps};
  const auto example = facts.texts.empty() ? "" : quoted(facts.texts.front());
  const auto is_year_first = [](const StampPattern& pattern) {
    return pattern.text().starts_with("yy") && !pattern.text().starts_with("yyyy");
  };
  const bool may_be_either =
      std::any_of(choice.patterns.begin(), choice.patterns.end(), is_year_first) &&
      !std::all_of(choice.patterns.begin(), choice.patterns.end(), is_year_first);
  if (may_be_either) {
    std::set<std::string> firsts;
    std::set<std::string> lasts;
    for (const auto& text : facts.texts) {
      const auto date = text.substr(0, text.find(' '));
      firsts.insert(date.substr(0, 2));
      lasts.insert(date.substr(date.size() - std::min<std::size_t>(date.size(), 2)));
    }
    // The year stays where days change.
    if (lasts.size() == 1 && firsts.size() > 1) std::erase_if(choice.patterns, is_year_first);
    if (firsts.size() == 1 && lasts.size() > 1)
      std::erase_if(choice.patterns, [&](const StampPattern& one) { return !is_year_first(one); });
  }
  const auto name = facts.name.empty() ? fmt::format("column {}", column + 1) : quoted(facts.name);
  choice.why =
      choice.patterns.size() == 1
          ? fmt::format("only by this pattern are all texts of {} dates, like {}", name, example)
          : fmt::format("no number in {} is over 12, so that which is the day is not to be seen",
                        name);
  return choice;
}

}  // namespace meterline::formats
