#include "ingest/file_reader.h"

#include <algorithm>

#include "core/try.h"
#include "formats/csv_rows.h"
#include "formats/recognise.h"

namespace meterline::ingest {
namespace {

/// Read and parsed at a time: large enough to be worth a thread, small enough for the caches.
constexpr std::size_t piece_bytes = 512 << 10;

}  // namespace

FileReader::FileReader(const Options& options, ChannelTable& channels, RowSorter& sorter,
                       FileContent& content)
    : options_(options), channels_(channels), sorter_(sorter), content_(content) {}

Result<void> FileReader::read(std::string head, source::ByteSource& bytes) {
  METERLINE_TRY(const auto recognised, formats::recognise(head));
  content_.format = recognised.format;
  head.erase(0, recognised.byte_order_mark);
  return read_pieces(bytes, std::move(head));
}

/// Reads on from `text`, the start of the file, to its end.
Result<void> FileReader::read_pieces(source::ByteSource& bytes, std::string text) {
  formats::RowCutter cutter;
  std::string piece;
  cutter.append(text);
  text.resize(piece_bytes);
  for (bool is_end = false; !is_end;) {
    METERLINE_TRY(const auto count, bytes.read(text));
    is_end = count == 0;
    if (is_end)
      cutter.finish();
    else
      cutter.append({text.data(), count});
    if (cutter.buffered() < piece_bytes / 2 && !is_end) continue;
    while (cutter.next(piece)) METERLINE_CHECK(take_piece(std::move(piece)));
  }
  while (!parsing_.empty()) METERLINE_CHECK(finish_first());
  if (!parser_) return fail(Errc::refused, "the file is empty");
  return {};
}

Result<void> FileReader::take_piece(std::string piece) {
  std::string_view rows = piece;
  if (!parser_) {
    METERLINE_TRY(rows, take_header(piece));
  }
  if (rows.empty()) return {};
  const auto rows_at = static_cast<std::size_t>(rows.data() - piece.data());
  return start(std::move(piece), rows_at);
}

/// Reads the header at the start of `piece`, behind empty lines, and returns the rows after it.
Result<std::string_view> FileReader::take_header(std::string_view piece) {
  while (!piece.empty() && !parser_) {
    const auto row = formats::first_row(piece);
    if (!row.text.empty()) {
      std::vector<Finding> findings;
      METERLINE_TRY(parser_, formats::WideCsv::create(row.text, options_.unit, findings));
      for (auto& finding : findings) {
        finding.line += lines_before_;
        content_.findings.add(std::move(finding));
      }
    }
    lines_before_ += row.lines;
    piece.remove_prefix(row.bytes);
  }
  return piece;
}

RowBatch FileReader::parse(std::string_view rows) const {
  RowBatch batch(options_.findings_max);
  batch.records.reserve(rows.size() / 4);
  BatchSink sink(
      batch, channels_, options_.file,
      options_.on_rejected != nullptr ? BatchSink::Rejects::keep : BatchSink::Rejects::drop);
  batch.lines = parser_->parse(rows, 1, sink);
  return batch;
}

/// Parses the rows of `piece` from `rows_at` on, here or on another thread.
Result<void> FileReader::start(std::string piece, std::size_t rows_at) {
  if (options_.threads <= 1) return collect(parse(std::string_view(piece).substr(rows_at)));
  parsing_.push_back(std::async(std::launch::async, [this, piece = std::move(piece), rows_at]() {
    return parse(std::string_view(piece).substr(rows_at));
  }));
  if (parsing_.size() <= static_cast<std::size_t>(options_.threads)) return {};
  return finish_first();
}

Result<void> FileReader::finish_first() {
  auto batch = parsing_.front().get();
  parsing_.pop_front();
  return collect(std::move(batch));
}

/// Adds what was found in the next piece of the file.
Result<void> FileReader::collect(RowBatch batch) {
  content_.rows += batch.rows;
  content_.readings += batch.readings;
  content_.findings.add(std::move(batch.findings), lines_before_);
  for (const auto& row : batch.rejected)
    (*options_.on_rejected)({.source = options_.source,
                             .line = row.line + lines_before_,
                             .reasons = row.reasons,
                             .text = row.text});
  char* at = batch.records.data();
  for (const char* const end = at + batch.records.size(); at < end; at += record_bytes(at))
    move_record_line(at, lines_before_);
  lines_before_ += batch.lines;
  return sorter_.add(std::move(batch.records));
}

}  // namespace meterline::ingest
