#include "ingest/file_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/try.h"
#include "formats/csv_rows.h"
#include "formats/feed/feed_csv.h"
#include "formats/feed/shipped_feeds.h"
#include "formats/recognise.h"
#include "formats/wide_csv.h"

namespace meterline::ingest {
namespace {

/// Read and parsed at a time: large enough to be worth a thread, small enough for the caches.
constexpr std::size_t piece_bytes = 256 << 10;

constexpr const char* no_unit =
    "the file names no unit, and the store has none to take instead: say what its readings are in "
    "with --unit kWh or the like (unit=kWh for an upload, METERLINE_UNIT in the environment), or "
    "--unit unknown for none; the store remembers it for later files";

/// Tells of the feed that would read what is refused, or how to come by one.
Error with_feeds(Error error, std::string_view head, bool is_csv) {
  if (error.code != Errc::refused) return error;
  const auto matching = formats::matching_feeds(head);
  std::string names;
  for (const auto* const feed : matching)
    names += fmt::format("{}`{}`", names.empty() ? "" : ", ", feed->name);
  if (matching.size() == 1)
    error.message += fmt::format("; it has the columns of the feed {} ({}): load it with --feed {}",
                                 names, matching.front()->title, matching.front()->name);
  else if (!matching.empty())
    error.message += fmt::format(
        "; it has the columns of the feeds {}: load it with --feed and the one whose it is", names);
  else if (is_csv)
    error.message +=
        "; `meterline feed draft FILE` begins a feed that reads a layout of another kind";
  return error;
}

/// Errors: `refused` where more is said of a file than its format has to be told.
Result<void> check_hints(const formats::Format& format, const formats::ReadHints& hints) {
  using formats::Asks;
  const bool is_meter_only = hints == formats::ReadHints{.meter = hints.meter};
  if (!hints.is_given() || format.asks == Asks::all ||
      (format.asks == Asks::meter && is_meter_only))
    return {};
  return fail(Errc::refused,
              fmt::format("this is {}, which says itself what {}--stamp, --dates and --step would "
                          "say; they are for feeds and long CSV",
                          format.name, format.asks == Asks::meter ? "" : "--meter, "));
}

}  // namespace

FileReader::FileReader(const Options& options, const GroupRows& rows, FileContent& content)
    : options_(options), rows_(rows), content_(content) {}

Result<void> FileReader::read(std::string_view head, source::ByteSource& bytes) {
  METERLINE_CHECK(find_format(head));
  return read_pieces(bytes, head);
}

/// Finds by what the file is read, and in what characters it is written.
Result<void> FileReader::find_format(std::string_view head) {
  layout_ = options_.feed.layout_for(head);
  encoding_ = formats::encoding_of(head);
  if (encoding_ == formats::Encoding::utf8 && layout_ != nullptr)
    encoding_ = layout_->encoding.value_or(encoding_);
  formats::Utf8Maker(encoding_).add(head, head_);
  if (layout_ != nullptr) {
    content_.format = formats::feed_format_name;
    content_.feed = options_.feed.identity_by(layout_, formats::feed_format_name);
    METERLINE_TRY(mark_, formats::check_text(head_));
    return {};
  }
  const auto recognised = formats::recognise(head_);
  if (!recognised) return tl::unexpected(with_feeds(recognised.error(), head, false));
  format_ = recognised->format;
  content_.format = format_->name;
  content_.feed = options_.feed.identity_by(nullptr, format_->name);
  mark_ = recognised->byte_order_mark;
  return {};
}

formats::Cut FileReader::cut() const {
  return layout_ != nullptr ? formats::feed_cut(*layout_, options_.zone) : format_->cut;
}

/// Reads on from `head`, the start of the file, to its end.
Result<void> FileReader::read_pieces(source::ByteSource& bytes, std::string_view head) {
  const auto how = cut();
  parses_in_order_ = how.is_anywhere;
  formats::RowCutter cutter(how);
  const bool is_utf8 = encoding_ == formats::Encoding::utf8;
  formats::Utf8Maker maker(encoding_);
  std::string text;
  maker.add(head, text);
  cutter.append(std::string_view(text).substr(mark_));
  std::vector<char> unread(is_utf8 ? 0 : piece_bytes);
  for (bool is_end = false; !is_end;) {
    METERLINE_CHECK(check_stop(options_.stop));
    if (is_utf8) {
      METERLINE_TRY(const auto count, bytes.read(cutter.room(piece_bytes).first(piece_bytes)));
      cutter.added(count);
      is_end = count == 0;
    } else {
      METERLINE_TRY(const auto count, bytes.read(unread));
      text.clear();
      maker.add({unread.data(), count}, text);
      cutter.append(text);
      is_end = count == 0;
    }
    if (is_end) cutter.finish();
    if (cutter.buffered() < piece_bytes / 2 && !is_end) continue;
    for (;;) {
      auto piece = unused_buffer();
      if (!cutter.next(piece)) {
        unused_.push_back(std::move(piece));
        break;
      }
      METERLINE_CHECK(take_piece(std::move(piece), is_end && cutter.buffered() == 0));
    }
  }
  while (!parsing_.empty()) METERLINE_CHECK(finish_first());
  if (!parser_) return fail(Errc::refused, "the file is empty");
  return {};
}

formats::TextBuffer FileReader::unused_buffer() {
  if (unused_.empty()) return {};
  auto buffer = std::move(unused_.back());
  unused_.pop_back();
  return buffer;
}

Result<void> FileReader::take_piece(formats::TextBuffer piece, bool is_last) {
  std::string_view rows = piece.text();
  if (!parser_) {
    METERLINE_TRY(rows, open(rows, is_last));
  }
  if (rows.empty()) return {};
  const auto rows_at = static_cast<std::size_t>(rows.data() - piece.text().data());
  return start(std::move(piece), rows_at, is_last);
}

Result<formats::Opened> FileReader::open_by(const formats::Piece& first) const {
  const formats::ReadOptions options{.unit = options_.unit,
                                     .zone = options_.zone,
                                     .source = options_.source,
                                     .hints = options_.feed.hints()};
  if (layout_ != nullptr) return formats::open_feed(*layout_, first, options);
  METERLINE_CHECK(check_hints(*format_, options.hints));
  auto opened = format_->open(first, options);
  const bool is_csv = format_->name == formats::wide_csv_name;
  if (!opened) return tl::unexpected(with_feeds(std::move(opened).error(), head_, is_csv));
  return opened;
}

/// Opens the file by its first piece, behind empty lines, and returns the rows after its header.
Result<std::string_view> FileReader::open(std::string_view piece, bool is_last) {
  const auto row_at = std::min(piece.find_first_not_of("\r\n"), piece.size());
  for (auto empty = piece.substr(0, row_at); !empty.empty();) {
    const auto line = formats::first_row(empty);
    lines_before_ += line.lines;
    empty.remove_prefix(line.bytes);
  }
  piece.remove_prefix(row_at);
  if (piece.empty()) return piece;
  METERLINE_TRY(auto opened,
                open_by({.text = piece, .first_line = lines_before_ + 1, .is_last = is_last}));
  content_.lacks_unit = opened.needs_unit && !options_.unit;
  if (content_.lacks_unit) return fail(Errc::invalid_argument, no_unit);
  parser_ = std::move(opened.parser);
  content_.recognised_by = std::move(opened.recognised_by);
  content_.label_names = parser_->label_names();
  for (auto& finding : opened.findings) content_.findings.add(std::move(finding));
  lines_before_ += opened.lines;
  return piece.substr(opened.bytes);
}

RowBatch FileReader::parse(const formats::Piece& rows) const {
  RowBatch batch(options_.findings_max);
  batch.good.bytes.reserve(rows.text.size() / 2);  // Rows of household readings need a little less.
  BatchSink sink(
      batch, rows_.channels, options_.file,
      options_.on_rejected != nullptr ? BatchSink::Rejects::keep : BatchSink::Rejects::drop,
      options_.received);
  batch.lines = parser_->parse(rows, sink);
  return batch;
}

/// Parses the rows of `piece` from `rows_at` on, here or on another thread.
Result<void> FileReader::start(formats::TextBuffer piece, std::size_t rows_at, bool is_last) {
  if (options_.threads <= 1 || parses_in_order_) {
    auto batch = parse({.text = piece.text().substr(rows_at), .is_last = is_last});
    unused_.push_back(std::move(piece));
    return collect(std::move(batch));
  }
  parsing_.push_back(
      std::async(std::launch::async, [this, piece = std::move(piece), rows_at, is_last]() mutable {
        auto batch = parse({.text = piece.text().substr(rows_at), .is_last = is_last});
        return Parsed{.batch = std::move(batch), .piece = std::move(piece)};
      }));
  if (parsing_.size() <= static_cast<std::size_t>(options_.threads)) return {};
  return finish_first();
}

Result<void> FileReader::finish_first() {
  auto parsed = parsing_.front().get();
  parsing_.pop_front();
  unused_.push_back(std::move(parsed.piece));
  return collect(std::move(parsed.batch));
}

/// Adds what was found in the next piece of the file.
Result<void> FileReader::collect(RowBatch batch) {
  content_.rows += batch.rows;
  content_.readings += batch.readings;
  content_.register_reads += batch.register_reads;
  content_.findings.add(std::move(batch.findings), lines_before_);
  for (const auto& row : batch.rejected)
    (*options_.on_rejected)({.source = options_.source,
                             .line = row.line + lines_before_,
                             .reasons = row.reasons,
                             .text = row.text});
  const std::int64_t lines_before = lines_before_;
  lines_before_ += batch.lines;
  if (!batch.reads.bytes.empty())
    METERLINE_CHECK(rows_.register_reads.add(batch.reads, lines_before));
  return rows_.days.add(batch.good, lines_before);
}

}  // namespace meterline::ingest
