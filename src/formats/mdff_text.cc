#include "formats/mdff_text.h"

#include <algorithm>
#include <utility>

#include "formats/nem12.h"
#include "formats/nem13.h"

namespace meterline::formats {
namespace {

constexpr std::size_t piece_bytes = std::size_t{256} << 10;

}  // namespace

MdffText::MdffText(bool is_nem12)
    : open_(is_nem12 ? open_nem12 : open_nem13), cutter_(is_nem12 ? nem12_cut : nem13_cut) {}

void MdffText::add(std::string_view text, std::int64_t line, DaySink& sink) {
  if (line_ == 0) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty()) return;
    line_ = line;
  }
  row_ += text;
  if (text.ends_with('\n') || row_.size() > row_bytes_max) take_row(sink);
}

void MdffText::take_row(DaySink& sink) {
  has_rows_ = true;
  cutter_.append(row_);
  fed_ += row_.size();
  row_.clear();
  if (fed_ >= piece_bytes) read(false, sink);
}

void MdffText::read(bool is_end, DaySink& sink) {
  fed_ = 0;
  while (cutter_.next(piece_)) {
    const Piece piece{
        .text = piece_.text(), .first_line = line_, .is_last = is_end && cutter_.buffered() == 0};
    if (!parser_) {
      auto opened = open_(piece, {});
      for (auto& finding : opened->findings) sink.on_finding(std::move(finding));
      parser_ = std::move(opened->parser);
    }
    line_ += parser_->parse(piece, sink);
  }
}

}  // namespace meterline::formats
