#include "formats/fit_to_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/decimal.h"

namespace meterline::formats {
namespace {

constexpr std::int32_t day_minutes = 24 * 60;
constexpr std::size_t no_slot = slots_max;

/// Where a time of the clock is in the day.
struct Place {
  std::size_t slot = no_slot;
  bool is_twice = false;
};

/// By the number of the interval that the clock shows.
std::vector<Place> places_of(const ReadingDay& day, std::size_t slots) {
  const int interval = day.interval.minutes();
  std::vector<Place> places(day.mantissas.size());
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const int shown = day.zone.shown_minute(day.date, static_cast<int>(slot) * interval);
    auto& place = places[static_cast<std::size_t>(shown / interval)];
    place = {.slot = slot, .is_twice = place.slot != no_slot};
  }
  return places;
}

/// That of the clock before it changed.
std::string offset_before(const ReadingDay& day) {
  constexpr std::size_t offset_chars = 6;
  const auto label = day.zone.label(day.date, 0);
  return label.substr(label.size() - offset_chars);
}

std::string time_text(const ReadingDay& day, std::size_t interval) {
  const int minute = static_cast<int>(interval) * day.interval.minutes();
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

}  // namespace

bool is_odd(const ReadingDay& day) { return day.zone.minutes_of(day.date) != day_minutes; }

FittedDay fit_to_zone(const ReadingDay& day) {
  FittedDay fitted{.day = day};
  const auto reject = [&](int column, std::string text, std::string excerpt) {
    fitted.is_rejected = true;
    fitted.findings = {{.column = column,
                        .code = FindingCode::other_zone,
                        .text = std::move(text),
                        .excerpt = std::move(excerpt)}};
    return fitted;
  };
  const auto minutes = day.zone.minutes_of(day.date);
  const auto slots = static_cast<std::size_t>(slots_in(minutes, day.interval.minutes()));
  if (slots == 0 || minutes > slots_max)
    return reject(0,
                  fmt::format("{} has {} minutes in {}", day.date.text(), minutes, day.zone.text()),
                  day.date.text());
  if ((minutes - day_minutes) % day.interval.minutes() != 0)
    return reject(0,
                  fmt::format("the clock of {} changes by {} minutes on {}, which intervals of {} "
                              "minutes do not fit",
                              day.zone.text(), std::abs(minutes - day_minutes), day.date.text(),
                              day.interval.minutes()),
                  day.date.text());
  fitted.day.mantissas.assign(slots, 0);
  fitted.day.qualities.assign(slots, Quality::missing);
  fitted.day.notes.clear();
  const auto places = places_of(day, slots);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (day.qualities[i] == Quality::missing) continue;
    const auto [slot, is_twice] = places[i];
    const auto reading = Decimal{day.mantissas[i], day.exponent}.text();
    if (slot != no_slot && !is_twice) {
      fitted.day.mantissas[slot] = day.mantissas[i];
      fitted.day.qualities[slot] = day.qualities[i];
      if (const auto* const note = note_at(day.notes, i))
        append(fitted.day.notes, slot, slot + 1, *note);
      continue;
    }
    const int column = static_cast<int>(i) + 1;
    const auto where =
        fmt::format("{} of {} in {}", time_text(day, i), day.date.text(), day.zone.text());
    if (slot == no_slot && day.mantissas[i] != 0)
      return reject(column,
                    fmt::format("there is no {}: if these columns are of a clock that does not "
                                "change, load the file with its offset, like --zone {}",
                                where, offset_before(day)),
                    reading);
    if (slot == no_slot) {
      fitted.findings.push_back(
          {.column = column,
           .code = FindingCode::no_such_time,
           .text = fmt::format("there is no {}, so its zero is left out", where),
           .excerpt = reading});
      continue;
    }
    ++fitted.rejected_readings;
    fitted.findings.push_back(
        {.column = column,
         .code = FindingCode::time_comes_twice,
         .text = fmt::format("{} comes twice, and the row does not say which is meant", where),
         .excerpt = reading});
  }
  return fitted;
}

}  // namespace meterline::formats
