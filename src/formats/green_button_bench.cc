// Bytes of Green Button parsed in a second: readings as exporters write them, on lines of their own
// and in one line, and such that expat reads.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/green_button.h"

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

enum Layout : std::int64_t { on_lines, in_one_line, with_entities };

std::string reading(std::int64_t start, int value, Layout layout) {
  // A value that has a reference to a character is no plain one.
  const auto digits =
      layout == with_entities ? fmt::format("{}&#48;", value) : std::to_string(value);
  const std::string_view gap = layout == in_one_line ? "" : "\n        ";
  return fmt::format(
      "{0}<espi:IntervalReading>{0}<espi:cost>974</espi:cost>{0}<espi:timePeriod>{0}"
      "<espi:duration>900</espi:duration>{0}<espi:start>{1}</espi:start>{0}</espi:timePeriod>{0}"
      "<espi:value>{2}</espi:value>{0}</espi:IntervalReading>",
      gap, start, digits);
}

std::string entry(std::string_view self, std::string_view related, std::string_view content) {
  return fmt::format(
      "<entry><link rel=\"self\" href=\"{0}\"/><link rel=\"up\" href=\"{1}\"/>"
      "<link rel=\"related\" href=\"{2}\"/><content>{3}</content>"
      "<updated>2025-01-01T00:00:00Z</updated></entry>\n",
      self, self.substr(0, self.rfind('/')), related, content);
}

/// Days of 15 minutes, each a block of its own.
std::string file(Layout layout) {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" "
      "xmlns:espi=\"http://naesb.org/espi\">";
  text += entry("/UsagePoint/12345678", "/LocalTimeParameters/1", "<espi:UsagePoint/>");
  text += entry("/LocalTimeParameters/1", "",
                "<espi:LocalTimeParameters><espi:dstEndRule>B40E2000</espi:dstEndRule>"
                "<espi:dstOffset>3600</espi:dstOffset><espi:dstStartRule>360E2000"
                "</espi:dstStartRule><espi:tzOffset>-18000</espi:tzOffset>"
                "</espi:LocalTimeParameters>");
  text += entry("/UsagePoint/12345678/MeterReading/1", "/ReadingType/1", "<espi:MeterReading/>");
  text += entry("/ReadingType/1", "",
                "<espi:ReadingType><espi:commodity>1</espi:commodity>"
                "<espi:flowDirection>1</espi:flowDirection><espi:uom>72</espi:uom>"
                "</espi:ReadingType>");
  constexpr std::int64_t first = 1735707600;  // 2025-01-01 in New York.
  for (int day = 0; text.size() < (1 << 20); ++day) {
    std::string block = "<espi:IntervalBlock>";
    for (int slot = 0; slot < 96; ++slot)
      block += reading(first + day * 86400 + slot * 900, 60 + (day * 31 + slot * 97) % 900, layout);
    text += entry(fmt::format("/UsagePoint/12345678/MeterReading/1/IntervalBlock/{}", day), "",
                  block + "</espi:IntervalBlock>");
  }
  return text + "</feed>\n";
}

void parse_green_button(benchmark::State& state) {
  const auto text = file(static_cast<Layout>(state.range(0)));
  const Piece piece{.text = text, .is_last = true};
  for (auto _ : state) {
    const auto opened = open_green_button(piece, {});
    CountingSink sink;
    opened->parser->parse(piece, sink);
    if (sink.rejected != 0) state.SkipWithError("a good row was rejected");
    benchmark::DoNotOptimize(sink.sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(parse_green_button)
    ->Arg(on_lines)
    ->Arg(in_one_line)
    ->Arg(with_entities)
    ->ArgName("layout");

}  // namespace
}  // namespace meterline::formats
