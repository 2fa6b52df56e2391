// Makes wide CSV files of made-up consumption, the same ones for the same options:
//   make_files [--meters 10000] [--days 365] [--order meter|day] [--files 10] [--seed 0]
//              [--model plain|household] [--minutes 30] [--unit Wh|kWh]
//              [--missing 0] [--missing-days 0] [--part N] [--out DIR]
// `--order meter`: each file has some of the meters, and all their days. `--order day`: each file
// has some of the days, of all meters. Both hold the same rows, and `--files 1` the same in one
// file. `--model plain`: even noise about a few steps of the day. `--model household`: households
// of four kinds, with seasons, days away from home, appliances. `--minutes` is the interval.
// `--unit kWh` writes the same energy with three decimals. `--missing` is the share of readings
// that are left empty, `--missing-days` that of rows that are left out. `--part`, from 1, makes
// that one of the files only. The folder must exist.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <string>
#include <string_view>

namespace {

constexpr int minutes_per_day = 24 * 60;
constexpr std::size_t buffer_bytes = 1 << 20;

enum class Model { plain, household };
enum class Unit { Wh, kWh };

struct Options {
  int meters = 10'000;
  int days = 365;
  int files = 10;
  int part = 0;  ///< From 1; 0: all files.
  bool by_day = false;
  Model model = Model::plain;
  Unit unit = Unit::Wh;
  int minutes = 30;
  std::uint64_t seed = 0;
  std::uint64_t missing_below = 0;       ///< Of 2^32.
  std::uint64_t missing_days_below = 0;  ///< Of 2^32.
  std::string out = ".";

  int slots() const { return minutes_per_day / minutes; }
};

/// SplitMix64: every row has a sequence of its own, so the order of rows does not matter.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

 private:
  std::uint64_t state_;
};

[[noreturn]] void give_up(const std::string& message) {
  std::cerr << "make_files: " << message << '\n';
  std::exit(2);
}

/// The date that is `days` after 2019-01-01, as yyyy-MM-dd.
std::string date_text(int days) {
  constexpr int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year = 2019;
  const auto is_leap = [&] { return year % 4 == 0; };  // Right from 1901 to 2099.
  for (; days >= 365 + is_leap(); ++year) days -= 365 + is_leap();
  int month = 0;
  for (int length; days >= (length = month_days[month] + (month == 1 && is_leap())); ++month)
    days -= length;
  char text[sizeof "yyyy-MM-dd"];
  std::snprintf(text, sizeof text, "%04u-%02u-%02u", unsigned(year) % 10000,
                unsigned(month + 1) % 100, unsigned(days + 1) % 100);
  return text;
}

/// A sequence that belongs to the seed and these two numbers, of which the second may be negative.
Random random_of(const Options& options, int first, int second) {
  const auto number = static_cast<std::uint64_t>(first) << 32 | static_cast<std::uint32_t>(second);
  return Random(number ^ options.seed * 0xd1342543de82ef95);
}

/// Most in the evening, least at night; in Wh of half an hour.
std::uint64_t usual(int hour) {
  return hour < 6 ? 90 : hour < 9 ? 320 : hour < 17 ? 210 : hour < 22 ? 520 : 180;
}

/// What a household uses in each hour of a day, in 1/256 of its scale.
using Shape = std::array<std::uint16_t, 24>;
constexpr Shape shapes[] = {
    // At home all day.
    {66,  55,  51,  50,  53,  70,  150, 225, 185, 145, 132, 135,
     155, 142, 135, 150, 215, 325, 385, 355, 300, 255, 180, 105},
    // Out at work.
    {57, 50, 50, 52,  65,  110, 230, 210, 115, 87,  80,  90,
     97, 87, 87, 130, 245, 360, 400, 365, 290, 210, 130, 77},
    // Night storage heating.
    {310, 325, 310, 250, 135, 85,  100, 145, 135, 117, 110, 112,
     122, 117, 110, 120, 155, 215, 255, 250, 210, 185, 205, 275},
    // A small business.
    {60,  60,  60,  61,  67,  102, 195, 275, 315, 327, 330, 322,
     312, 320, 310, 277, 210, 135, 95,  77,  70,  66,  61,  60},
};

struct Household {
  const Shape& shape;
  std::uint64_t scale;  ///< Wh of half an hour where the shape is at 256.
  std::uint64_t noise;  ///< Wh of half an hour that no shape explains.
};

Household household_of(const Options& options, int meter) {
  auto random = random_of(options, meter, -1);
  const std::uint64_t kind = random.next() % 100;
  const std::uint64_t size = random.next();
  return {.shape = shapes[kind < 45   ? 0
                          : kind < 80 ? 1
                          : kind < 92 ? 2
                                      : 3],
          .scale = 140 + size % 500 + ((size >> 32) % 40 == 0 ? 1500 : 0),
          .noise = 40 + random.next() % 80};
}

/// Most in the middle of January, least in July, in 1/256.
std::uint64_t season(int day) {
  const int from_july = std::abs((day + 365 - 15) % 365 - 182);
  return 166 + static_cast<std::uint64_t>(from_july);
}

/// The readings of a row, one after the other, in Wh.
class PlainDay {
 public:
  PlainDay(const Options& options, int meter, int /*day*/)
      : minutes_(static_cast<std::uint64_t>(options.minutes)),
        household_(40 + random_of(options, 0, meter).next() % 120) {}
  std::uint64_t reading(int slot, std::uint64_t bits) const {
    const int hour = slot * static_cast<int>(minutes_) / 60;
    return usual(hour) * household_ * (50 + bits % 100) / 10'000 * minutes_ / 30;
  }

 private:
  std::uint64_t minutes_;
  std::uint64_t household_;
};

class HouseholdDay {
 public:
  HouseholdDay(const Options& options, int meter, int day)
      : household_(household_of(options, meter)), minutes_(options.minutes) {
    auto random = random_of(options, meter, -2 - day);
    const std::uint64_t bits = random.next();
    const bool is_away = (bits >> 20) % 50 == 0;
    scale_ = household_.scale * (is_away ? 30 : 200 + bits % 128) * season(day) >> 16;
    cooking_ = static_cast<int>((bits >> 32) % minutes_per_day);
    cooking_end_ = cooking_ + 30 * static_cast<int>(1 + (bits >> 52) % 4);
  }

  std::uint64_t reading(int slot, std::uint64_t bits) const {
    const int minute = slot * minutes_;
    const std::uint64_t base = scale_ * shape_at(minute) >> 8;
    const auto byte = [&](int n) { return bits >> (8 * n) & 0xff; };
    if (byte(3) == 0xff) return 0;
    std::uint64_t wh = base * (128 + (byte(0) + byte(1)) / 2) >> 8;
    wh += byte(2) * household_.noise >> 7;
    if (byte(3) < 3) wh += 400 + byte(0) * 4;
    if (minute >= cooking_ && minute < cooking_end_) wh += 300 + byte(1) * 2;
    return wh * static_cast<std::uint64_t>(minutes_) / 30;
  }

 private:
  /// On a straight line from hour to hour.
  std::uint64_t shape_at(int minute) const {
    const auto hour = static_cast<std::size_t>(minute / 60);
    const auto past = static_cast<std::uint64_t>(minute % 60);
    return (household_.shape[hour] * (60 - past) + household_.shape[(hour + 1) % 24] * past) / 60;
  }

  Household household_;
  int minutes_;
  std::uint64_t scale_ = 0;
  int cooking_ = 0;      ///< Minute of the day.
  int cooking_end_ = 0;  ///< Exclusive.
};

void append_energy(Unit unit, std::uint64_t wh, std::string& out) {
  char digits[24];
  const auto append = [&](std::uint64_t value) {
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  };
  if (unit == Unit::Wh) return append(wh);
  append(wh / 1000);
  const auto thousandths = static_cast<int>(wh % 1000);
  out +=
      {'.', static_cast<char>('0' + thousandths / 100),
       static_cast<char>('0' + thousandths / 10 % 10), static_cast<char>('0' + thousandths % 10)};
}

template <class Day>
void append_readings(const Options& options, int meter, int day, std::string& out) {
  const Day made_up(options, meter, day);
  auto random = random_of(options, meter, day);
  for (int slot = 0; slot < options.slots(); ++slot) {
    const std::uint64_t bits = random.next();
    out += ',';
    if ((bits >> 32) < options.missing_below) continue;
    append_energy(options.unit, made_up.reading(slot, bits), out);
  }
}

bool is_left_out(const Options& options, int meter, int day) {
  if (options.missing_days_below == 0) return false;
  return random_of(options, day, meter).next() >> 32 < options.missing_days_below;
}

void append_row(const Options& options, int meter, int day, std::string& out) {
  if (is_left_out(options, meter, day)) return;
  char number[24];
  std::snprintf(number, sizeof number, "EE%05d,", meter);
  out += number;
  out += date_text(day);
  if (options.model == Model::plain)
    append_readings<PlainDay>(options, meter, day, out);
  else
    append_readings<HouseholdDay>(options, meter, day, out);
  out += '\n';
}

std::string header(const Options& options) {
  std::string text = "Meter,Date";
  for (int minute = 0; minute < minutes_per_day; minute += options.minutes) {
    text += ',' + std::to_string(minute / 60) + (minute % 60 < 10 ? ":0" : ":");
    text += std::to_string(minute % 60);
  }
  return text + '\n';
}

struct Range {
  int begin;
  int end;
};

/// The part that one of `files` files has of `count` things.
Range part_of(int count, int file, int files) {
  const auto at = [&](int n) { return static_cast<int>(std::int64_t{count} * n / files); };
  return {at(file), at(file + 1)};
}

void write_file(const Options& options, int number) {
  char name[32];
  std::snprintf(name, sizeof name, "/part-%04d.csv", number);
  std::ofstream file(options.out + name, std::ios::binary);
  std::string text = header(options);
  const auto row = [&](int meter, int day) {
    append_row(options, meter, day, text);
    if (text.size() < buffer_bytes) return;
    file << text;
    text.clear();
  };
  const Range part = part_of(options.by_day ? options.days : options.meters, number, options.files);
  for (int outer = part.begin; outer < part.end; ++outer)
    for (int inner = 0; inner < (options.by_day ? options.meters : options.days); ++inner)
      options.by_day ? row(inner, outer) : row(outer, inner);
  file << text;
  file.close();
  if (!file) give_up("cannot write " + options.out + name);
}

int count_of(std::string_view name, const std::string& text, int max) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > max)
    give_up(std::string(name) + ": want 1 to " + std::to_string(max) + ", got " + text);
  return count;
}

std::uint64_t share_of(const std::string& text) {
  return static_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr) * 0x1p32);
}

/// Which of `choices` the text is; -1 for none.
int choice_of(const std::string& text, std::initializer_list<std::string_view> choices) {
  const auto* const found = std::find(choices.begin(), choices.end(), text);
  return found == choices.end() ? -1 : static_cast<int>(found - choices.begin());
}

/// false: there is no such option, or it has no such choice.
bool set_choice(std::string_view name, const std::string& value, Options& options) {
  int choice = -1;
  if (name == "--order") {
    choice = choice_of(value, {"meter", "day"});
    options.by_day = choice == 1;
  } else if (name == "--model") {
    choice = choice_of(value, {"plain", "household"});
    options.model = static_cast<Model>(choice);
  } else if (name == "--unit") {
    choice = choice_of(value, {"Wh", "kWh"});
    options.unit = static_cast<Unit>(choice);
  } else if (name == "--minutes") {
    choice = choice_of(value, {"5", "10", "15", "30", "60"});
    options.minutes = std::atoi(value.c_str());
  }
  return choice >= 0;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) give_up(std::string(name) + " wants a value");
    const std::string value = argv[i + 1];
    if (name == "--meters")
      options.meters = count_of(name, value, 100'000);
    else if (name == "--days")
      options.days = count_of(name, value, 20'000);
    else if (name == "--files")
      options.files = count_of(name, value, 10'000);
    else if (name == "--part")
      options.part = count_of(name, value, 10'000);
    else if (name == "--seed")
      options.seed = std::strtoull(value.c_str(), nullptr, 10);
    else if (name == "--missing")
      options.missing_below = share_of(value);
    else if (name == "--missing-days")
      options.missing_days_below = share_of(value);
    else if (name == "--out")
      options.out = value;
    else if (!set_choice(name, value, options))
      give_up("unknown option: " + std::string(name) + ' ' + value);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  for (int number = 0; number < options.files; ++number)
    if (options.part == 0 || options.part == number + 1) write_file(options, number);
}
