// How an unknown file is written: nothing here knows what its columns mean.

#include "formats/feed/draft_sample.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/text.h"
#include "core/time_zone.h"
#include "core/try.h"
#include "formats/csv_rows.h"
#include "formats/feed/feed_fields.h"
#include "formats/feed/feed_plan.h"
#include "formats/feed/wildcard.h"
#include "formats/foreign.h"
#include "formats/recognise.h"

namespace meterline::formats {
namespace {

constexpr int lines_tried = 500;  ///< For the delimiter.
constexpr std::size_t odd_rows_max = 64;
constexpr std::string_view no_rows =
    "no line has fields, between `,`, `;`, tabs or `|`, of which one is a date: no feed can read "
    "such rows; of times below a line with their day, a feed says the day with `date_line`, which "
    "you write by hand";
constexpr int year_min = 1990;
constexpr int year_max = 2100;

bool is_digit(char c) { return '0' <= c && c <= '9'; }

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// Whether texts in any of the patterns may be like this: it saves reading most fields.
bool may_be_stamp(std::string_view text) {
  constexpr std::size_t chars_min = 4;
  constexpr std::size_t chars_max = 40;
  return text.size() >= chars_min && text.size() <= chars_max &&
         std::count_if(text.begin(), text.end(), is_digit) >= 3;
}

/// Patterns that are tried, those that say more before others that read the same.
const std::vector<StampPattern>& known_patterns() {
  static const auto* const all = [] {
    constexpr std::array dates = {
        "yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd",  "yyyyMMdd",    "dd/MM/yyyy",  "MM/dd/yyyy",
        "dd.MM.yyyy", "MM.dd.yyyy", "dd-MM-yyyy",  "MM-dd-yyyy",  "dd/MM/yy",    "MM/dd/yy",
        "yy/MM/dd",   "dd.MM.yy",   "MM.dd.yy",    "yy.MM.dd",    "dd-MM-yy",    "MM-dd-yy",
        "yy-MM-dd",   "dd MM yyyy", "dd MMM yyyy", "dd-MMM-yyyy", "dd/MMM/yyyy", "dd.MMM.yyyy",
        "dd-MMM-yy",  "dd MMM yy",  "MMM dd yyyy", "MMM dd, yyyy"};
    constexpr std::array times = {"HH:mm",   "HH:mm:ss",   "HH:mm[:ss]",
                                  "hh:mm a", "hh:mm:ss a", "HH.mm"};
    auto* const made = new std::vector<StampPattern>();
    const auto add = [&](const std::string& text) {
      if (auto pattern = StampPattern::parse(text)) made->push_back(*std::move(pattern));
    };
    for (const std::string date : dates) add(date);
    for (const std::string date : dates)
      for (const std::string time : times) add(date + " " + time);
    for (const std::string time : times) add(time);
    add("yyyyMMddHHmm");
    add("yyyyMMddHH24mmss");
    add("iso");
    add("epoch");
    return made;
  }();
  return *all;
}

std::optional<Stamp> read_stamp(const StampPattern& pattern, std::string_view text) {
  constexpr std::size_t epoch_digits = 10;
  if (pattern.text() == "epoch" && text.size() != epoch_digits) return std::nullopt;
  auto stamp = pattern.read(text);
  if (!stamp || !pattern.has_date()) return stamp;
  const int year = stamp->date.civil().year;
  const bool is_whole = pattern.text() != "epoch" || stamp->second == 0;
  return year_min <= year && year <= year_max && is_whole ? stamp : std::nullopt;
}

bool is_date_text(std::string_view text) {
  if (!may_be_stamp(text)) return false;
  const auto& patterns = known_patterns();
  return std::any_of(patterns.begin(), patterns.end(), [&](const StampPattern& pattern) {
    return pattern.has_date() && pattern.text() != "epoch" && read_stamp(pattern, text);
  });
}

/// The patterns by which all texts of a column are dates or times, as they come.
class StampFinder {
 public:
  void add(std::string_view text) {
    if (is_begun_ && alive_.empty()) return;
    if (text == last_) return;
    last_ = text;
    if (!is_begun_) {
      is_begun_ = true;
      if (!may_be_stamp(text)) return;
      for (const auto& pattern : known_patterns()) alive_.push_back({&pattern, 0});
    }
    std::erase_if(alive_, [&](Alive& alive) {
      const auto stamp = read_stamp(*alive.pattern, text);
      if (stamp) alive.note(*stamp);
      return !stamp;
    });
  }

  std::vector<StampPattern> found() const {
    std::vector<StampPattern> patterns;
    std::vector<std::uint64_t> seen;
    for (const auto& alive : alive_) {
      if (std::find(seen.begin(), seen.end(), alive.hash) != seen.end()) continue;
      seen.push_back(alive.hash);
      patterns.push_back(*alive.pattern);
    }
    return patterns;
  }

 private:
  struct Alive {
    const StampPattern* pattern;
    std::uint64_t hash;  ///< Of all that was read by it.

    void note(const Stamp& stamp) {
      constexpr std::uint64_t prime = 0x100000001B3;
      for (const int number : {stamp.date.days(), stamp.minute, stamp.second,
                               stamp.offset_minutes.value_or(time_zone_offset_minutes_max + 1)})
        hash = (hash ^ static_cast<std::uint32_t>(number)) * prime;
    }
  };
  std::vector<Alive> alive_;
  std::string last_;
  bool is_begun_ = false;
};

/// Of a text with any line ends.
struct Line {
  std::int64_t number = 0;
  std::string_view text;
};

/// The lines of a text that are not blank.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<Line> next() {
    while (!rest_.empty()) {
      const auto row = first_row(rest_);
      const Line line{number_, row.text};
      rest_.remove_prefix(row.bytes);
      number_ += row.lines;
      if (line.text.find_first_not_of(" \t") != std::string_view::npos &&
          line.text.size() <= row_bytes_max)
        return line;
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
  std::int64_t number_ = 1;
};

/// How rows with a date look by a delimiter.
struct Likeness {
  char delimiter = ',';
  std::size_t fields = 0;  ///< Of a row.
  std::size_t all = 0;     ///< Of all such rows.
};

/// Whether these may be the fields of a reading: one of them is a date, and there is more than in
/// `From,01/08/2022`, however many blanks are behind it.
bool may_be_row(const std::vector<std::string_view>& fields) {
  const auto filled = std::count_if(fields.begin(), fields.end(),
                                    [](std::string_view field) { return !field.empty(); });
  return (filled > 2 || fields.size() == 2) &&
         std::any_of(fields.begin(), fields.end(), is_date_text);
}

Likeness likeness_by(char delimiter, std::string_view text) {
  FeedFields fields(delimiter);
  std::map<std::size_t, std::size_t> counts;
  Lines lines(text);
  for (int i = 0; i < lines_tried; ++i) {
    const auto line = lines.next();
    if (!line) break;
    if (!fields.split(line->text)) continue;
    const auto& all = fields.all();
    if (all.size() > 1 && all.size() <= header_fields_max && may_be_row(all)) ++counts[all.size()];
  }
  Likeness best{.delimiter = delimiter};
  for (const auto& [size, rows] : counts)
    if (size * rows >= best.all)
      best = {.delimiter = delimiter, .fields = size, .all = size * rows};
  return best;
}

class SampleReader {
 public:
  Result<Sample> read(std::string_view bytes, bool is_whole_file);

 private:
  Result<void> decode(std::string_view bytes);
  Result<void> find_delimiter();
  void take_lines(bool is_whole_file);
  void find_header();
  bool is_header(const SampleFields& fields) const;
  Result<void> join_decimals();
  void describe();

  Sample sample_;
  std::size_t fields_ = 0;                                     ///< Of a row.
  std::vector<std::pair<std::int64_t, SampleFields>> before_;  ///< Lines above the first row.
};

Result<void> SampleReader::decode(std::string_view bytes) {
  const auto head = bytes.substr(0, recognise_bytes);
  sample_.encoding = encoding_of(head);
  sample_.has_mark = sample_.encoding != Encoding::utf8 || head.starts_with("\xEF\xBB\xBF");
  if (sample_.encoding == Encoding::utf8 && is_utf16(head)) {
    sample_.encoding = Encoding::utf16le;
    const bool is_little = head.size() > 1 && head[1] == '\0';
    if (!is_little)
      return fail(Errc::refused,
                  "this is UTF-16 with the high byte first and without the byte order mark that "
                  "would say so; no feed says that: convert it, e.g. with "
                  "`iconv -f UTF-16BE -t UTF-8`");
  } else if (sample_.encoding == Encoding::utf8) {
    // The end may be in the middle of a character.
    auto whole = bytes;
    constexpr std::size_t character_max = 4;
    for (std::size_t i = 0; i < character_max && !is_utf8(whole) && !whole.empty(); ++i)
      whole.remove_suffix(1);
    if (!is_utf8(whole)) sample_.encoding = Encoding::windows1252;
  }
  Utf8Maker(sample_.encoding).add(bytes, sample_.text);
  METERLINE_TRY(const auto mark, check_text(sample_.text));
  sample_.text.erase(0, mark);
  sample_.text.erase(0, std::min(sample_.text.find_first_not_of("\r\n"), sample_.text.size()));
  return {};
}

Result<void> SampleReader::find_delimiter() {
  if (!foreign_records(sample_.text).empty()) {
    constexpr std::size_t records_max = 64;
    const auto comma = sample_.text.find(',');
    sample_.records = sample_.text.substr(
        0, std::min(records_max, sample_.text.find_first_of(",\r\n", comma + 1)));
  }
  if (const auto said = delimiter_said(first_row(sample_.text).text)) {
    sample_.delimiter = *said;
    sample_.is_delimiter_said = true;
    fields_ = likeness_by(*said, sample_.text).fields;
  } else {
    Likeness best;
    for (const char delimiter : {',', ';', '\t', '|'}) {
      const auto found = likeness_by(delimiter, sample_.text);
      if (found.all > best.all) best = found;
    }
    sample_.delimiter = best.delimiter;
    fields_ = best.fields;
  }
  if (fields_ > 0) return {};
  return fail(Errc::refused, std::string(no_rows));
}

void SampleReader::take_lines(bool is_whole_file) {
  FeedFields fields(sample_.delimiter);
  Lines lines(sample_.text);
  const auto rows_max = std::min(draft_rows_max, draft_fields_max / fields_ + 1);
  sample_.is_whole = is_whole_file;
  for (auto line = lines.next(); line; line = lines.next()) {
    if (line->number == 1 && sample_.is_delimiter_said) continue;
    if (sample_.rows.size() == rows_max) {
      sample_.is_whole = false;
      break;
    }
    if (!fields.split(line->text)) continue;
    const auto& all = fields.all();
    SampleFields texts(all.begin(), all.end());
    const bool is_record = sample_.records.empty() || texts.front() == "DET";
    const bool is_row = is_record && texts.size() == fields_ && may_be_row(all);
    if (is_row) {
      for (auto& odd : sample_.odd) odd.is_last = false;
      sample_.rows.push_back(std::move(texts));
    } else if (sample_.rows.empty()) {
      if (before_.size() < header_lines_max) before_.emplace_back(line->number, std::move(texts));
    } else if (sample_.odd.size() < odd_rows_max) {
      sample_.odd.push_back({.line = line->number, .fields = std::move(texts), .is_last = true});
    }
  }
}

/// A line of names: not a title with a value behind it, and no numbers only.
bool SampleReader::is_header(const SampleFields& fields) const {
  auto size = fields.size();
  while (size > 0 && fields[size - 1].empty()) --size;
  const bool has_word = std::any_of(fields.begin(), fields.end(), [](const std::string& field) {
    return std::any_of(field.begin(), field.end(),
                       [](char c) { return !is_digit(c) && c != '.' && c != ',' && c != '-'; });
  });
  auto row_size = fields_;
  for (const auto is_blank = [&](const SampleFields& row) { return row[row_size - 1].empty(); };
       row_size > 0 && std::all_of(sample_.rows.begin(), sample_.rows.end(), is_blank);)
    --row_size;
  return has_word && size <= fields_ && size + 1 >= row_size;
}

void SampleReader::find_header() {
  if (!sample_.records.empty()) return;
  if (!before_.empty() && is_header(before_.back().second)) {
    auto& [line, names] = before_.back();
    sample_.header_line = line;
    for (auto& name : names) sample_.columns.push_back({.name = std::move(name)});
    before_.pop_back();
  }
  for (auto& [line, fields] : before_) sample_.titles.push_back(std::move(fields));
}

/// A decimal comma that is also the delimiter: the header has a name less than rows have fields.
Result<void> SampleReader::join_decimals() {
  const auto names = sample_.columns.size();
  const auto is_blank = [&](const SampleFields& row) { return row[names].empty(); };
  if (sample_.header_line == 0 || fields_ != names + 1 ||
      std::all_of(sample_.rows.begin(), sample_.rows.end(), is_blank))
    return {};
  std::vector<int> places;
  for (std::size_t place = 0; place < names; ++place)
    if (std::all_of(sample_.rows.begin(), sample_.rows.end(), [&](const SampleFields& row) {
          auto whole = std::string_view(row[place]);
          if (whole.starts_with('-')) whole.remove_prefix(1);
          return is_digits(whole) && is_digits(row[place + 1]);
        }))
      places.push_back(static_cast<int>(place));
  if (places.size() != 1 || sample_.delimiter != ',')
    return fail(Errc::refused,
                "rows have a field more than the header, and which two of them are one is not to "
                "be seen");
  sample_.joined = places.front();
  for (auto& row : sample_.rows) {
    const auto place = row.begin() + places.front();
    *place += ',' + *(place + 1);
    row.erase(place + 1);
  }
  return {};
}

void SampleReader::describe() {
  std::size_t width = 0;
  for (const auto& row : sample_.rows) width = std::max(width, row.size());
  sample_.columns.resize(std::max(width, sample_.columns.size()));
  for (std::size_t place = 0; place < sample_.columns.size(); ++place) {
    auto& column = sample_.columns[place];
    StampFinder stamps;
    for (const auto& row : sample_.rows) {
      const auto text = place < row.size() ? std::string_view(row[place]) : std::string_view();
      if (text.empty()) {
        column.has_blanks = true;
        continue;
      }
      stamps.add(text);
      auto& texts = column.texts;
      const bool is_new = texts.size() < SampleColumn::texts_max &&
                          (texts.empty() || texts.back() != text) &&
                          std::find(texts.begin(), texts.end(), text) == texts.end();
      if (is_new) texts.emplace_back(text);
    }
    column.stamps = stamps.found();
  }
}

Result<Sample> SampleReader::read(std::string_view bytes, bool is_whole_file) {
  METERLINE_CHECK(decode(bytes));
  METERLINE_CHECK(find_delimiter());
  take_lines(is_whole_file);
  if (sample_.rows.empty()) return fail(Errc::refused, std::string(no_rows));
  find_header();
  METERLINE_CHECK(join_decimals());
  describe();
  return std::move(sample_);
}

}  // namespace

Result<Sample> read_draft_sample(std::string_view bytes, bool is_whole_file) {
  return SampleReader().read(bytes.substr(0, draft_bytes_max),
                             is_whole_file && bytes.size() <= draft_bytes_max);
}

bool is_missing_word(std::string_view text) {
  constexpr std::array<std::string_view, 7> words = {"-",   "--",   "null",   "nan",
                                                     "n/a", "none", "missing"};
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return is_same_word(word, text); });
}

std::vector<NumberStyle> number_styles(const std::vector<std::string_view>& texts) {
  constexpr std::array<std::pair<char, char>, 8> styles = {{{'.', '\0'},
                                                            {',', '\0'},
                                                            {'.', ','},
                                                            {',', '.'},
                                                            {'.', ' '},
                                                            {',', ' '},
                                                            {'.', '\''},
                                                            {',', '\''}}};
  std::vector<NumberStyle> fitting;
  for (const auto& [decimal, thousands] : styles) {
    const NumberStyle style{.decimal = decimal, .thousands = thousands};
    bool has_decimal = false;
    bool has_group = false;
    const bool fits_all = std::all_of(texts.begin(), texts.end(), [&](std::string_view text) {
      if (text.empty() || is_missing_word(text)) return true;
      if (!read_number(text, style)) return false;
      has_decimal |= text.find(decimal) != std::string_view::npos;
      const bool is_grouped = thousands != '\0' && text.find(thousands) != std::string_view::npos;
      has_group |= is_grouped;
      const auto first = text.find_first_of("0123456789");
      return !is_grouped || text[first] != '0';
    });
    // A style that says more than the texts show is none of its own.
    const bool is_shown = thousands == '\0' ? decimal == '.' || has_decimal : has_group;
    if (fits_all && is_shown) fitting.push_back(style);
  }
  return fitting;
}

Int128 scaled(Decimal number) {
  Int128 mantissa = number.mantissa;
  for (int i = number.exponent; i > -reading_decimals_max; --i) mantissa *= 10;
  return mantissa;
}

}  // namespace meterline::formats
