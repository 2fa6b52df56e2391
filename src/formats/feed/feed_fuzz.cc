// Any bytes at all, as a feed and a file of it: the first line end behind `===` parts them. No
// feed and no file breaks anything, and a day has readings of no slot that it has not.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "formats/feed/feed_csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

class CheckingSink final : public meterline::formats::DaySink {
 public:
  void on_day(const meterline::ReadingDay& day, int rejected,
              const meterline::formats::Row& row) override {
    const auto slots = day.mantissas.size();
    std::size_t missing = 0;
    for (const auto quality : day.qualities)
      missing += quality == meterline::Quality::missing ? 1U : 0U;
    const bool is_good = slots == day.qualities.size() && static_cast<int>(slots) == row.slots &&
                         rejected >= 0 && static_cast<std::size_t>(rejected) <= missing &&
                         !fault_of(day.notes, slots) && day.exponent <= 0 && day.exponent >= -9;
    if (!is_good) std::abort();
  }
  void on_read(const meterline::RegisterRead&, const meterline::formats::Row&) override {}
  void on_rejected_row(const meterline::formats::Row& row) override {
    if (row.slots < 1) std::abort();
  }
  void on_finding(meterline::Finding) override {}
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meterline;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find("\n===\n");
  if (cut == std::string_view::npos) return 0;
  const auto feed = formats::parse_feed(input.substr(0, cut + 1), "fuzz");
  if (!feed) return 0;
  const auto file = input.substr(cut + 5);
  if (file.empty() || file.front() == '\n' || file.front() == '\r') return 0;
  const formats::ReadOptions options{.unit = Unit::kWh, .source = "file.csv"};
  const auto opened = formats::open_feed(*feed, {.text = file, .is_last = true}, options);
  if (!opened) return 0;
  CheckingSink sink;
  opened->parser->parse({.text = file.substr(opened->bytes), .is_last = true}, sink);
  return 0;
}
