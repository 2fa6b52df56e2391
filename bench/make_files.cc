// Makes wide CSV files of made-up consumption, the same ones for the same options:
//   make_files [--meters 10000] [--days 365] [--order meter|day] [--files 10] [--missing 0.001]
//              [--out DIR]
// `--order meter`: each file has some of the meters, and all their days. `--order day`: each file
// has some of the days, of all meters. Both hold the same rows. `--missing` is the share of
// readings that are left empty. The folder must exist.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

namespace {

constexpr int readings_per_day = 48;
constexpr std::size_t buffer_bytes = 1 << 20;

struct Options {
  int meters = 10'000;
  int days = 365;
  int files = 10;
  bool by_day = false;
  std::uint64_t missing_below = 0;  ///< Of 2^32.
  std::string out = ".";
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

/// Most in the evening, least at night; in Wh.
std::uint64_t usual(int slot) {
  const int hour = slot / 2;
  return hour < 6 ? 90 : hour < 9 ? 320 : hour < 17 ? 210 : hour < 22 ? 520 : 180;
}

void append_row(const Options& options, int meter, int day, std::string& out) {
  char number[24];
  std::snprintf(number, sizeof number, "EE%05d,", meter);
  out += number;
  out += date_text(day);
  Random random(static_cast<std::uint64_t>(meter) << 32 | static_cast<std::uint64_t>(day));
  const std::uint64_t household = 40 + Random(static_cast<std::uint64_t>(meter)).next() % 120;
  for (int slot = 0; slot < readings_per_day; ++slot) {
    const std::uint64_t bits = random.next();
    out += ',';
    if ((bits >> 32) < options.missing_below) continue;
    const std::uint64_t reading = usual(slot) * household * (50 + bits % 100) / 10'000;
    const auto end = std::to_chars(number, number + sizeof number, reading).ptr;
    out.append(number, end);
  }
  out += '\n';
}

std::string header() {
  std::string text = "Meter,Date";
  for (int slot = 0; slot < readings_per_day; ++slot)
    text += ',' + std::to_string(slot / 2) + (slot % 2 == 0 ? ":00" : ":30");
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
  std::string text = header();
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
    else if (name == "--missing")
      options.missing_below =
          static_cast<std::uint64_t>(std::strtod(value.c_str(), nullptr) * 0x1p32);
    else if (name == "--out")
      options.out = value;
    else if (name == "--order" && (value == "meter" || value == "day"))
      options.by_day = value == "day";
    else
      give_up("unknown option: " + std::string(name) + ' ' + value);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  for (int number = 0; number < options.files; ++number) write_file(options, number);
}
