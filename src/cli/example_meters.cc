#include "cli/example_meters.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "core/date.h"
#include "core/time_zone.h"
#include "core/try.h"

namespace meterline::cli {
namespace {

constexpr int slots = 48;

/// A household's half hours in Wh on an average day: quiet nights, a morning, a long evening.
constexpr std::array<int, slots> household = {
    70,  62,  58,  55,  52,  50,  50,  50,  52,  55,  60,  80,  120, 180, 220, 230,
    200, 170, 150, 140, 135, 130, 130, 140, 160, 160, 150, 140, 135, 135, 140, 160,
    190, 240, 300, 350, 380, 390, 370, 340, 310, 290, 270, 240, 200, 160, 120, 90};

/// A shop's on a day when it is open: cold rooms all the time, lights and more from nine to six.
constexpr std::array<int, slots> shop = {
    180, 180, 180, 180, 180, 180, 180, 180, 180, 180, 180, 180, 190, 210, 240, 310,
    420, 640, 760, 790, 800, 810, 820, 840, 850, 840, 830, 820, 810, 800, 800, 790,
    780, 760, 720, 560, 380, 260, 220, 200, 190, 180, 180, 180, 180, 180, 180, 180};
constexpr int shop_closed = 180;

/// What a roof gives on a clear day in June.
constexpr std::array<int, slots> sun = {
    0,   0,    0,    0,    0,    0,    0,    0,    5,    30,   90,   180,  300,  440,  590,  740,
    890, 1020, 1140, 1240, 1320, 1380, 1420, 1440, 1440, 1420, 1380, 1320, 1240, 1140, 1020, 890,
    740, 590,  440,  300,  180,  90,   30,   5,    0,    0,    0,    0,    0,    0,    0,    0};
/// Parts of a hundred that a month gives of that.
constexpr std::array<int, 12> suns = {18, 30, 52, 74, 92, 100, 97, 84, 62, 40, 22, 14};

constexpr int late_meter = 77;
constexpr int gap_meter = 42;
constexpr int corrected_meter = 27;

/// Parts of a hundred that a month uses of the average one: dark months use more.
constexpr std::array<int, 12> seasons = {135, 128, 115, 98, 82, 72, 70, 74, 86, 102, 120, 133};

/// A small generator of even numbers (splitmix64), so that the files are the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t limit) {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return (mixed ^ (mixed >> 31)) % limit;
  }

 private:
  std::uint64_t state_;
};

std::string header() {
  std::string line = "Meter,Date";
  for (int slot = 0; slot < slots; ++slot)
    line += fmt::format(",{}:{:02}", slot / 2, slot % 2 * 30);
  return line + '\n';
}

Random random_of(int meter, Date date) {
  return Random(static_cast<std::uint64_t>(meter) << 32 | static_cast<std::uint32_t>(date.days()));
}

std::uint64_t of_month(const std::array<int, 12>& parts, Date date) {
  return static_cast<std::uint64_t>(parts.at(static_cast<std::size_t>(date.civil().month) - 1));
}

bool is_shop(int meter) { return meter % 20 == 3; }

/// Whether its files have the day at all.
bool has_day(int meter, Date date) {
  const auto [year, month, day] = date.civil();
  if (meter == gap_meter) return month != 8 || day < 10 || day > 23;
  return meter != late_meter || month < 11 || (month == 11 && day <= 20);
}

/// In Wh, on average.
int average_of(int meter, Date date, std::size_t slot) {
  if (!is_shop(meter)) return household.at(slot);
  constexpr int sunday = 3;  // 1970-01-01 was a Thursday.
  return date.days() % 7 == sunday ? shop_closed : shop.at(slot);
}

enum class Edition { first, corrected };

void append_energy(std::uint64_t watt_hours, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}.{:03}", watt_hours / 1000, watt_hours % 1000);
}

void append_row(int meter, Date date, Edition edition, std::string& out) {
  Random random = random_of(meter, date);
  const auto size = 60 + static_cast<std::uint64_t>(meter) * 37 % 120;  // Parts of a hundred.
  const auto season = is_shop(meter) ? 100 : of_month(seasons, date);
  fmt::format_to(std::back_inserter(out), "EX{:05},{}", meter, date.text());
  for (std::size_t slot = 0; slot < slots; ++slot) {
    out += ',';
    if (random.below(2000) == 0) continue;  // Now and then a reading is missing.
    auto energy = static_cast<std::uint64_t>(average_of(meter, date, slot)) * size * season *
                  (50 + random.below(100)) / 1'000'000;
    constexpr std::size_t evening = 34;
    if (edition == Edition::corrected && slot >= evening) energy += energy / 4;
    append_energy(energy, out);
  }
  out += '\n';
}

/// A half hour of the house in London: what it takes from the grid, and what it gives.
struct House {
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
};

House house_at(Date date, std::size_t slot, std::uint64_t clearness, Random& random) {
  const auto used = static_cast<std::uint64_t>(household.at(slot)) * of_month(seasons, date) *
                    (60 + random.below(80)) / 10'000;
  const auto made =
      static_cast<std::uint64_t>(sun.at(slot)) * of_month(suns, date) * clearness / 10'000;
  return {.taken = used > made ? used - made : 0, .given = made > used ? made - used : 0};
}

/// Its readings of a day, each with its time and the offset from UTC.
void append_house(Date date, TimeZone zone, std::string& out) {
  constexpr int house = 0;
  constexpr int minutes = 30;
  Random random = random_of(house, date);
  const auto clearness = 25 + random.below(75);
  const bool is_estimated = random.below(30) == 0;
  for (int minute = 0; minute < zone.minutes_of(date); minute += minutes) {
    const auto slot = static_cast<std::size_t>(zone.shown_minute(date, minute) / minutes);
    const House half_hour = house_at(date, slot, clearness, random);
    const std::string start = zone.label(date, minute);
    for (const auto& [flow, energy] :
         {std::pair("import", half_hour.taken), std::pair("export", half_hour.given)}) {
      fmt::format_to(std::back_inserter(out), "EX-SOLAR-LONDON,{},", start);
      append_energy(energy, out);
      fmt::format_to(std::back_inserter(out), ",kWh,{},{}\n", flow, is_estimated ? 'E' : 'A');
    }
  }
}

std::string month_file(const ExampleMeters& example, Month month) {
  std::string text = header();
  for (int meter = 1; meter <= example.meters; ++meter) {
    Date date = month.first_day();
    for (int day = 0; day < month.days(); ++day, date = date.next())
      if (has_day(meter, date)) append_row(meter, date, Edition::first, text);
  }
  return text;
}

/// A week in June.
std::string corrected_file(Date date) {
  constexpr int days = 7;
  std::string text = header();
  for (int day = 0; day < days; ++day, date = date.next())
    append_row(corrected_meter, date, Edition::corrected, text);
  return text;
}

std::string solar_file(Date first, Date last, TimeZone zone) {
  std::string text = "Meter ID,Interval Start,Energy,Unit,Flow,Status\n";
  for (Date date = first; date <= last; date = date.next()) append_house(date, zone, text);
  return text;
}

/// Renamed when it is whole, so that a file that is there is a whole one.
Result<void> write_file(const std::filesystem::path& file, const std::string& text) {
  auto unfinished = file;
  unfinished += ".part";
  std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(unfinished, file, error);
  if (!out || error)
    return fail(Errc::unavailable,
                fmt::format("cannot write {}; is the disk full?", file.string()));
  return {};
}

bool is_there(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

Result<Date> day_of(const ExampleMeters& example, int month, int day) {
  const auto date = Date::from_civil({.year = example.year, .month = month, .day = day});
  if (!date) return fail(Errc::invalid_argument, "the example's year is out of range");
  return *date;
}

Result<void> write_months(const ExampleMeters& example, const std::filesystem::path& folder) {
  for (int number = 1; number <= 12; ++number) {
    const auto file = folder / fmt::format("{}-{:02}.csv", example.year, number);
    if (is_there(file)) continue;
    METERLINE_TRY(const auto first, day_of(example, number, 1));
    METERLINE_CHECK(write_file(file, month_file(example, Month::of(first))));
  }
  return {};
}

Result<void> write_others(const ExampleMeters& example, const ExampleFiles& files) {
  METERLINE_TRY(const auto corrected, day_of(example, 6, 10));
  if (!is_there(files.corrected))
    METERLINE_CHECK(write_file(files.corrected, corrected_file(corrected)));
  METERLINE_TRY(const auto zone, TimeZone::parse("Europe/London"));
  METERLINE_TRY(const auto first, day_of(example, 1, 1));
  METERLINE_TRY(const auto last, day_of(example, 12, 31));
  if (!is_there(files.solar))
    METERLINE_CHECK(write_file(files.solar, solar_file(first, last, zone)));
  return {};
}

}  // namespace

Result<ExampleFiles> write_example_files(const ExampleMeters& example,
                                         const std::filesystem::path& folder) {
  ExampleFiles files{.months = folder / "files",
                     .corrected = folder / "corrected.csv",
                     .solar = folder / "solar.csv"};
  std::error_code error;
  std::filesystem::create_directories(files.months, error);
  if (error)
    return fail(Errc::unavailable, fmt::format("cannot make the folder {}: {}",
                                               files.months.string(), error.message()));
  METERLINE_CHECK(write_months(example, files.months));
  METERLINE_CHECK(write_others(example, files));
  return files;
}

}  // namespace meterline::cli
