// Readings packed and unpacked in a second, against copying them as 8 bytes each.

#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "store/packed_day.h"

namespace meterline::store {
namespace {

ReadingDay household_day() {
  ReadingDay day;
  for (int slot = 0; slot < 48; ++slot) {
    day.mantissas.push_back(60 + slot * 97 % 350);
    day.qualities.push_back(Quality::actual);
  }
  return day;
}

void pack(benchmark::State& state) {
  const auto day = household_day();
  std::string packed;
  for (auto _ : state) {
    packed.clear();
    pack_day(day, packed);
    benchmark::DoNotOptimize(packed.data());
  }
  state.SetItemsProcessed(state.iterations() * 48);
  state.counters["bytes"] = static_cast<double>(packed.size());
}
BENCHMARK(pack);

void unpack(benchmark::State& state) {
  std::string packed;
  pack_day(household_day(), packed);
  ReadingDay day;
  for (auto _ : state) {
    if (!unpack_day(packed, day)) state.SkipWithError("a packed day was refused");
    benchmark::DoNotOptimize(day.mantissas.data());
  }
  state.SetItemsProcessed(state.iterations() * 48);
}
BENCHMARK(unpack);

void copy(benchmark::State& state) {
  const auto day = household_day();
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
