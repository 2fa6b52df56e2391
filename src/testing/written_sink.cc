#include "testing/written_sink.h"

#include <fmt/format.h>

#include <sstream>

#include "core/decimal.h"

namespace meterline::testing {
namespace {

std::string readings_text(const ReadingDay& day) {
  std::string out;
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
    if (day.qualities[slot] != Quality::missing) {
      const Decimal value{.mantissa = day.mantissas[slot], .exponent = day.exponent};
      out += ' ' + value.text();
      if (day.qualities[slot] != Quality::actual) out += text_of(day.qualities[slot]);
      continue;
    }
    const std::size_t first = slot;
    while (slot + 1 < day.mantissas.size() && day.qualities[slot + 1] == Quality::missing) ++slot;
    out += slot == first ? " -" : fmt::format(" -*{}", slot - first + 1);
  }
  return out;
}

}  // namespace

void WrittenSink::on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) {
  auto line = fmt::format("line {}: {} {} {}min", row.line, day.meter.text(), day.date.text(),
                          day.interval.minutes());
  if (day.channel.unit != Unit::unknown) line += fmt::format(" {}", text_of(day.channel.unit));
  line += ':' + readings_text(day);
  if (rejected_readings > 0) line += fmt::format(" ({} rejected)", rejected_readings);
  write(line);
}

void WrittenSink::on_read(const RegisterRead& read, const formats::Row& row) {
  std::ostringstream text;
  text << read;
  write(fmt::format("line {}: {}", row.line, text.str()));
}

void WrittenSink::on_rejected_row(const formats::Row& row) {
  write(fmt::format("line {}: rejected", row.line));
}

void WrittenSink::on_finding(Finding finding) {
  const auto column = finding.column == 0 ? "" : fmt::format(", column {}", finding.column);
  write(fmt::format("line {}{}: {} [{}]", finding.line, column, text_of(finding.code),
                    finding.excerpt));
}

}  // namespace meterline::testing
