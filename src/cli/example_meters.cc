#include "cli/example_meters.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "core/date.h"

namespace meterline::cli {
namespace {

constexpr int slots = 48;

/// A household's half hours in Wh on an average day: quiet nights, a morning, a long evening.
constexpr std::array<int, slots> household = {
    70,  62,  58,  55,  52,  50,  50,  50,  52,  55,  60,  80,  120, 180, 220, 230,
    200, 170, 150, 140, 135, 130, 130, 140, 160, 160, 150, 140, 135, 135, 140, 160,
    190, 240, 300, 350, 380, 390, 370, 340, 310, 290, 270, 240, 200, 160, 120, 90};

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

void append_row(int meter, Date date, std::string& out) {
  Random random(static_cast<std::uint64_t>(meter) << 32 | static_cast<std::uint32_t>(date.days()));
  const auto size = 60 + static_cast<std::uint64_t>(meter) * 37 % 120;  // Parts of a hundred.
  const auto season =
      static_cast<std::uint64_t>(seasons.at(static_cast<std::size_t>(date.civil().month) - 1));
  fmt::format_to(std::back_inserter(out), "EX{:05},{}", meter, date.text());
  for (const int average : household) {
    out += ',';
    if (random.below(2000) == 0) continue;  // Now and then a reading is missing.
    const auto energy =
        static_cast<std::uint64_t>(average) * size * season * (50 + random.below(100)) / 1'000'000;
    fmt::format_to(std::back_inserter(out), "{}.{:03}", energy / 1000, energy % 1000);
  }
  out += '\n';
}

std::string month_file(const ExampleMeters& example, Month month) {
  std::string text = header();
  for (int meter = 1; meter <= example.meters; ++meter) {
    Date date = month.first_day();
    for (int day = 0; day < month.days(); ++day, date = date.next()) append_row(meter, date, text);
  }
  return text;
}

}  // namespace

Result<void> write_example_files(const ExampleMeters& example,
                                 const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail(Errc::unavailable,
                fmt::format("cannot make the folder {}: {}", folder.string(), error.message()));
  for (int number = 1; number <= 12; ++number) {
    const auto file = folder / fmt::format("{}-{:02}.csv", example.year, number);
    if (std::filesystem::exists(file, error)) continue;
    const auto first = Date::from_civil({.year = example.year, .month = number, .day = 1});
    if (!first) return fail(Errc::invalid_argument, "the example's year is out of range");
    // Renamed when it is whole, so that a file that is there is a whole one.
    auto unfinished = file;
    unfinished += ".part";
    std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
    out << month_file(example, Month::of(*first));
    out.close();
    if (out) std::filesystem::rename(unfinished, file, error);
    if (!out || error)
      return fail(Errc::unavailable,
                  fmt::format("cannot write {}; is the disk full?", file.string()));
  }
  return {};
}

}  // namespace meterline::cli
