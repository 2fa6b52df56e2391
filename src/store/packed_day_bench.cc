// Readings packed and unpacked in a second, against copying them as 8 bytes each.
//   METERLINE_BENCH_CSV=part-0000.csv store_bench
// takes the days of a file of bench/make_files, of 30 minutes in Wh; else a made-up day.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "store/packed_day.h"

namespace meterline::store {
namespace {

constexpr std::size_t days_max = 2000;

ReadingDay made_up_day() {
  ReadingDay day;
  for (int slot = 0; slot < 48; ++slot) day.mantissas.push_back(60 + slot * 97 % 350);
  day.qualities.assign(48, Quality::actual);
  return day;
}

/// The readings of a row of a meter, a date and readings.
ReadingDay day_of(const std::string& row) {
  ReadingDay day;
  std::istringstream in(row);
  std::string word;
  for (int column = 0; std::getline(in, word, ','); ++column)
    if (column >= 2) day.mantissas.push_back(std::stoll(word));
  day.qualities.assign(day.mantissas.size(), Quality::actual);
  return day;
}

std::vector<ReadingDay> days_of_bench() {
  const char* const path = std::getenv("METERLINE_BENCH_CSV");
  if (path == nullptr) return {made_up_day()};
  std::vector<ReadingDay> days;
  std::ifstream file(path);
  std::string row;
  std::getline(file, row);
  while (days.size() < days_max && std::getline(file, row)) days.push_back(day_of(row));
  if (days.empty()) days.push_back(made_up_day());
  return days;
}

std::size_t readings_of(const std::vector<ReadingDay>& days) {
  std::size_t readings = 0;
  for (const auto& day : days) readings += day.mantissas.size();
  return readings;
}

void pack(benchmark::State& state) {
  const auto days = days_of_bench();
  const auto readings = readings_of(days);
  std::string packed;
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    for (const auto& day : days) {
      packed.clear();
      benchmark::DoNotOptimize(pack_day(day, packed));
      bytes += packed.size();
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(readings));
  state.counters["bytes_per_reading"] =
      static_cast<double>(bytes) / static_cast<double>(std::max<std::size_t>(readings, 1));
}
BENCHMARK(pack);

void unpack(benchmark::State& state) {
  const auto days = days_of_bench();
  std::vector<std::string> packed(days.size());
  for (std::size_t i = 0; i < days.size(); ++i) pack_day(days[i], packed[i]);
  ReadingDay day;
  for (auto _ : state) {
    for (const auto& bytes : packed)
      if (!unpack_day(bytes, day)) state.SkipWithError("a packed day was refused");
    benchmark::DoNotOptimize(day.mantissas.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(readings_of(days)));
}
BENCHMARK(unpack);

void copy(benchmark::State& state) {
  const auto day = made_up_day();
  std::string bytes(48 * sizeof(std::int64_t), '\0');
  for (auto _ : state) {
    std::memcpy(bytes.data(), day.mantissas.data(), bytes.size());
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * 48);
}
BENCHMARK(copy);

}  // namespace
}  // namespace meterline::store
