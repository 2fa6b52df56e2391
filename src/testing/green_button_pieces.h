#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/note.h"
#include "formats/csv_rows.h"
#include "formats/green_button.h"
#include "formats/reading_text.h"
#include "testing/written_sink.h"

/// Reads Green Button as a caller of formats/ does, and writes down all that is said. Only what
/// includes this needs the reader, so it stands in a header.
namespace meterline::testing {

class GreenButtonSink : public WrittenSink {
 public:
  void on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) override {
    WrittenSink::on_day(day, rejected_readings, row);
    std::string more =
        fmt::format("  {} {} {}", day.channel.name, text_of(day.channel.flow), day.zone.text());
    if (day.stated) more += " stated " + day.stated->text();
    for (const auto& run : day.notes)
      more += fmt::format(" [{}-{} {}]", run.first, run.end, text_of(run.note));
    write(more);
    ++rows;
    days.push_back(day);
    const auto slots = day.qualities.size();
    if (fault_of(day.notes, slots)) fault = "notes that cannot be kept";
    if (static_cast<std::size_t>(row.slots) != slots) fault = "slots that are none";
    if (static_cast<std::int64_t>(slots) !=
        slots_in(day.zone.minutes_of(day.date), day.interval.minutes()))
      fault = "other slots than the day has";
    if (day.exponent > 0 || day.exponent < -formats::reading_decimals_max)
      fault = "an exponent that is none";
    for (std::size_t slot = 0; slot < slots; ++slot)
      if (day.qualities[slot] == Quality::missing && day.mantissas[slot] != 0)
        fault = "a reading that is none";
  }
  void on_read(const RegisterRead& read, const formats::Row& row) override {
    WrittenSink::on_read(read, row);
    ++rows;
    reads.push_back(read);
    if (fault_of(read)) fault = "a register read that cannot be kept";
  }
  void on_rejected_row(const formats::Row& row) override {
    WrittenSink::on_rejected_row(row);
    ++rows;
    rejected_slots += row.slots;
  }
  void on_finding(Finding finding) override {
    findings.push_back(finding);
    WrittenSink::on_finding(std::move(finding));
  }

  std::int64_t rows = 0;
  std::int64_t rejected_slots = 0;
  std::vector<ReadingDay> days;
  std::vector<RegisterRead> reads;
  std::vector<Finding> findings;
  std::string fault;  ///< Of a day or read that breaks what it promises.
};

/// The file, fed in pieces of these sizes, over and over. None may be 0.
inline GreenButtonSink green_button_says(std::string_view file,
                                         const std::vector<std::size_t>& sizes, TimeZone zone = {},
                                         const std::string& meter = "") {
  GreenButtonSink sink;
  formats::RowCutter cutter(formats::green_button_cut);
  formats::TextBuffer piece;
  std::unique_ptr<formats::Parser> parser;
  std::int64_t line = 1;
  const auto read = [&](bool is_end) {
    while (cutter.next(piece)) {
      const bool is_last = is_end && cutter.buffered() == 0;
      if (!parser) {
        auto opened = formats::open_green_button({.text = piece.text()},
                                                 {.zone = zone, .hints = {.meter = meter}});
        parser = std::move(opened->parser);
      }
      line += parser->parse({.text = piece.text(), .first_line = line, .is_last = is_last}, sink);
    }
  };
  for (std::size_t turn = 0; !file.empty(); ++turn) {
    const auto size = std::min(sizes[turn % sizes.size()], file.size());
    cutter.append(file.substr(0, size));
    file.remove_prefix(size);
    read(false);
  }
  cutter.finish();
  read(true);
  return sink;
}

}  // namespace meterline::testing
