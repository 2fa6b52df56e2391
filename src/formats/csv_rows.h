#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meterline::formats {

/// Rows of RFC 4180 text: fields by comma, quotes doubled inside quotes, rows ended by LF,
/// CRLF or CR in any mixture. A quoted field may hold line ends. A quote counts as opening
/// only at the start of a field (blanks before it allowed).
///
/// A row that is longer than row_bytes_max, its line end not counted, ends at its first line
/// end all the same, and no quote is looked for beyond row_bytes_max. A quote that is not closed
/// within row_bytes_max bytes of its row, or by the end of the text, is no quote: the row then
/// is its first physical line.
inline constexpr std::size_t row_bytes_max = 128 * 1024;

enum class RowState {
  whole,          ///< Ends with a line end.
  unended,        ///< Ends with the text; no line end.
  unclosed,       ///< A quote was never closed; the row is its first physical line.
  unclosed_last,  ///< The same, and that line has no line end.
};

struct RawRow {
  std::string_view text;   ///< Without the line end.
  std::size_t bytes = 0;   ///< With the line end: where the next row begins.
  std::int64_t lines = 0;  ///< Physical line ends inside it, its own included.
  RowState state = RowState::whole;
};

/// The row at the start of `text`, which must not be empty.
RawRow first_row(std::string_view text);

/// One field of a row with quotes removed and blanks (space, tab) around it trimmed.
struct Field {
  std::string text;
  bool bad_quoting = false;  ///< Text after a closing quote, or a quote inside a bare field.
};

/// Splits a row's text. At least one field, even of an empty text.
/// Fields beyond `fields_max` are counted but not kept; the count is returned.
std::size_t split_fields(std::string_view row, std::size_t fields_max, std::vector<Field>& fields);

/// Text that grows at its end. What it once had room for is kept, and never cleared.
///
/// Moved from, it is empty.
class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(TextBuffer&& other) noexcept { swap(other); }
  TextBuffer& operator=(TextBuffer&& other) noexcept {
    TextBuffer(std::move(other)).swap(*this);
    return *this;
  }
  void swap(TextBuffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(capacity_, other.capacity_);
    std::swap(size_, other.size_);
  }

  std::string_view text() const { return {bytes_.get(), size_}; }
  /// Room behind the text, at least `bytes`; added() then makes its first bytes text.
  std::span<char> room(std::size_t bytes);
  void added(std::size_t bytes) { size_ += bytes; }
  void append(std::string_view text);
  void shorten(std::size_t size) { size_ = size; }
  void drop_front(std::size_t bytes);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

/// How a format's text may be cut.
struct Cut {
  bool has_quotes = true;  ///< A line end inside quotes ends no row.
  /// How a row begins that every piece but the first begins with, since later rows need it; empty:
  /// any row. Only for text without quotes.
  std::string_view first_row = {};
  /// Rows count for nothing: the text may be cut anywhere, and its pieces are parsed in order, each
  /// when the one before it has been.
  bool is_anywhere = false;
  bool is_whole = false;  ///< Every row may need those before it: the whole file is one piece.
};

/// A piece that would be longer is cut before any row, whatever it begins with.
inline constexpr std::size_t piece_bytes_max = std::size_t{64} << 20;

/// Cuts a stream of text into pieces of whole rows, so that pieces may be parsed on their own.
/// Feed text, then take pieces until there is none; at the end call finish().
class RowCutter {
 public:
  explicit RowCutter(Cut cut = {}) : cut_(cut) {}

  /// For text: at least `bytes`, of which added() says how many were used.
  std::span<char> room(std::size_t bytes) { return buffer_.room(bytes); }
  void added(std::size_t bytes) { buffer_.added(bytes); }
  void append(std::string_view text) { buffer_.append(text); }
  void finish() { finished_ = true; }

  /// The next piece: whole rows, or after finish() also a last row without a line end, or
  /// the first row_bytes_max + 1 bytes of an overlong row, without a line end, alone.
  /// False when more text is needed. `piece` is overwritten; its memory is used again, so that
  /// giving the same one each time allocates nothing.
  bool next(TextBuffer& piece);

  /// Bytes held. At most row_bytes_max + 2, and piece_bytes_max where pieces begin with certain
  /// rows, beyond what was fed since next() was false.
  std::size_t buffered() const { return buffer_.text().size(); }

 private:
  std::size_t whole_rows_end() const;
  std::size_t piece_end();
  bool drop_overlong_rest();

  Cut cut_;
  TextBuffer buffer_;
  bool finished_ = false;
  bool dropping_ = false;     ///< Inside an overlong row whose start has been given out.
  std::size_t searched_ = 0;  ///< Of the buffer: no piece begins there, but at its start.
};

}  // namespace meterline::formats
