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
#include "formats/ase_xml.h"
#include "formats/csv_rows.h"
#include "formats/loose_mdff.h"
#include "formats/nem12.h"
#include "formats/nem13.h"
#include "testing/written_sink.h"

/// Reads NEM12, NEM13 and aseXML around them as a caller of formats/ does, and writes down all that
/// is said. Only what includes this needs the readers, so it stands in a header.
namespace meterline::testing {

class MdffSink : public WrittenSink {
 public:
  void on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) override {
    WrittenSink::on_day(day, rejected_readings, row);
    std::string more = fmt::format("  {} {}", day.channel.name, text_of(day.channel.flow));
    if (day.stated) more += " stated " + day.stated->text();
    for (const auto& run : day.notes)
      more += fmt::format(" [{}-{} {}]", run.first, run.end, text_of(run.note));
    write(more);
    ++rows;
    days.push_back(day);
    if (fault_of(day.notes, day.qualities.size())) fault = "notes that cannot be kept";
    if (static_cast<std::size_t>(row.slots) != day.qualities.size()) fault = "slots that are none";
    for (std::size_t slot = 0; slot < day.qualities.size(); ++slot)
      if (day.mantissas[slot] < 0 ||
          (day.qualities[slot] == Quality::missing && day.mantissas[slot] != 0))
        fault = "a reading that is none";
  }
  void on_read(const RegisterRead& read, const formats::Row& row) override {
    WrittenSink::on_read(read, row);
    ++rows;
    reads.push_back(read);
    if (fault_of(read)) fault = "a register read that cannot be kept";
    if (row.slots != 0) fault = "a register read has no slots";
  }
  void on_rejected_row(const formats::Row& row) override {
    WrittenSink::on_rejected_row(row);
    ++rows;
  }

  std::int64_t rows = 0;
  std::vector<ReadingDay> days;
  std::vector<RegisterRead> reads;
  std::string fault;  ///< Of a day or read that breaks what it promises.
};

struct MdffSaid {
  std::string text;
  std::int64_t rows = 0;
  std::vector<ReadingDay> days;
  std::vector<RegisterRead> reads;
  std::string fault;
};

/// The file, fed in pieces of these sizes, over and over. None may be 0.
inline MdffSaid mdff_says(const formats::Format& format, std::string_view file,
                          const std::vector<std::size_t>& sizes) {
  MdffSink sink;
  const auto empty = std::min(file.find_first_not_of("\r\n"), file.size());
  std::int64_t line = 1 + std::count(file.begin(), file.begin() + empty, '\n');
  file.remove_prefix(empty);
  formats::RowCutter cutter(format.cut);
  formats::TextBuffer piece;
  std::unique_ptr<formats::Parser> parser;
  const auto read = [&](bool is_end) {
    while (cutter.next(piece)) {
      const bool is_last = is_end && cutter.buffered() == 0;
      if (!parser) {
        auto opened = format.open({.text = piece.text(), .first_line = line}, {});
        for (auto& finding : opened->findings) sink.on_finding(std::move(finding));
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
  return {.text = sink.text(),
          .rows = sink.rows,
          .days = sink.days,
          .reads = sink.reads,
          .fault = sink.fault};
}

inline MdffSaid nem12_says(std::string_view file, const std::vector<std::size_t>& sizes) {
  return mdff_says(
      {.name = formats::nem12_name, .cut = formats::nem12_cut, .open = formats::open_nem12}, file,
      sizes);
}
inline MdffSaid nem13_says(std::string_view file, const std::vector<std::size_t>& sizes) {
  return mdff_says(
      {.name = formats::nem13_name, .cut = formats::nem13_cut, .open = formats::open_nem13}, file,
      sizes);
}
inline MdffSaid ase_xml_says(std::string_view file, const std::vector<std::size_t>& sizes) {
  return mdff_says(
      {.name = formats::ase_xml_name, .cut = formats::ase_xml_cut, .open = formats::open_ase_xml},
      file, sizes);
}
inline MdffSaid loose_mdff_says(std::string_view file, const std::vector<std::size_t>& sizes) {
  return mdff_says({.name = formats::loose_mdff_name,
                    .cut = formats::loose_mdff_cut,
                    .open = formats::open_loose_mdff},
                   file, sizes);
}

}  // namespace meterline::testing
