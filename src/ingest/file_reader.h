#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/instant.h"
#include "core/result.h"
#include "core/stop.h"
#include "formats/csv_rows.h"
#include "formats/encoding.h"
#include "formats/parser.h"
#include "ingest/ingest.h"
#include "ingest/row_batch.h"
#include "ingest/row_sorter.h"
#include "source/byte_source.h"

namespace meterline::ingest {

/// What a file was found to hold; its good rows are in the sorters.
struct FileContent {
  explicit FileContent(std::size_t findings_max) : findings(findings_max) {}

  std::string format;
  std::optional<Feed> feed;   ///< By which it was read.
  std::string recognised_by;  ///< What of the file shows the format.
  bool lacks_unit = false;    ///< Why it could not be read: neither it nor the options name a unit.
  std::vector<std::string> label_names;  ///< Of the rows' labels, in order.
  RowCounts rows;
  ReadingCounts readings;
  RowCounts register_reads;  ///< Of the rows.
  FindingKeeper findings;
};

/// Reads one file's expanded bytes: recognises the format, parses the rows, on several threads
/// if asked to, and hands the good ones to the sorters.
class FileReader {
 public:
  struct Options {
    std::string_view source;
    std::uint16_t file = 0;    ///< Its number among the files that are loaded together.
    std::optional<Unit> unit;  ///< Of readings whose file names none.
    TimeZone zone;             ///< Of days whose file names none.
    FeedChoice feed = {};
    Instant received;  ///< When: no row states a later time.
    std::size_t findings_max = 1000;
    int threads = 1;
    StopFlag stop = nullptr;  ///< For each piece: a short file may expand to a long one.
    const std::function<void(const RejectedRow&)>* on_rejected = nullptr;  ///< May be null.
  };
  /// All must outlive the reader.
  FileReader(const Options& options, const GroupRows& rows, FileContent& content);

  /// `head` is what was read of `bytes` already: formats::recognise_bytes, or all there are.
  /// Errors: `refused` when the file as a whole cannot be taken in, `invalid_argument` when it
  /// lacks a unit, and those of the source and the sorters.
  Result<void> read(std::string_view head, source::ByteSource& bytes);

 private:
  Result<void> find_format(std::string_view head);
  Result<void> read_pieces(source::ByteSource& bytes, std::string_view head);
  formats::Cut cut() const;
  Result<formats::Opened> open_by(const formats::Piece& first) const;
  Result<void> take_piece(formats::TextBuffer piece, bool is_last);
  formats::TextBuffer unused_buffer();
  Result<std::string_view> open(std::string_view piece, bool is_last);
  RowBatch parse(const formats::Piece& rows) const;
  Result<void> start(formats::TextBuffer piece, std::size_t rows_at, bool is_last);
  Result<void> finish_first();
  Result<void> collect(RowBatch batch);

  const Options options_;
  const GroupRows rows_;
  FileContent& content_;
  const formats::Format* format_ = nullptr;      ///< Once it is recognised,
  const formats::FeedLayout* layout_ = nullptr;  ///< or is read by a feed.
  formats::Encoding encoding_ = formats::Encoding::utf8;
  std::size_t mark_ = 0;                     ///< Bytes of the byte order mark.
  bool parses_in_order_ = false;             ///< A piece once that before it was parsed.
  std::string head_;                         ///< The start of the file, as text.
  std::unique_ptr<formats::Parser> parser_;  ///< Once the file is opened.
  std::int64_t lines_before_ = 0;            ///< Of the piece that is collected next.
  /// A piece that is parsed, and then its memory.
  struct Parsed {
    RowBatch batch;
    formats::TextBuffer piece;
  };
  std::deque<std::future<Parsed>> parsing_;
  std::vector<formats::TextBuffer> unused_;
};

}  // namespace meterline::ingest
