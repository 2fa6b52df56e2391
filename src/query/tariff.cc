#include "query/tariff.h"

#include <algorithm>

#include "core/meter_id.h"

namespace meterline::query {
namespace {

constexpr int week_days = 7;

int month_day_of(Date date) {
  const auto civil = date.civil();
  return civil.month * 100 + civil.day;
}

std::uint8_t weekday_bit(Date date) {
  const int behind_monday = (date.days() - Date::min().days()) % week_days;  // Itself a Monday.
  return static_cast<std::uint8_t>(1 << behind_monday);
}

bool is_in_season(const TariffRule& rule, int month_day) {
  return rule.seasons.empty() ||
         std::any_of(rule.seasons.begin(), rule.seasons.end(),
                     [&](const YearSpan& span) { return span.contains(month_day); });
}

void fill(DayBands& bands, std::size_t from, std::size_t to, std::uint8_t band) {
  std::fill(bands.begin() + static_cast<std::ptrdiff_t>(from),
            bands.begin() + static_cast<std::ptrdiff_t>(to), band);
}

void fill(DayBands& bands, const TariffRule& rule) {
  if (rule.times.empty()) bands.fill(rule.band);
  for (const auto& [from, to] : rule.times) {
    if (from < to) {
      fill(bands, from, to, rule.band);
      continue;
    }
    fill(bands, 0, to, rule.band);
    fill(bands, from, clock_minutes, rule.band);
  }
}

}  // namespace

bool is_tariff_name(std::string_view text) {
  return !text.empty() && text.size() <= tariff_name_chars_max && is_meter_id_text(text);
}

bool Tariff::is_holiday(Date date) const {
  return std::binary_search(holidays_.begin(), holidays_.end(), date) ||
         std::binary_search(yearly_holidays_.begin(), yearly_holidays_.end(), month_day_of(date));
}

DayBands Tariff::bands_of(Date date) const {
  const auto day = is_holiday(date) ? holiday_bit : weekday_bit(date);
  const int month_day = month_day_of(date);
  DayBands bands{};
  bands.fill(otherwise_);
  // The first rule is written last, over all others.
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule)
    if ((rule->days & day) != 0 && is_in_season(*rule, month_day)) fill(bands, *rule);
  return bands;
}

}  // namespace meterline::query
