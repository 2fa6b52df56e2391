#include "core/instant.h"

#include <fmt/core.h>

#include "core/date.h"

namespace meterline {
namespace {

constexpr std::int64_t micros_per_second = 1'000'000;
constexpr std::int64_t micros_per_day = 86'400 * micros_per_second;

/// Takes what it reads off the front of a text. Once something is not as wanted, ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return text_.empty(); }

  bool skip(char wanted) {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) { ok_ = skip(wanted) && ok_; }

  /// Exactly two digits, at most `max`.
  int two_digits(int max) {
    const int tens = digit();
    const int value = tens * 10 + digit();
    ok_ = ok_ && value <= max;
    return value;
  }

  /// 1 to 9 decimals of a second.
  std::int64_t micros_of_decimals() {
    std::int64_t micros = 0;
    std::int64_t unit = micros_per_second / 10;
    int count = 0;
    for (; !text_.empty() && is_digit(text_.front()); ++count, unit /= 10) micros += digit() * unit;
    ok_ = ok_ && count >= 1 && count <= 9;
    return micros;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  int digit() {
    if (text_.empty() || !is_digit(text_.front())) {
      ok_ = false;
      return 0;
    }
    const int value = text_.front() - '0';
    text_.remove_prefix(1);
    return value;
  }

  std::string_view text_;
  bool ok_ = true;
};

/// `HH:mm:ss`, decimals.
std::int64_t read_time(Reader& in) {
  std::int64_t seconds = in.two_digits(23) * 3600;
  in.expect(':');
  seconds += in.two_digits(59) * 60;
  in.expect(':');
  seconds += in.two_digits(59);
  return seconds * micros_per_second + (in.skip('.') ? in.micros_of_decimals() : 0);
}

/// `Z`, `+HH:mm` or `-HH:mm`.
std::int64_t read_offset(Reader& in) {
  if (in.skip('Z')) return 0;
  const bool is_west = in.skip('-');
  if (!is_west) in.expect('+');
  std::int64_t minutes = in.two_digits(23) * 60;
  in.expect(':');
  minutes += in.two_digits(59);
  return (is_west ? -minutes : minutes) * 60 * micros_per_second;
}

}  // namespace

std::optional<Instant> Instant::parse(std::string_view text) {
  const auto day = Date::parse(text.substr(0, 10));
  if (!day) return std::nullopt;
  if (text.size() == 10) return Instant{(day->days() + 1) * micros_per_day - 1};

  Reader in(text.substr(10));
  in.expect('T');
  const std::int64_t local = read_time(in);
  const Instant at{day->days() * micros_per_day + local - read_offset(in)};
  if (!in.ok() || !in.at_end()) return std::nullopt;
  const bool is_in_range = at.micros >= Date::min().days() * micros_per_day &&
                           at.micros < (Date::max().days() + 1) * micros_per_day;
  return is_in_range ? std::optional(at) : std::nullopt;
}

std::string Instant::text() const {
  std::int64_t day = micros / micros_per_day;
  std::int64_t of_day = micros % micros_per_day;
  if (of_day < 0) {
    --day;
    of_day += micros_per_day;
  }
  const auto date = Date::from_days(day);
  const std::string date_text = date ? date->text() : fmt::format("day{:+}", day);
  const std::int64_t second = of_day / micros_per_second;
  const std::int64_t fraction = of_day % micros_per_second;
  auto out =
      fmt::format("{}T{:02}:{:02}:{:02}", date_text, second / 3600, second / 60 % 60, second % 60);
  if (fraction != 0) out += fmt::format(".{:06}", fraction);
  return out + 'Z';
}

}  // namespace meterline
