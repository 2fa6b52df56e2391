#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/date.h"
#include "core/result.h"

namespace meterline::formats {

/// A point in time as a file writes it: what its clock showed.
struct Stamp {
  Date date;
  int minute = 0;                          ///< Of the day: 0 to 1440 (24:00).
  int second = 0;                          ///< 0 to 59
  std::optional<int> offset_minutes = {};  ///< East of UTC, where the text says it.

  bool operator==(const Stamp&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Stamp& stamp);
};

/// How a file writes dates and times, read once and then for every row.
///
///     yyyy yy        the year with four digits, or two, of 2000 to 2099
///     MM dd HH mm ss two digits, or one where what follows is no digit
///     MMM            Jan to Dec, also written out, in any case
///     hh a           the hour of a 12-hour clock, and AM or PM
///     Z              an offset, `+01:00`, `+0100`, `+01`, or `Z`
///     iso            yyyy-MM-dd, `T` or a blank, HH:mm, and if there are any: seconds, decimals,
///     and
///                    an offset
///     epoch          seconds since 1970-01-01T00:00:00Z; milliseconds where it has 13 digits
///     [...]          at the end: may be missing
///     *              at the end: anything
///
/// Other characters stand for themselves; a blank is one or more of them. 24:00 is the end of the
/// day.
class StampPattern {
 public:
  StampPattern() = default;
  /// Errors: `invalid_argument`, with what may stand in a pattern.
  static Result<StampPattern> parse(std::string_view pattern);

  bool has_date() const { return has_date_; }
  bool has_time() const { return has_time_; }
  bool has_offset() const { return has_offset_; }
  const std::string& text() const { return text_; }

  /// Empty when the text is not written so, or no such day or time exists.
  std::optional<Stamp> read(std::string_view text) const;

  /// The day of a text that was read, with the characters that it was written by.
  struct KnownDay {
    const StampPattern* of = nullptr;
    std::string text = {};
    Date date = {};
  };
  /// The same for one text after another, of which many are of one day. Changes `known`.
  std::optional<Stamp> read(std::string_view text, KnownDay& known) const;

 private:
  enum class Part : std::uint8_t {
    literal,
    blank,
    year,
    short_year,
    month,
    month_name,
    day,
    hour,
    half_hour_clock,
    am_pm,
    minute,
    second,
    offset,
    iso,
    epoch,
    optional_rest,
    anything,
  };
  struct Step {
    Part part;
    char literal = 0;
    bool is_fixed = false;  ///< A digit may follow: all digits must be there.
  };
  struct Reading;
  static std::optional<std::pair<Part, std::size_t>> part_at(std::string_view pattern);
  static std::optional<Stamp> stamp_of(const Reading& reading);
  static std::optional<Stamp> stamp_of(const Reading& reading, Date date);
  void place_parts();
  void place_day();
  bool read_placed(std::string_view text, std::size_t first_step, Reading& reading) const;
  std::optional<Stamp> read_steps(std::string_view text) const;
  bool read_step(const Step& step, Reading& reading) const;

  std::string text_;
  std::vector<Step> steps_;
  /// Of texts in which each part has all its digits, where those are the same in all: the place of
  /// each step, and the characters of all; 0 where there are none such.
  std::vector<std::uint8_t> places_;
  std::size_t placed_chars_ = 0;
  std::size_t day_steps_ = 0;  ///< The first so many make the day, and the others the time; or 0.
  bool has_date_ = false;
  bool has_time_ = false;
  bool has_offset_ = false;
};

/// What may stand in a pattern, for people.
inline constexpr std::string_view stamp_pattern_parts =
    "yyyy, yy, MM, MMM, dd, HH, hh, a, mm, ss, Z, iso, epoch, [...] and * at the end";

}  // namespace meterline::formats
