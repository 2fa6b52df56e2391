// Long CSV is read by a feed that is made of the header: the names of its columns say what they
// are.

#include "formats/feed/long_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/finding.h"
#include "core/text.h"
#include "core/try.h"
#include "formats/column_kind.h"
#include "formats/feed/feed_csv.h"
#include "formats/feed/feed_fields.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

using Role = LongRole;

struct Name {
  std::string_view text;
  Role role;
};

/// As squeezed() makes them. docs/formats/long-csv.md has the same list.
constexpr std::array names = {
    Name{"meter", Role::meter},
    Name{"meterid", Role::meter},
    Name{"meternumber", Role::meter},
    Name{"meterno", Role::meter},
    Name{"meterserialnumber", Role::meter},
    Name{"meterserial", Role::meter},
    Name{"meterpoint", Role::meter},
    Name{"meteringpoint", Role::meter},
    Name{"meteringpointid", Role::meter},
    Name{"mpxn", Role::meter},
    Name{"mpan", Role::meter},
    Name{"mprn", Role::meter},
    Name{"nmi", Role::meter},
    Name{"icp", Role::meter},
    Name{"esiid", Role::meter},
    Name{"ean", Role::meter},
    Name{"timestamp", Role::stamp},
    Name{"datetime", Role::stamp},
    Name{"dateandtime", Role::stamp},
    Name{"readingdatetime", Role::stamp},
    Name{"readingtimestamp", Role::stamp},
    Name{"start", Role::start},
    Name{"starttime", Role::start},
    Name{"starttimestamp", Role::start},
    Name{"usagestarttime", Role::start},
    Name{"intervalstart", Role::start},
    Name{"intervalstarttime", Role::start},
    Name{"startdatetime", Role::start},
    Name{"periodstart", Role::start},
    Name{"from", Role::start},
    Name{"end", Role::end},
    Name{"endtime", Role::end},
    Name{"endtimestamp", Role::end},
    Name{"usageendtime", Role::end},
    Name{"intervalend", Role::end},
    Name{"intervalendtime", Role::end},
    Name{"enddatetime", Role::end},
    Name{"periodend", Role::end},
    Name{"to", Role::end},
    Name{"date", Role::date},
    Name{"day", Role::date},
    Name{"readingdate", Role::date},
    Name{"usagedate", Role::date},
    Name{"intervaldate", Role::date},
    Name{"time", Role::time},
    Name{"readingtime", Role::time},
    Name{"value", Role::value},
    Name{"reading", Role::value},
    Name{"consumption", Role::value},
    Name{"usage", Role::value},
    Name{"energy", Role::value},
    Name{"kwh", Role::value},
    Name{"wh", Role::value},
    Name{"mwh", Role::value},
    Name{"unit", Role::unit},
    Name{"units", Role::unit},
    Name{"uom", Role::unit},
    Name{"channel", Role::channel},
    Name{"flow", Role::channel},
    Name{"quality", Role::flag},
    Name{"status", Role::flag},
    Name{"flag", Role::flag},
    Name{"stated", Role::stated},
    Name{"updated", Role::stated},
};

/// In lower case, without blanks, `_`, `-` and brackets.
std::string squeezed(std::string_view name) {
  std::string letters;
  for (const char c : name)
    if (std::string_view(" _-()[]").find(c) == std::string_view::npos) letters += lower(c);
  return letters;
}

Role role_of(std::string_view letters) {
  const auto* const found = std::find_if(names.begin(), names.end(),
                                         [&](const Name& known) { return known.text == letters; });
  return found == names.end() ? Role::none : found->role;
}

struct Header {
  char delimiter = ',';
  std::vector<std::string> fields = {};

  const std::string* find(Role role) const {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const std::string& field) {
      return long_role(field) == role;
    });
    return found == fields.end() ? nullptr : &*found;
  }
  bool has(Role role) const { return find(role) != nullptr; }
  /// The column's index, or no_column.
  int place_of(Role role) const {
    const auto* const name = find(role);
    return name == nullptr ? no_column : static_cast<int>(name - fields.data());
  }
  bool has_time() const {
    return has(Role::stamp) || has(Role::start) || has(Role::end) ||
           (has(Role::date) && has(Role::time));
  }
};

/// The first line, by the delimiter that stands in it most often.
std::optional<Header> header_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  if (text.empty()) return std::nullopt;
  const auto line = first_row(text).text.substr(0, row_bytes_max);
  Header header;
  std::ptrdiff_t most = 0;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    const auto count = std::count(line.begin(), line.end(), delimiter);
    if (count <= most) continue;
    most = count;
    header.delimiter = delimiter;
  }
  FeedFields fields(header.delimiter);
  if (!fields.split(line)) return std::nullopt;
  header.fields.assign(fields.all().begin(), fields.all().end());
  return header;
}

tl::unexpected<Error> undecided(std::string message) {
  return fail(Errc::refused, std::move(message));
}

/// Where the rows say when: a column, or a day and a time of the day.
struct TimeColumns {
  Role of = Role::none;  ///< start, end, or stamp where the header does not say it.
  std::vector<Role> roles = {};

  bool is_split() const { return roles.size() > 1; }
};

/// What the first rows say.
struct Looked {
  TimeColumns columns = {};
  std::vector<std::string> times = {};
  std::vector<std::string> meters = {};
  std::vector<std::string> values = {};
};

/// What the hints say of dates, or that they are as ISO 8601 has them; a time of the day behind
/// them is of 24 hours, or of twice 12 where the first row has it so.
Result<StampPattern> pattern_of(const Looked& looked, const ReadHints& hints) {
  if (hints.dates == "epoch") return StampPattern::parse(hints.dates);
  if (hints.dates.empty() && !looked.columns.is_split()) return StampPattern::parse("iso");
  const std::string_view time = looked.times.empty() ? std::string_view() : looked.times.front();
  const bool has_seconds = std::count(time.begin(), time.end(), ':') > 1;
  std::string pattern = hints.dates.empty() ? "yyyy-MM-dd" : hints.dates;
  if (time.ends_with('m') || time.ends_with('M'))
    pattern += has_seconds ? " hh:mm:ss a" : " hh:mm a";
  else
    pattern += " HH:mm[:ss]";
  return StampPattern::parse(pattern);
}

/// The numbers of up to two digits that a text begins with, as in `13/4/2024`; 0 for others.
std::pair<int, int> first_numbers(std::string_view text) {
  std::array<int, 2> numbers{};
  for (auto& number : numbers) {
    std::size_t digits = 0;
    while (digits < 2 && digits < text.size() && '0' <= text[digits] && text[digits] <= '9')
      number = number * 10 + (text[digits++] - '0');
    const bool is_parted = digits > 0 && digits < text.size() &&
                           std::string_view("/.-").find(text[digits]) != std::string_view::npos;
    if (!is_parted) return {};
    text.remove_prefix(digits + 1);
  }
  return {numbers[0], numbers[1]};
}

/// Refuses dates that are written otherwise, by the option that says how.
Result<void> check_dates(const std::vector<std::string>& texts, const StampPattern& pattern,
                         const ReadHints& hints) {
  if (!hints.dates.empty()) return {};
  int days_first = 0;
  int months_first = 0;
  std::string sample;
  for (const auto& text : texts) {
    if (pattern.read(text)) return {};
    if (sample.empty()) sample = text;
    const auto [first, second] = first_numbers(text);
    days_first += first > 12 ? 1 : 0;
    months_first += second > 12 ? 1 : 0;
  }
  if (sample.empty()) return {};
  const bool is_number = sample.find_first_not_of("0123456789") == std::string::npos;
  if (is_number && (sample.size() == 10 || sample.size() == 13))
    return undecided(
        fmt::format("times like `{}` may be Unix time, in seconds or milliseconds: say so with "
                    "--dates epoch (dates= for an upload)",
                    excerpt_of(sample)));
  std::string hint = "whether the day or the month comes first is not to be seen";
  if (days_first > 0 && months_first == 0) hint = "some day is over 12, so days come first";
  if (months_first > 0 && days_first == 0) hint = "some day is over 12, so months come first";
  return undecided(
      fmt::format("times like `{}` are not those of ISO 8601: {}; say how dates are written with "
                  "--dates (dates= for an upload), like --dates dd/MM/yyyy or --dates MM/dd/yyyy",
                  excerpt_of(sample), hint));
}

constexpr std::size_t looked_at_max = 2000;

/// `0:30`, `12:00 AM`
bool is_time_of_day(std::string_view text) {
  const auto colon = text.find(':');
  return (colon == 1 || colon == 2) && text.find_first_not_of("0123456789") == colon;
}

/// `row` is the first of readings. A start that is a time of the day has its day in a column of its
/// own; the end beside it says nothing more.
TimeColumns time_columns_of(const Header& header, const FeedFields& row) {
  const bool has_day = header.has(Role::date);
  if (header.has(Role::start) && has_day && is_time_of_day(row.at(header.place_of(Role::start))))
    return {.of = Role::start, .roles = {Role::date, Role::start}};
  if (header.has(Role::start)) return {.of = Role::start, .roles = {Role::start}};
  if (header.has(Role::end)) return {.of = Role::end, .roles = {Role::end}};
  if (header.has(Role::stamp)) return {.of = Role::stamp, .roles = {Role::stamp}};
  return {.of = Role::stamp, .roles = {Role::date, Role::time}};
}

Looked look(const Piece& first, const Header& header) {
  Looked looked;
  FeedFields fields(header.delimiter);
  auto rest = first.text;
  rest.remove_prefix(first_row(rest).bytes);
  while (!rest.empty() && looked.times.size() < looked_at_max) {
    const auto row = first_row(rest);
    rest.remove_prefix(row.bytes);
    if (row.text.empty() || row.text.size() > row_bytes_max || !fields.split(row.text)) continue;
    if (looked.columns.roles.empty()) looked.columns = time_columns_of(header, fields);
    std::string time;
    for (const auto role : looked.columns.roles)
      time += fmt::format("{}{}", time.empty() ? "" : " ", fields.at(header.place_of(role)));
    looked.times.push_back(std::move(time));
    const int meter = header.place_of(Role::meter);
    looked.meters.emplace_back(meter == no_column ? std::string_view() : fields.at(meter));
    looked.values.emplace_back(fields.at(header.place_of(Role::value)));
  }
  if (looked.columns.roles.empty()) looked.columns = time_columns_of(header, fields);
  return looked;
}

/// Whether readings have a decimal comma: none has a point, and some comma cannot part thousands.
bool has_decimal_comma(const std::vector<std::string>& values) {
  bool is_decided = false;
  for (const std::string_view value : values) {
    if (value.find('.') != std::string_view::npos) return false;
    const auto comma = value.find(',');
    if (comma == std::string_view::npos) continue;
    constexpr std::size_t group = 3;
    const auto behind = value.substr(comma + 1);
    if (behind.find(',') != std::string_view::npos) return false;
    const auto before = value.substr(0, comma);
    is_decided = is_decided || behind.size() != group || before.size() > group || before == "0";
  }
  return is_decided;
}

/// How far apart the rows of a meter are that stand behind each other.
struct Apart {
  std::optional<std::int64_t> last = {};  ///< In minutes.
  std::map<int, int> counts = {};         ///< By minutes, those of intervals.
  std::vector<std::int64_t> times = {};

  int rows() const { return static_cast<int>(times.size()); }
  int most_often() const {
    const auto most =
        std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
          return std::pair(a.second, -a.first) < std::pair(b.second, -b.first);
        });
    return most == counts.end() ? 0 : most->first;
  }
  /// How many times are not on the grid of such intervals on which most of them are.
  int strays(int step) const {
    std::map<std::int64_t, int> by_rest;
    for (const auto time : times) ++by_rest[((time % step) + step) % step];
    int most = 0;
    for (const auto& [rest, count] : by_rest) most = std::max(most, count);
    return rows() - most;
  }
};

/// The minutes of the file's intervals, as far apart as its rows mostly are: 0 when none are. A
/// few times between them are strays; where there are more, or another meter has other intervals,
/// nothing in the file says which are meant.
Result<int> step_of(const Looked& looked, const StampPattern& pattern) {
  std::map<std::string, Apart> meters;
  Apart all;
  for (std::size_t i = 0; i < looked.times.size(); ++i) {
    const auto stamp = pattern.read(looked.times[i]);
    if (!stamp) continue;
    const auto now = std::int64_t{stamp->date.days()} * 24 * 60 + stamp->minute -
                     stamp->offset_minutes.value_or(0);
    auto& meter = meters[looked.meters[i]];
    const auto apart = static_cast<int>(std::abs(now - meter.last.value_or(now)) % (24 * 60));
    if (IntervalLength::from_minutes(apart)) {
      ++meter.counts[apart];
      ++all.counts[apart];
    }
    meter.last = now;
    meter.times.push_back(now);
    all.times.push_back(now);
  }
  const int step = all.most_often();
  if (step == 0) return 0;
  constexpr int strays_part = 4;
  const auto refuse = [](std::string_view what) {
    return undecided(
        fmt::format("{}: say of how many minutes intervals are with --step (step= for "
                    "an upload), or have columns `start` and `end`",
                    what));
  };
  for (const auto& [name, meter] : meters) {
    constexpr int rows_least = 4;
    const int own = meter.most_often();
    const bool has_own = meter.counts.contains(own) && meter.counts.at(own) >= rows_least;
    // Longer ones may be gaps: then some times are between them.
    if (has_own && own != step && (own < step || meter.strays(own) == 0))
      return refuse(
          fmt::format("rows of meter {} are {} minutes apart, but {} apart in the file at large",
                      excerpt_of(name), own, step));
  }
  if (all.strays(step) * strays_part > all.rows())
    return refuse(
        fmt::format("rows are mostly {} minutes apart, but {} of the first {} times are "
                    "between such intervals",
                    step, all.strays(step), all.rows()));
  return step;
}

Result<FeedLayout> layout_of(const Piece& first, const ReadOptions& options) {
  const auto header = header_of(first.text);
  if (!header) return undecided("the file is empty");
  const auto& hints = options.hints;
  FeedLayout layout{.name = std::string(long_csv_name), .delimiter = header->delimiter};
  const auto column = [&](Role role) {
    const int place = header->place_of(role);
    return place == no_column ? ColumnRef{} : ColumnRef{.place = place + 1};
  };
  layout.header = {header->fields.front()};
  layout.header_line = static_cast<int>(first.first_line);
  layout.meter.column = column(Role::meter);
  layout.unit_column = column(Role::unit);
  const auto* const value = header->find(Role::value);
  if (!layout.unit_column.is_given()) layout.measured.unit = unit_in_name(*value);
  layout.channel_column = column(Role::channel);
  if (layout.channel_column.is_given()) layout.channels = long_channels();
  layout.flag_column = column(Role::flag);
  layout.flags = long_flags();

  const auto looked = look(first, *header);
  METERLINE_TRY(const auto pattern, pattern_of(looked, hints));
  METERLINE_CHECK(check_dates(looked.times, pattern, hints));
  if (header->has(Role::stated)) {
    METERLINE_TRY(auto iso, StampPattern::parse("iso"));
    layout.stated = {.columns = {column(Role::stated)}, .pattern = std::move(iso)};
  }
  LongLayout rows;
  rows.values.push_back({.column = column(Role::value)});
  StampColumns times{.pattern = pattern};
  for (const auto role : looked.columns.roles) times.columns.push_back(column(role));
  auto of = looked.columns.of;
  if (of == Role::stamp && hints.stamp.empty())
    return undecided(
        "the header does not say whether times name the starts or the ends of intervals; say it "
        "with --stamp start or --stamp end (stamp= for an upload), or name the column `start` or "
        "`end`");
  if (of == Role::stamp) of = hints.stamp == "start" ? Role::start : Role::end;
  const bool has_both = of == Role::start && header->has(Role::end) && !looked.columns.is_split();
  if (has_both) rows.end = {.columns = {column(Role::end)}, .pattern = pattern};
  (of == Role::start ? rows.start : rows.end) = std::move(times);
  rows.step = hints.step;
  if (rows.step == 0 && !has_both) {
    METERLINE_TRY(rows.step, step_of(looked, pattern));
  }
  if (has_both && hints.step == 0) {
    rows.step_from = LongLayout::Step::start_to_end;
    rows.step = 0;
  } else if (rows.step == 0) {
    return undecided(
        "how long the intervals are is not to be seen: no two rows of a meter are 1, 5, 10, 15, 30 "
        "or 60 minutes apart; say it with --step (step= for an upload)");
  }
  layout.rows_of_readings = std::move(rows);
  if (has_decimal_comma(looked.values)) layout.numbers.decimal = ',';
  return layout;
}

}  // namespace

LongRole long_role(std::string_view name) {
  const auto letters = squeezed(name);
  const auto role = role_of(letters);
  if (role != Role::none) return role;
  // A reading with its unit behind it, like `Usage (kWh)`.
  for (const std::string_view unit : {"kwh", "mwh", "wh"})
    if (letters.ends_with(unit))
      return role_of(std::string_view(letters).substr(0, letters.size() - unit.size())) ==
                     Role::value
                 ? Role::value
                 : Role::none;
  return Role::none;
}

std::vector<ChannelOf> long_channels() {
  std::vector<ChannelOf> channels;
  const auto add = [&](std::vector<std::string> is, Flow flow) {
    channels.push_back({.is = std::move(is), .measured = {.flow = flow}});
  };
  // Before consumption, whose `E*` would take `export`.
  add({"generation", "export", "export*", "received", "B*", "injection"}, Flow::generation);
  add({"consumption", "import", "import*", "delivered", "E*", "offtake", ""}, Flow::consumption);
  add({"reactive", "Q*", "K*"}, Flow::reactive);
  return channels;
}

std::vector<FlagClass> long_flags() {
  std::vector<FlagClass> flags;
  const auto add = [&](Quality quality, std::initializer_list<std::string_view> words) {
    for (const auto word : words) flags.push_back({.flag = std::string(word), .quality = quality});
  };
  add(Quality::actual, {"A", "actual", "Actual", "OK"});
  add(Quality::substituted, {"S", "substituted", "Substituted"});
  add(Quality::estimated, {"E", "estimated", "Estimated", "F"});
  add(Quality::missing, {"N", "missing", "Missing"});
  return flags;
}

bool is_long_csv(std::string_view head) {
  const auto header = header_of(head);
  return header && header->has(Role::value) && header->has_time();
}

Result<Opened> open_long_csv(const Piece& first, const ReadOptions& options) {
  METERLINE_TRY(const auto layout, layout_of(first, options));
  METERLINE_TRY(auto opened, open_feed(layout, first, options));
  opened.recognised_by =
      fmt::format("line {} is a header with a time and a reading", first.first_line);
  return opened;
}

}  // namespace meterline::formats
