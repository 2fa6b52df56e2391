// Reads the description of a feed. The first thing that is wrong ends it: each reader of a key
// gives a default then, and the error stays.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "core/finding.h"
#include "core/toml.h"
#include "formats/feed/feed_layout.h"

namespace meterline::formats {
namespace {

template <class T>
struct Choice {
  std::string_view name;
  T value;
};

class FeedReader {
 public:
  explicit FeedReader(std::string_view name) { layout_.name = name; }

  Result<FeedLayout> read(std::string_view text);

 private:
  using Table = toml::table;

  void fault(const toml::node& node, const std::string& message);
  /// What may stand in a table, and that nothing else does.
  void allow(const Table& table, std::string_view section,
             std::initializer_list<std::string_view> keys);
  const Table* table(const Table& in, std::string_view key);

  std::string text(const Table& in, std::string_view key);
  std::vector<std::string> texts(const Table& in, std::string_view key);
  int number(const Table& in, std::string_view key, int most);
  bool flag(const Table& in, std::string_view key);
  ColumnRef column(const Table& in, std::string_view key);
  std::vector<ColumnRef> columns(const Table& in, std::string_view key);
  ColumnRef column_of(const toml::node& node);
  StampColumns stamp(const Table& in, std::string_view key);
  StampColumns stamp_of(const Table& in, std::string_view section);
  TimeZone zone(const Table& in, std::string_view key);
  int step(const Table& in, std::string_view key);
  template <class T, std::size_t N>
  void choose(const Table& in, std::string_view key, const std::array<Choice<T>, N>& choices,
              T& value);
  template <class T>
  void every_table(const Table& in, std::string_view key, T read_one);

  void read_file(const Table& table);
  void read_numbers(const Table& table);
  void read_rows(const Table& table);
  void read_meter(const Table& table);
  void read_channel(const Table& table);
  void read_quality(const Table& table);
  void read_wide(const Table& table);
  void read_columns(const Table& table, WideLayout& wide);
  void read_long(const Table& table);
  void read_values(const Table& table, LongLayout& rows);
  SaidTotal total(const Table& in, std::string_view key);
  void read_register(const Table& table, LongLayout& rows);
  void check_long(const Table& table, const LongLayout& rows);
  Measured measured(const Table& table);
  std::optional<Decimal> factor(const Table& in);

  FeedLayout layout_;
  std::optional<Error> error_;
};

void FeedReader::fault(const toml::node& node, const std::string& message) {
  if (error_) return;
  const auto at = node.source().begin;
  error_ = Error{.code = Errc::invalid_argument,
                 .message = fmt::format("feed {}, line {}, column {}: {}", layout_.name, at.line,
                                        at.column, message)};
}

void FeedReader::allow(const Table& table, std::string_view section,
                       std::initializer_list<std::string_view> keys) {
  for (const auto& [key, node] : table) {
    if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
    fault(node, fmt::format("`{}` is no key of {}: want one of {}", excerpt_of(key.str()), section,
                            fmt::join(keys, ", ")));
  }
}

const toml::table* FeedReader::table(const Table& in, std::string_view key) {
  const auto* const node = in.get(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) fault(*node, fmt::format("`{}`: want a table", key));
  return node->as_table();
}

std::string FeedReader::text(const Table& in, std::string_view key) {
  const auto* const node = in.get(key);
  if (node == nullptr) return "";
  const auto* const value = node->as_string();
  if (value == nullptr || value->get().empty()) {
    fault(*node, fmt::format("`{}`: want a text in quotes", key));
    return "";
  }
  return value->get();
}

std::vector<std::string> FeedReader::texts(const Table& in, std::string_view key) {
  std::vector<std::string> all;
  const auto* const node = in.get(key);
  if (node == nullptr) return all;
  if (const auto* const one = node->as_string()) return {one->get()};
  const auto* const list = node->as_array();
  if (list == nullptr) {
    fault(*node, fmt::format("`{}`: want texts in quotes, like [\"a\", \"b\"]", key));
    return all;
  }
  for (const auto& item : *list) {
    const auto* const value = item.as_string();
    if (value == nullptr) {
      fault(item, fmt::format("`{}`: want texts in quotes, like [\"a\", \"b\"]", key));
      return all;
    }
    all.push_back(value->get());
  }
  return all;
}

int FeedReader::number(const Table& in, std::string_view key, int most) {
  const auto* const node = in.get(key);
  if (node == nullptr) return 0;
  const auto* const value = node->as_integer();
  if (value == nullptr || value->get() < 1 || value->get() > most) {
    fault(*node, fmt::format("`{}`: want a whole number from 1 to {}", key, most));
    return 0;
  }
  return static_cast<int>(value->get());
}

bool FeedReader::flag(const Table& in, std::string_view key) {
  const auto* const node = in.get(key);
  if (node == nullptr) return false;
  const auto* const value = node->as_boolean();
  if (value == nullptr) {
    fault(*node, fmt::format("`{}`: want true or false", key));
    return false;
  }
  return value->get();
}

/// `"Usage"`, `"Usage#2"`, or the place of the column.
ColumnRef FeedReader::column_of(const toml::node& node) {
  constexpr std::int64_t places_max = 4096;
  if (const auto* const place = node.as_integer())
    if (1 <= place->get() && place->get() <= places_max)
      return {.place = static_cast<int>(place->get())};
  const auto* const name = node.as_string();
  if (name == nullptr || name->get().empty()) {
    fault(node, "want the name of a column in quotes, or its number from 1 on");
    return {};
  }
  ColumnRef ref{.name = name->get()};
  const auto hash = ref.name.rfind('#');
  if (hash == std::string::npos || hash + 1 == ref.name.size()) return ref;
  int nth = 0;
  const char* const end = ref.name.data() + ref.name.size();
  const auto read = std::from_chars(ref.name.data() + hash + 1, end, nth);
  if (read.ec != std::errc() || read.ptr != end || nth < 1) return ref;
  ref.nth = nth;
  ref.name.resize(hash);
  return ref;
}

ColumnRef FeedReader::column(const Table& in, std::string_view key) {
  const auto* const node = in.get(key);
  return node == nullptr ? ColumnRef{} : column_of(*node);
}

std::vector<ColumnRef> FeedReader::columns(const Table& in, std::string_view key) {
  std::vector<ColumnRef> all;
  const auto* const node = in.get(key);
  if (node == nullptr) return all;
  const auto* const list = node->as_array();
  if (list == nullptr) return {column_of(*node)};
  for (const auto& item : *list) all.push_back(column_of(item));
  return all;
}

StampColumns FeedReader::stamp_of(const Table& in, std::string_view section) {
  allow(in, section, {"column", "columns", "pattern"});
  StampColumns stamp;
  stamp.columns = columns(in, in.contains("columns") ? "columns" : "column");
  constexpr std::size_t columns_max = 4;
  if (stamp.columns.empty() || stamp.columns.size() > columns_max)
    fault(in, fmt::format("`{}`: want `column`, or `columns` with up to {}", section, columns_max));
  const auto pattern = text(in, "pattern");
  auto read = StampPattern::parse(pattern);
  if (read)
    stamp.pattern = *std::move(read);
  else
    fault(in.contains("pattern") ? *in.get("pattern") : in,
          fmt::format("`pattern`: {}", read.error().message));
  return stamp;
}

StampColumns FeedReader::stamp(const Table& in, std::string_view key) {
  const auto* const found = table(in, key);
  return found == nullptr ? StampColumns{} : stamp_of(*found, key);
}

TimeZone FeedReader::zone(const Table& in, std::string_view key) {
  const auto name = text(in, key);
  if (name.empty()) return {};
  const auto zone = TimeZone::parse(name);
  if (zone) return *zone;
  fault(*in.get(key), zone.error().message);
  return {};
}

int FeedReader::step(const Table& in, std::string_view key) {
  constexpr int step_max = 60;
  const int minutes = number(in, key, step_max);
  if (minutes == 0 || IntervalLength::from_minutes(minutes)) return minutes;
  fault(*in.get(key), fmt::format("`{}`: want 1, 5, 10, 15, 30 or 60 minutes", key));
  return 0;
}

template <class T, std::size_t N>
void FeedReader::choose(const Table& in, std::string_view key,
                        const std::array<Choice<T>, N>& choices, T& value) {
  const auto* const node = in.get(key);
  if (node == nullptr) return;
  const auto* const word = node->as_string();
  std::string names;
  for (const auto& choice : choices) {
    if (word != nullptr && word->get() == choice.name) {
      value = choice.value;
      return;
    }
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", choice.name);
  }
  fault(*node, fmt::format("`{}`: want one of {}", key, names));
}

template <class T>
void FeedReader::every_table(const Table& in, std::string_view key, T read_one) {
  const auto* const node = in.get(key);
  if (node == nullptr) return;
  const auto* const list = node->as_array();
  if (list == nullptr) return fault(*node, fmt::format("`{}`: want tables, [[{}]]", key, key));
  for (const auto& item : *list) {
    if (!item.is_table()) return fault(item, fmt::format("`{}`: want tables, [[{}]]", key, key));
    read_one(*item.as_table());
  }
}

/// In quotes, so that it is the decimal that is written there.
std::optional<Decimal> FeedReader::factor(const Table& in) {
  const auto* const node = in.get("factor");
  if (node == nullptr) return std::nullopt;
  std::optional<Decimal> read;
  if (const auto* const text = node->as_string()) read = Decimal::parse(text->get());
  if (const auto* const whole = node->as_integer())
    read = Decimal::parse(fmt::format("{}", whole->get()));
  if (read && read->mantissa > 0 && read->exponent >= -reading_decimals_max) return read;
  fault(*node, fmt::format("`factor`: want a number over 0 with up to {} decimals, in quotes like "
                           "\"0.001\", or a whole one",
                           reading_decimals_max));
  return std::nullopt;
}

Measured FeedReader::measured(const Table& table) {
  Measured made;
  made.name = text(table, "name");
  if (!made.name.empty() &&
      (made.name.size() > channel_name_chars_max || !is_meter_id_text(made.name)))
    fault(*table.get("name"), "`name`: want 1 to 32 of `A-Z a-z 0-9 _ - . :`");
  if (const auto flow = text(table, "flow"); !flow.empty()) {
    made.flow = parse_flow(flow);
    if (!made.flow)
      fault(*table.get("flow"),
            "`flow`: want one of \"consumption\", \"generation\", \"reactive\", \"other\"");
  }
  if (const auto unit = text(table, "unit"); !unit.empty()) {
    made.unit = parse_unit(unit);
    if (!made.unit) fault(*table.get("unit"), fmt::format("`unit`: want one of {}", unit_choices));
  }
  made.is_average_power = flag(table, "average_power");
  made.factor = factor(table);
  return made;
}

void FeedReader::read_file(const Table& table) {
  allow(table, "[file]",
        {"delimiter", "encoding", "header", "starts_with", "other", "unquoted_decimals"});
  constexpr std::array<Choice<char>, 5> delimiters = {
      {{",", ','}, {";", ';'}, {"tab", '\t'}, {"\t", '\t'}, {"|", '|'}}};
  choose(table, "delimiter", delimiters, layout_.delimiter);
  constexpr std::array<Choice<std::optional<Encoding>>, 3> encodings = {
      {{"utf-8", Encoding::utf8},
       {"utf-16le", Encoding::utf16le},
       {"windows-1252", Encoding::windows1252}}};
  choose(table, "encoding", encodings, layout_.encoding);
  layout_.starts_with = text(table, "starts_with");
  layout_.other = texts(table, "other");
  layout_.has_unquoted_decimals = flag(table, "unquoted_decimals");
  const auto* const header = table.get("header");
  if (header == nullptr) return;
  constexpr int line_max = 1000;
  if (header->is_integer()) {
    layout_.header_line = number(table, "header", line_max);
  } else if (header->is_string() && header->as_string()->get() == "none") {
    layout_.has_header = false;
  } else if (header->is_array()) {
    layout_.header = texts(table, "header");
  } else {
    fault(*header,
          "`header`: want the number of its line, names of columns in it like [\"a\", \"b\"], or "
          "\"none\"");
  }
}

void FeedReader::read_numbers(const Table& table) {
  allow(table, "[numbers]", {"decimal", "thousands", "symbols", "missing"});
  constexpr std::array<Choice<char>, 2> decimals = {{{".", '.'}, {",", ','}}};
  choose(table, "decimal", decimals, layout_.numbers.decimal);
  constexpr std::array<Choice<char>, 4> thousands = {
      {{",", ','}, {".", '.'}, {" ", ' '}, {"'", '\''}}};
  choose(table, "thousands", thousands, layout_.numbers.thousands);
  if (layout_.numbers.thousands == layout_.numbers.decimal)
    fault(*table.get("thousands"), "`thousands`: want another character than that of decimals");
  layout_.numbers.symbols = text(table, "symbols");
  layout_.missing = texts(table, "missing");
}

void FeedReader::read_rows(const Table& table) {
  allow(table, "[[rows]]", {"column", "keep", "drop", "stop"});
  RowFilter filter{.column = column(table, "column")};
  if (!filter.column.is_given()) fault(table, "[[rows]]: want `column`");
  constexpr std::array<std::pair<std::string_view, RowFilter::Action>, 3> actions = {
      {{"keep", RowFilter::Action::keep},
       {"drop", RowFilter::Action::drop},
       {"stop", RowFilter::Action::stop}}};
  int found = 0;
  for (const auto& [key, action] : actions) {
    if (!table.contains(key)) continue;
    ++found;
    filter.action = action;
    filter.patterns = texts(table, key);
  }
  if (found != 1) fault(table, "[[rows]]: want one of `keep`, `drop` and `stop`");
  layout_.rows.push_back(std::move(filter));
}

void FeedReader::read_meter(const Table& table) {
  allow(table, "[meter]",
        {"column", "title", "title_below", "column_name", "file_name", "remove_blanks"});
  layout_.meter = {.column = column(table, "column"),
                   .titles = texts(table, "title"),
                   .title_below = text(table, "title_below"),
                   .column_name = text(table, "column_name"),
                   .file_name = text(table, "file_name")};
  layout_.removes_blanks = flag(table, "remove_blanks");
  for (const char* const key : {"column_name", "file_name"})
    if (const auto pattern = text(table, key);
        !pattern.empty() && pattern.find("{}") == std::string::npos)
      fault(*table.get(key), fmt::format("`{}`: want {{}} where the meter's id stands", key));
}

void FeedReader::read_channel(const Table& table) {
  allow(table, "[channel]", {"name", "flow", "column", "of", "negative"});
  const auto own = measured(table);
  layout_.measured.name = own.name;
  layout_.measured.flow = own.flow;
  layout_.channel_column = column(table, "column");
  if (const auto* const negative = this->table(table, "negative")) {
    allow(*negative, "`negative`", {"name", "flow"});
    layout_.negative = measured(*negative);
  }
  every_table(table, "of", [&](const Table& one) {
    allow(one, "[[channel.of]]", {"is", "name", "flow", "unit", "average_power", "factor"});
    layout_.channels.push_back({.is = texts(one, "is"), .measured = measured(one)});
    if (layout_.channels.back().is.empty()) fault(one, "[[channel.of]]: want `is`");
  });
  if (layout_.channel_column.is_given() != !layout_.channels.empty())
    fault(table, "[channel]: `column` and [[channel.of]] go together");
}

void FeedReader::read_quality(const Table& table) {
  allow(table, "[quality]", {"column", "optional", "flags"});
  layout_.flag_column = column(table, "column");
  layout_.may_lack_flags = flag(table, "optional");
  const auto* const flags = this->table(table, "flags");
  if (flags == nullptr) return fault(table, "[quality]: want a table `flags`");
  constexpr std::array<Choice<Quality>, 4> qualities = {{{"actual", Quality::actual},
                                                         {"substituted", Quality::substituted},
                                                         {"estimated", Quality::estimated},
                                                         {"missing", Quality::missing}}};
  for (const auto& [key, node] : *flags) {
    FlagClass made{.flag = std::string(key.str())};
    choose(*flags, key.str(), qualities, made.quality);
    layout_.flags.push_back(std::move(made));
  }
}

void FeedReader::read_columns(const Table& table, WideLayout& wide) {
  wide.columns = text(table, "columns");
  wide.first = column(table, "first");
  constexpr int count_max = 1500;
  wide.count = number(table, "count", count_max);
  if (wide.columns.empty() == !wide.first.is_given())
    return fault(table, "[wide]: want `columns`, or `first` and `count`");
  if (wide.first.is_given()) {
    wide.named = WideLayout::Named::place;
    if (wide.count == 0) fault(table, "[wide]: `first` wants `count`");
  } else {
    const auto has = [&](std::string_view word) {
      return wide.columns.find(word) != std::string::npos;
    };
    const bool has_both = has("{start}") && has("{end}");
    if (has_both)
      wide.named = WideLayout::Named::both;
    else if (has("{start}"))
      wide.named = WideLayout::Named::start;
    else if (has("{end}"))
      wide.named = WideLayout::Named::end;
    else if (has("{n}"))
      wide.named = WideLayout::Named::number;
    else
      fault(*table.get("columns"), "`columns`: want {start}, {end} or {n} in it");
  }
  const auto flags = text(table, "flags");
  wide.flags_first = column(table, "flags_first");
  if (flags == "before")
    wide.flags = WideLayout::Flags::before;
  else if (flags == "after")
    wide.flags = WideLayout::Flags::after;
  else if (!flags.empty())
    wide.flags = WideLayout::Flags::named;
  else if (wide.flags_first.is_given())
    wide.flags = WideLayout::Flags::block;
  if (wide.flags == WideLayout::Flags::named) wide.flag_columns = flags;
  if (wide.flags == WideLayout::Flags::named && flags.find('{') == std::string::npos)
    fault(*table.get("flags"),
          "`flags`: want \"before\", \"after\", or a name with {start}, {end} or {n} in it");
}

void FeedReader::read_wide(const Table& table) {
  allow(table, "[wide]",
        {"date", "step", "columns", "first", "count", "flags", "flags_first", "again",
         "again_flags", "counts", "spring", "autumn", "total"});
  WideLayout wide;
  wide.date = stamp(table, "date");
  if (!wide.date.is_given()) fault(table, "[wide]: want `date`");
  wide.step = step(table, "step");
  if (wide.step == 0) fault(table, "[wide]: want `step`, the minutes of an interval");
  read_columns(table, wide);
  wide.again = columns(table, "again");
  wide.again_flags = columns(table, "again_flags");
  wide.total = column(table, "total");
  using Wide = WideLayout;
  constexpr std::array<Choice<Wide::Counts>, 2> counts = {
      {{"clock", Wide::Counts::clock}, {"elapsed", Wide::Counts::elapsed}}};
  choose(table, "counts", counts, wide.counts);
  constexpr std::array<Choice<Wide::Spring>, 3> springs = {{{"empty", Wide::Spring::empty},
                                                            {"zero", Wide::Spring::zero},
                                                            {"either", Wide::Spring::either}}};
  choose(table, "spring", springs, wide.spring);
  constexpr std::array<Choice<Wide::Autumn>, 5> autumns = {
      {{"unknown", Wide::Autumn::unknown},
       {"extra columns", Wide::Autumn::extra},
       {"sum", Wide::Autumn::sum},
       {"first only", Wide::Autumn::first_only},
       {"second only", Wide::Autumn::second_only}}};
  choose(table, "autumn", autumns, wide.autumn);
  layout_.wide = std::move(wide);
}

void FeedReader::read_values(const Table& table, LongLayout& rows) {
  if (table.contains("value")) rows.values.push_back({.column = column(table, "value")});
  every_table(table, "values", [&](const Table& one) {
    allow(one, "[[long.values]]",
          {"column", "flag", "name", "flow", "unit", "average_power", "factor"});
    rows.values.push_back(
        {.column = column(one, "column"), .flag = column(one, "flag"), .measured = measured(one)});
    if (!rows.values.back().column.is_given()) fault(one, "[[long.values]]: want `column`");
  });
  if (rows.values.empty()) fault(table, "[long]: want `value`, or [[long.values]]");
}

/// `"Total Usage"`, a title, or `{ record = "TRL", column = 4 }`.
SaidTotal FeedReader::total(const Table& in, std::string_view key) {
  const auto* const node = in.get(key);
  if (node == nullptr) return {};
  const auto* const of_record = node->as_table();
  if (of_record == nullptr) {
    if (node->is_string()) return {.title = text(in, key)};
    fault(*node,
          fmt::format("`{}`: want the name of a title in quotes, or {{ record, column }}", key));
    return {};
  }
  allow(*of_record, key, {"record", "column"});
  constexpr int places_max = 4096;
  SaidTotal said{.record = text(*of_record, "record"),
                 .column = number(*of_record, "column", places_max)};
  if (said.record.empty() || said.column == 0)
    fault(*node, fmt::format("`{}`: want `record`, the first field of its line, and `column`, the "
                             "place of the total in it",
                             key));
  return said;
}

void FeedReader::read_register(const Table& table, LongLayout& rows) {
  rows.is_register = flag(table, "register");
  constexpr int digits_max = 12;
  rows.register_digits = number(table, "register_digits", digits_max);
  if (rows.register_digits > 0 && !rows.is_register)
    fault(*table.get("register_digits"), "`register_digits` goes with `register = true`");
  if (!rows.is_register) return;
  if (!rows.end.is_given() || rows.start.is_given() || rows.step == 0)
    fault(*table.get("register"),
          "`register` wants `end`, the times at which it was read, without `start`, and `step` in "
          "minutes");
  const bool has_power =
      layout_.measured.is_average_power ||
      std::any_of(layout_.channels.begin(), layout_.channels.end(),
                  [](const ChannelOf& one) { return one.measured.is_average_power; });
  const bool has_other = has_power || layout_.negative || rows.has_longer_steps || rows.adds_up;
  if (has_other)
    fault(*table.get("register"),
          "`register` goes with none of `average_power`, `negative`, `longer_steps`, `adds_up`");
}

void FeedReader::check_long(const Table& table, const LongLayout& rows) {
  const bool has_stamps = rows.start.is_given() || rows.end.is_given();
  const bool has_period = rows.period.is_given() && rows.date.is_given();
  if (has_stamps == has_period) fault(table, "[long]: want `start`, `end`, or `date` and `period`");
  const bool is_nested = rows.date_line.has_value();
  for (const auto* const stamp : {&rows.start, &rows.end})
    if (stamp->is_given() && (stamp->pattern.has_date() == is_nested || !stamp->pattern.has_time()))
      fault(table, is_nested ? "[long]: below a `date_line`, `start` and `end` want a pattern with "
                               "the time alone"
                             : "[long]: `start` and `end` want a pattern with day and time");
  const bool has_both = rows.start.is_given() && rows.end.is_given();
  if (rows.step_from == LongLayout::Step::start_to_end && !has_both)
    fault(*table.get("step"), "`step`: \"start to end\" wants both `start` and `end`");
}

void FeedReader::read_long(const Table& table) {
  allow(table, "[long]",
        {"start", "end", "date", "period", "period_is", "step", "step_column", "end_is", "repeated",
         "longer_steps", "value", "values", "adds_up", "register", "register_digits", "date_line"});
  LongLayout rows;
  rows.start = stamp(table, "start");
  rows.end = stamp(table, "end");
  rows.date = stamp(table, "date");
  rows.period = column(table, "period");
  constexpr std::array<Choice<bool>, 2> periods = {{{"number", false}, {"time", true}}};
  choose(table, "period_is", periods, rows.is_period_time);
  rows.step_column = column(table, "step_column");
  const auto* const step_node = table.get("step");
  if (step_node != nullptr && step_node->is_string()) {
    constexpr std::array<Choice<LongLayout::Step>, 1> steps = {
        {{"start to end", LongLayout::Step::start_to_end}}};
    choose(table, "step", steps, rows.step_from);
  } else {
    rows.step = step(table, "step");
  }
  if (rows.step_column.is_given()) rows.step_from = LongLayout::Step::column;
  if (step_node == nullptr && !rows.step_column.is_given())
    fault(table,
          "[long]: want `step`, the minutes of an interval or \"start to end\", or "
          "`step_column`");
  constexpr std::array<Choice<LongLayout::End>, 3> ends = {
      {{"exact", LongLayout::End::exact},
       {"last minute", LongLayout::End::last_minute},
       {"last second", LongLayout::End::last_second}}};
  choose(table, "end_is", ends, rows.end_is);
  constexpr std::array<Choice<LongLayout::Repeated>, 3> repeated = {
      {{"refused", LongLayout::Repeated::refused},
       {"file order", LongLayout::Repeated::file_order},
       {"newest first", LongLayout::Repeated::newest_first}}};
  choose(table, "repeated", repeated, rows.repeated);
  rows.adds_up = flag(table, "adds_up");
  rows.has_longer_steps = flag(table, "longer_steps");
  const bool may_be_longer =
      layout_.measured.is_average_power && !rows.start.is_given() && rows.step > 0;
  if (rows.has_longer_steps && !may_be_longer)
    fault(*table.get("longer_steps"),
          "`longer_steps` wants `average_power`, `end` without `start`, and `step`");
  read_register(table, rows);
  if (const auto day = text(table, "date_line"); !day.empty()) {
    auto pattern = StampPattern::parse(day);
    if (!pattern || !pattern->has_date() || pattern->has_time())
      fault(*table.get("date_line"),
            pattern ? "`date_line`: want a pattern of a day" : pattern.error().message);
    else
      rows.date_line = *std::move(pattern);
  }
  read_values(table, rows);
  check_long(table, rows);
  layout_.rows_of_readings = std::move(rows);
}

Result<FeedLayout> FeedReader::read(std::string_view text) {
  if (text.size() > feed_bytes_max)
    return fail(Errc::too_large,
                fmt::format("feed {}: larger than {} bytes", layout_.name, feed_bytes_max));
  const auto parsed = toml::parse(text);
  if (!parsed) {
    const auto at = parsed.error().source().begin;
    return fail(Errc::invalid_argument,
                fmt::format("feed {}, line {}, column {}: {}", layout_.name, at.line, at.column,
                            parsed.error().description()));
  }
  const toml::table& all = parsed.table();
  layout_.text = text;
  allow(all, "a feed",
        {"title", "zone", "clock", "unit", "unit_column", "average_power", "factor",
         "factor_column", "file", "numbers", "rows", "meter", "channel", "quality", "stated",
         "totals", "wide", "long"});
  layout_.title = this->text(all, "title");
  layout_.zone = zone(all, "zone");
  layout_.clock = zone(all, "clock");
  if (layout_.clock.is_known() && !layout_.clock.is_fixed())
    fault(*all.get("clock"),
          "`clock`: want UTC or an offset like +01:00; a clock that changes is "
          "that of the `zone`");
  layout_.measured = measured(all);
  layout_.unit_column = column(all, "unit_column");
  layout_.factor_column = column(all, "factor_column");
  if (const auto* const file = table(all, "file")) read_file(*file);
  if (const auto* const numbers = table(all, "numbers")) read_numbers(*numbers);
  every_table(all, "rows", [&](const Table& one) { read_rows(one); });
  if (const auto* const meter = table(all, "meter")) read_meter(*meter);
  if (const auto* const channel = table(all, "channel")) read_channel(*channel);
  if (const auto* const quality = table(all, "quality")) read_quality(*quality);
  layout_.stated = stamp(all, "stated");
  if (const auto* const totals = table(all, "totals")) {
    allow(*totals, "[totals]", {"sum", "rows"});
    layout_.sum = total(*totals, "sum");
    layout_.rows_count = total(*totals, "rows");
  }
  if (all.contains("wide") == all.contains("long"))
    fault(all,
          "want one of [wide], rows with a column for each interval, and [long], rows with a "
          "reading each");
  if (const auto* const wide = table(all, "wide")) read_wide(*wide);
  if (const auto* const rows = table(all, "long")) read_long(*rows);
  if (error_) return tl::unexpected(*error_);
  return std::move(layout_);
}

}  // namespace

std::string ColumnRef::text() const {
  if (place > 0) return fmt::format("number {}", place);
  return nth == 1 ? fmt::format("`{}`", name) : fmt::format("`{}#{}`", name, nth);
}

Result<FeedLayout> parse_feed(std::string_view toml, std::string_view name) {
  return FeedReader(name).read(toml);
}

}  // namespace meterline::formats
