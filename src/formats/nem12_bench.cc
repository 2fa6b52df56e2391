// Bytes of NEM12 parsed in a second: days of 30 and of 5 minutes, plain ones, and such with 400
// records.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "formats/nem12.h"

namespace meterline::formats {
namespace {

class CountingSink final : public DaySink {
 public:
  void on_day(const ReadingDay& day, int /*rejected_readings*/, const Row& /*row*/) override {
    sum += day.mantissas.back();
  }
  void on_read(const RegisterRead& /*read*/, const Row& /*row*/) override { ++rejected; }
  void on_rejected_row(const Row& /*row*/) override { ++rejected; }
  void on_finding(Finding /*finding*/) override { ++rejected; }

  std::int64_t sum = 0;
  std::int64_t rejected = 0;
};

/// Blocks of 28 days; every `variable`th day has 400 records.
std::string file(int minutes, int variable) {
  const int slots = 24 * 60 / minutes;
  std::string text = "100,NEM12,202501271200,MDP1,RET1\n";
  for (int day = 0; text.size() < (1 << 20); ++day) {
    if (day % 28 == 0)
      text += fmt::format("200,NMI{:07},E1B1,1,E1,N1,METER,KWH,{},\n", day, minutes);
    text += fmt::format("300,202501{:02}", day % 28 + 1);
    for (int slot = 0; slot < slots; ++slot) {
      const int energy = 60 + (day * 31 + slot * 97) % 900;
      text += fmt::format(",{}.{:03}", energy / 1000, energy % 1000);
    }
    const bool is_variable = variable > 0 && day % variable == 0;
    text += fmt::format(",{},,,20250201120000,20250201130000\n", is_variable ? 'V' : 'A');
    if (is_variable) text += fmt::format("400,1,20,A,,\n400,21,{},S14,32,\n", slots);
  }
  return text + "900\n";
}

void parse_nem12(benchmark::State& state) {
  const auto text = file(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const Piece piece{.text = text, .is_last = true};
  const auto opened = open_nem12(piece, {});
  for (auto _ : state) {
    CountingSink sink;
    opened->parser->parse(piece, sink);
    if (sink.rejected != 0) state.SkipWithError("a good row was rejected");
    benchmark::DoNotOptimize(sink.sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(parse_nem12)
    ->Args({30, 0})
    ->Args({5, 0})
    ->Args({30, 5})
    ->ArgNames({"minutes", "variable"});

}  // namespace
}  // namespace meterline::formats
