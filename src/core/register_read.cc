#include "core/register_read.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core/text.h"

namespace meterline {
namespace {

constexpr std::int64_t minute_micros = std::int64_t{60} * 1'000'000;
constexpr std::int64_t day_micros = 24 * 60 * minute_micros;

/// Microseconds since 1970 on the clock.
std::int64_t local_micros(ClockTime time) {
  return time.at.micros + time.offset_minutes * minute_micros;
}

std::int64_t day_of(std::int64_t micros) {
  return micros / day_micros - (micros % day_micros < 0 ? 1 : 0);
}

/// Whether it has a date, on the clock and in UTC.
bool is_in_range(ClockTime time) {
  const auto is_day = [](std::int64_t day) {
    return Date::min().days() <= day && day <= Date::max().days();
  };
  return std::abs(time.offset_minutes) <= clock_offset_minutes_max &&
         is_day(day_of(time.at.micros)) && is_day(day_of(local_micros(time)));
}

std::optional<std::string_view> fault_of(const RegisterState& state) {
  if (!is_in_range(state.time)) return "a time is out of range";
  if (state.quality == Quality::missing && state.value) return "a value is said to be missing";
  if (state.note.bytes() == 0) return std::nullopt;
  return meterline::fault_of(state.note);
}

std::string text_of(const RegisterState& state) {
  const bool has_note = state.note.bytes() > 0;
  return fmt::format("{} {} {}{}{}", state.time.text(),
                     state.value ? state.value->text() : std::string("-"),
                     meterline::text_of(state.quality), has_note ? " " : "",
                     has_note ? meterline::text_of(state.note) : std::string());
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const MeterRegister& of) {
  return out << of.channel << '|' << of.id << '|' << of.serial;
}

Date ClockTime::date() const { return *Date::from_days(day_of(local_micros(*this))); }

std::string ClockTime::text() const {
  auto text = Instant{local_micros(*this)}.text();
  if (offset_minutes == 0) return text;
  const int minutes = std::abs(offset_minutes);
  text.pop_back();
  return fmt::format("{}{}{:02}:{:02}", text, offset_minutes < 0 ? '-' : '+', minutes / 60,
                     minutes % 60);
}

std::ostream& operator<<(std::ostream& out, const RegisterRead& read) {
  out << read.meter << ' ' << read.of << ' ' << text_of(read.current);
  if (read.previous) out << " after " << text_of(*read.previous);
  if (read.counted) out << " counted " << *read.counted;
  if (read.next_read) out << " next " << *read.next_read;
  if (read.stated) out << " stated " << *read.stated;
  return out;
}

std::optional<std::string_view> fault_of(const RegisterRead& read) {
  for (const auto* word : {&read.of.id, &read.of.serial}) {
    if (word->size() > register_word_bytes_max) return "a register id or serial number is too long";
    if (!is_clean_text(*word))
      return "a register id or serial number is not UTF-8, or has control characters";
  }
  if (const auto fault = fault_of(read.current)) return fault;
  if (read.previous) {
    if (const auto fault = fault_of(*read.previous)) return fault;
    if (read.current.time.at < read.previous->time.at)
      return "the previous read is later than the current one";
  }
  if (read.counted && !read.previous) return "what was counted needs the previous read's time";
  if (!read.current.value && !read.counted) return "there is neither a value nor what was counted";
  return std::nullopt;
}

}  // namespace meterline
