#include "formats/espi_quick.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "formats/reading_text.h"

namespace meterline::formats::espi {
namespace {

/// So many digits are surely no overflow.
constexpr int digits_max = 18;
/// Of a time: until the year 5138.
constexpr int seconds_digits_max = 11;
/// A code that a reading has not; none is so long.
constexpr int unsaid = std::numeric_limits<int>::min();

bool is_digit(char c) { return '0' <= c && c <= '9'; }

/// Takes what it reads off the front of a text. Once something is not as wanted, ok() is false.
class Scanner {
 public:
  Scanner(std::string_view text, std::string_view tag, std::string_view end)
      : at_(text.data()), end_of_text_(at_ + text.size()), tag_(tag), end_(end) {}

  bool ok() const { return ok_; }
  const char* at() const { return at_; }
  std::int64_t lines() const { return lines_; }
  const char* line_start() const { return line_start_; }

  /// Blanks, line ends and comments.
  void skip_space();
  bool takes(std::string_view wanted) {
    if (static_cast<std::size_t>(end_of_text_ - at_) < wanted.size() ||
        std::memcmp(at_, wanted.data(), wanted.size()) != 0)
      return false;
    at_ += wanted.size();
    return true;
  }
  /// `<espi:`, behind which a name stands.
  bool takes_tag() { return takes(tag_); }
  /// The first character of that name, or of whatever else comes.
  char next() const { return at_ < end_of_text_ ? *at_ : '\0'; }
  bool is_end_tag() const { return end_of_text_ - at_ > 1 && at_[0] == '<' && at_[1] == '/'; }
  /// `</espi:` and the name, with its `>`.
  void close(std::string_view name) { ok_ = takes(end_) && takes(name) && ok_; }

  /// A whole number of up to `digits` digits.
  std::int64_t number(int digits, bool may_be_negative);
  /// A decimal as parse_reading() takes it, without rounding.
  void decimal(Reading& reading);

 private:
  void skip_comment();

  const char* at_;
  const char* const end_of_text_;
  const std::string_view tag_;
  const std::string_view end_;
  bool ok_ = true;
  std::int64_t lines_ = 0;
  const char* line_start_ = nullptr;  ///< Behind the last line end that was passed.
};

void Scanner::skip_space() {
  for (; at_ < end_of_text_; ++at_) {
    if (*at_ == ' ' || *at_ == '\t') continue;
    if (*at_ == '\r') {
      // Whether another byte follows that makes it one line end must be known.
      if (end_of_text_ - at_ < 2) return;
      if (at_[1] == '\n') continue;
    } else if (*at_ != '\n') {
      if (!(*at_ == '<' && end_of_text_ - at_ > 4 && std::memcmp(at_, "<!--", 4) == 0)) return;
      skip_comment();
      if (!ok_) return;
      continue;
    }
    ++lines_;
    line_start_ = at_ + 1;
  }
}

/// A comment of plain characters, from its start to its last one.
void Scanner::skip_comment() {
  ok_ = false;
  for (const char* at = at_ + 4; end_of_text_ - at > 2; ++at) {
    if (at[0] == '-' && at[1] == '-') {
      ok_ = at[2] == '>';
      at_ = at + 2;
      return;
    }
    const auto byte = static_cast<unsigned char>(*at);
    if (*at == '\n') {
      ++lines_;
      line_start_ = at + 1;
    } else if ((byte < 0x20 && *at != '\t') || byte > 0x7E) {
      return;
    }
  }
}

std::int64_t Scanner::number(int digits, bool may_be_negative) {
  const bool is_negative = may_be_negative && takes("-");
  std::int64_t value = 0;
  int count = 0;
  for (; at_ < end_of_text_ && is_digit(*at_) && count <= digits; ++at_, ++count)
    value = value * 10 + (*at_ - '0');
  ok_ = ok_ && count > 0 && count <= digits;
  return is_negative ? -value : value;
}

void Scanner::decimal(Reading& reading) {
  const bool is_negative = takes("-");
  std::int64_t value = 0;
  int count = 0;
  int decimals = -1;
  for (; at_ < end_of_text_ && count <= digits_max; ++at_) {
    if (is_digit(*at_)) {
      value = value * 10 + (*at_ - '0');
      ++count;
      decimals += decimals >= 0 ? 1 : 0;
    } else if (*at_ == '.' && decimals < 0 && count > 0) {
      decimals = 0;
    } else {
      break;
    }
  }
  ok_ =
      ok_ && count > 0 && count <= digits_max && decimals != 0 && decimals <= reading_decimals_max;
  reading.value = is_negative ? -value : value;
  reading.decimals = static_cast<std::uint8_t>(std::max(decimals, 0));
  reading.state = ValueState::good;
}

/// Reads one reading from its first tag to its last.
class PlainReading {
 public:
  PlainReading(Scanner& in, Block& block) : in_(in), block_(block) {}

  /// False when it is not plain, or not all there.
  bool read(Reading& reading) {
    constexpr std::string_view name = "IntervalReading>";
    if (!in_.takes_tag() || !in_.takes(name)) return false;
    for (in_.skip_space(); in_.ok() && !in_.is_end_tag(); in_.skip_space())
      if (!read_child(reading)) return false;
    in_.close(name);
    return in_.ok();
  }
  /// What it says that its block keeps, once it is known to be plain.
  void give_to_block() const {
    if (multiplier_ != unsaid) block_.multiplier.add(multiplier_);
    if (uom_ != unsaid) block_.uom.add(uom_);
  }

 private:
  bool read_child(Reading& reading);
  bool read_value(Reading& reading);
  bool read_period(Reading& reading);
  bool read_quality(Reading& reading);
  bool read_code(std::string_view name, int& code);
  bool read_left_out(std::string_view name);

  Scanner& in_;
  Block& block_;
  int multiplier_ = unsaid;
  int uom_ = unsaid;
};

bool PlainReading::read_child(Reading& reading) {
  if (!in_.takes_tag()) return false;
  switch (in_.next()) {
    case 'v':
      return read_value(reading);
    case 't':
      return in_.takes("timePeriod>") ? read_period(reading) : read_left_out("tou>");
    case 'R':
      return read_quality(reading);
    case 'p':
      return read_code("powerOfTenMultiplier>", multiplier_);
    case 'u':
      return read_code("uom>", uom_);
    case 'c':
      for (const std::string_view name : {"cost>", "consumptionTier>", "cpp>", "currency>"})
        if (read_left_out(name)) return true;
      return false;
    default:
      return false;
  }
}

bool PlainReading::read_value(Reading& reading) {
  constexpr std::string_view name = "value>";
  if (reading.state != ValueState::absent || !in_.takes(name)) return false;
  in_.decimal(reading);
  in_.close(name);
  return in_.ok();
}

bool PlainReading::read_period(Reading& reading) {
  for (in_.skip_space(); in_.ok() && !in_.is_end_tag(); in_.skip_space()) {
    if (!in_.takes_tag()) return false;
    constexpr std::string_view start = "start>";
    constexpr std::string_view duration = "duration>";
    if (in_.takes(start)) {
      reading.start = in_.number(seconds_digits_max, false);
      in_.close(start);
    } else if (in_.takes(duration)) {
      constexpr int duration_digits_max = 9;
      reading.duration = static_cast<std::uint32_t>(in_.number(duration_digits_max, false));
      in_.close(duration);
    } else {
      return false;
    }
  }
  in_.close("timePeriod>");
  return in_.ok();
}

bool PlainReading::read_quality(Reading& reading) {
  constexpr std::string_view group = "ReadingQuality>";
  constexpr std::string_view name = "quality>";
  if (!in_.takes(group)) return false;
  in_.skip_space();
  if (reading.quality != no_quality || !in_.takes_tag() || !in_.takes(name)) return false;
  reading.quality = static_cast<std::uint8_t>(in_.number(2, false));
  in_.close(name);
  in_.skip_space();
  in_.close(group);
  return in_.ok();
}

/// One that is said again is for expat.
bool PlainReading::read_code(std::string_view name, int& code) {
  if (code != unsaid || !in_.takes(name)) return false;
  code = static_cast<int>(in_.number(3, true));
  in_.close(name);
  return in_.ok();
}

/// A number that is not kept.
bool PlainReading::read_left_out(std::string_view name) {
  if (!in_.takes(name)) return false;
  in_.number(digits_max, true);
  in_.close(name);
  return in_.ok();
}

}  // namespace

QuickReadings::QuickReadings(std::string_view prefix) : prefix_(prefix) {
  const auto name = prefix_.empty() ? "" : prefix_ + ':';
  tag_ = '<' + name;
  end_ = "</" + name;
}

QuickReadings::Taken QuickReadings::read(std::string_view text, std::int64_t line,
                                         std::size_t readings_max, Block& block) const {
  Taken taken;
  Scanner in(text, tag_, end_);
  while (block.readings.size() < readings_max) {
    in.skip_space();
    if (!in.ok()) break;
    Reading reading{.line = static_cast<std::uint32_t>(line + in.lines())};
    PlainReading plain(in, block);
    if (!plain.read(reading)) break;
    plain.give_to_block();
    block.readings.push_back(reading);
    taken.bytes = static_cast<std::size_t>(in.at() - text.data());
    taken.lines = in.lines();
    taken.behind_line = in.line_start() == nullptr
                            ? taken.bytes
                            : static_cast<std::size_t>(in.at() - in.line_start());
  }
  return taken;
}

}  // namespace meterline::formats::espi
