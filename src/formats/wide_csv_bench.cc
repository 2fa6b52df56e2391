// Bytes of CSV parsed in a second, against counting its line ends in the same run.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "formats/wide_csv.h"

namespace meterline::formats {
namespace {

class CountingSink final : public DaySink {
 public:
  void on_day(const ReadingDay& day, int /*rejected_readings*/, const Row& /*row*/) override {
    sum += day.mantissas.back();
  }
  void on_read(const RegisterRead& /*read*/, const Row& /*row*/) override { ++rejected; }
  void on_rejected_row(const Row& /*row*/) override { ++rejected; }
  void on_finding(Finding /*finding*/) override {}

  std::int64_t sum = 0;
  std::int64_t rejected = 0;
};

std::string header() {
  std::string line = "Meter,Date";
  for (int slot = 0; slot < 48; ++slot) line += fmt::format(",{}:{:02}", slot / 2, slot % 2 * 30);
  return line;
}

/// Rows of household readings: whole Wh, or kWh with three decimals.
std::string rows(int decimals) {
  std::string text;
  for (int row = 0; row < 4000; ++row) {
    text += fmt::format("EE{:05},2019-01-{:02}", row / 28, row % 28 + 1);
    for (int slot = 0; slot < 48; ++slot) {
      const int energy = 60 + (row * 31 + slot * 97) % 900;
      text += decimals == 0 ? fmt::format(",{}", energy)
                            : fmt::format(",{}.{:03}", energy / 1000, energy % 1000);
    }
    text += '\n';
  }
  return text;
}

void parse(benchmark::State& state) {
  const auto text = rows(static_cast<int>(state.range(0)));
  const auto csv = WideCsv::create(header(), Unit::kWh);
  for (auto _ : state) {
    CountingSink sink;
    csv->parser.parse({.text = text}, sink);
    if (sink.rejected != 0) state.SkipWithError("a good row was rejected");
    benchmark::DoNotOptimize(sink.sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(parse)->Arg(0)->Arg(3)->ArgName("decimals");

void count_line_ends(benchmark::State& state) {
  const auto text = rows(0);
  for (auto _ : state) benchmark::DoNotOptimize(std::count(text.begin(), text.end(), '\n'));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(count_line_ends);

}  // namespace
}  // namespace meterline::formats
