// Bytes of a feed parsed in a second: a long one, and a wide one with decimal commas and flags.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "formats/feed/feed_csv.h"

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

std::string number(int k, char decimal) {
  const int energy = 60 + k * 97 % 900;
  return fmt::format("{}{}{:03}", energy / 1000, decimal, energy % 1000);
}

constexpr std::string_view long_feed = R"(
zone = "Europe/London"
unit = "kWh"
meter.column = "Meter"
[quality]
column = "Flag"
flags = { A = "actual" }
[long]
start = { column = "Start", pattern = "yyyy-MM-dd HH:mm" }
step = 30
value = "kWh"
)";

std::string long_file() {
  std::string text = "Meter,Start,kWh,Flag\n";
  for (int k = 0; text.size() < (1 << 20); ++k)
    text += fmt::format("METER{:05},2024-06-{:02} {:02}:{:02},{},A\n", k / (28 * 48),
                        k / 48 % 28 + 1, k / 2 % 24, k % 2 * 30, number(k, '.'));
  return text;
}

constexpr std::string_view wide_feed = R"(
zone = "Europe/London"
unit = "kWh"
meter.column = "Meter"
[file]
delimiter = ";"
[numbers]
decimal = ","
[quality]
flags = { A = "actual" }
[wide]
date = { column = "Date", pattern = "dd.MM.yyyy" }
step = 30
columns = "{start}"
flags = "after"
)";

std::string wide_file() {
  std::string text = "Meter;Date";
  for (int slot = 0; slot < 48; ++slot)
    text += fmt::format(";{:02}:{:02};Flag", slot / 2, slot % 2 * 30);
  for (int day = 0; text.size() < (1 << 20); ++day) {
    text += fmt::format("\nMETER{:05};{:02}.06.2024", day / 28, day % 28 + 1);
    for (int slot = 0; slot < 48; ++slot)
      text += fmt::format(";{};A", number(day * 31 + slot, ','));
  }
  return text + '\n';
}

void parse_feed_file(benchmark::State& state, std::string_view toml, const std::string& text) {
  const auto feed = parse_feed(toml, "bench");
  const auto opened = open_feed(*feed, {.text = text, .is_last = true}, {});
  for (auto _ : state) {
    CountingSink sink;
    opened->parser->parse({.text = std::string_view(text).substr(opened->bytes), .is_last = true},
                          sink);
    if (sink.rejected != 0) state.SkipWithError("a good row was rejected");
    benchmark::DoNotOptimize(sink.sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void parse_long_feed(benchmark::State& state) { parse_feed_file(state, long_feed, long_file()); }
void parse_wide_feed(benchmark::State& state) { parse_feed_file(state, wide_feed, wide_file()); }
BENCHMARK(parse_long_feed);
BENCHMARK(parse_wide_feed);

}  // namespace
}  // namespace meterline::formats
