#include "core/reading_day.h"

#include <array>

#include "core/decimal.h"

namespace meterline {

std::string_view text_of(Quality quality) {
  constexpr std::array<std::string_view, 4> names = {"actual", "substituted", "estimated",
                                                     "missing"};
  return names.at(static_cast<std::size_t>(quality));
}

std::string_view text_of(Origin origin) { return origin == Origin::source ? "source" : "estimate"; }

std::ostream& operator<<(std::ostream& out, const ReadingDay& day) {
  out << day.meter << ' ' << day.channel << ' ' << day.date << ' ' << day.interval.minutes()
      << "min";
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
    if (day.qualities[slot] == Quality::missing) {
      out << " -";
      continue;
    }
    out << ' ' << Decimal{.mantissa = day.mantissas[slot], .exponent = day.exponent};
    if (day.qualities[slot] != Quality::actual) out << text_of(day.qualities[slot])[0];
  }
  if (day.stated) out << " stated " << *day.stated;
  if (day.origin == Origin::estimate) out << " estimate";
  if (day.facts) out << ' ' << *day.facts;
  for (const auto& run : day.notes) out << ' ' << run;
  return out;
}

}  // namespace meterline
