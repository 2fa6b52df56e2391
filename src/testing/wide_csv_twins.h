#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/try.h"
#include "formats/csv_rows.h"
#include "formats/recognise.h"
#include "formats/wide_csv.h"
#include "testing/naive_wide_csv.h"
#include "testing/written_sink.h"

/// Runs the two parsers of wide CSV over the same file and writes down all they say, to the last
/// bit. Only what includes this needs the fast one, so it stands in a header.
namespace meterline::testing {

class TwinSink : public WrittenSink {
 public:
  void on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) override {
    WrittenSink::on_day(day, rejected_readings, row);
    write(fmt::format("  {} mantissas, {} qualities, exponent {}, {} {}", day.mantissas.size(),
                      day.qualities.size(), day.exponent, day.channel.name,
                      text_of(day.channel.flow)));
    for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot)
      if (day.qualities[slot] == Quality::missing && day.mantissas[slot] != 0)
        write(fmt::format("  slot {} is missing but not 0", slot));
    for (const auto label : row.labels) write(fmt::format("  label {:x}", label));
    write_row(row);
  }
  void on_rejected_row(const formats::Row& row) override {
    WrittenSink::on_rejected_row(row);
    write_row(row);
  }

 private:
  void write_row(const formats::Row& row) {
    write(fmt::format("  {} slots, {} bytes: {}", row.slots, row.text.size(), row.text));
  }
};

/// Parses a file as a caller of formats/ does, fed in pieces of these sizes, over and over. None
/// may be 0.
/// Errors: `refused`, as recognise() and WideCsv::create() do, and for other formats.
inline Result<void> parse_in_pieces(std::string_view file, const std::vector<std::size_t>& sizes,
                                    Unit unit, formats::DaySink& sink) {
  METERLINE_TRY(const auto known, formats::recognise(file.substr(0, formats::recognise_bytes)));
  if (known.format->name != "wide-csv") return fail(Errc::refused, "another format");
  file.remove_prefix(known.byte_order_mark);

  std::int64_t line = 1;
  auto header = formats::first_row(file);
  for (; header.text.empty(); header = formats::first_row(file)) {
    line += header.lines;
    file.remove_prefix(header.bytes);
  }
  METERLINE_TRY(auto read, formats::WideCsv::create(header.text, unit));
  for (auto& finding : read.findings) sink.on_finding(std::move(finding));
  file.remove_prefix(header.bytes);
  line += header.lines;

  formats::RowCutter cutter(known.format->cut);
  formats::TextBuffer piece;
  const auto parse_whole = [&] {
    while (cutter.next(piece))
      line += read.parser.parse({.text = piece.text(), .first_line = line}, sink);
  };
  for (std::size_t turn = 0; !file.empty(); ++turn) {
    const auto size = std::min(sizes[turn % sizes.size()], file.size());
    cutter.append(file.substr(0, size));
    file.remove_prefix(size);
    parse_whole();
    if (cutter.buffered() > formats::row_bytes_max + 2)
      return fail(Errc::too_large, "the cutter holds more than it may");
  }
  cutter.finish();
  parse_whole();
  return {};
}

/// What a parse wrote down, or that it refused the file, whatever the reason.
inline std::string said(const Result<void>& parsed, const TwinSink& sink) {
  if (parsed) return sink.text();
  return parsed.error().code == Errc::refused ? "refused" : parsed.error().message;
}

inline std::string naive_says(std::string_view file) {
  TwinSink sink;
  const auto parsed = parse_naive_wide_csv(file, Unit::kWh, sink);
  return said(parsed, sink);
}

inline std::string fast_says(std::string_view file, const std::vector<std::size_t>& sizes) {
  TwinSink sink;
  const auto parsed = parse_in_pieces(file, sizes, Unit::kWh, sink);
  return said(parsed, sink);
}

}  // namespace meterline::testing
