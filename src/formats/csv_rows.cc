#include "formats/csv_rows.h"

#include <algorithm>
#include <cstring>

namespace meterline::formats {
namespace {

constexpr std::size_t npos = std::string_view::npos;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }

/// Bytes of the line end at `at`: 1, or 2 for CRLF.
std::size_t line_end_bytes(std::string_view text, std::size_t at) {
  return text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
}

RawRow row_to(std::string_view text, std::size_t end, std::int64_t inner_lines) {
  if (end == npos)
    return {.text = text, .bytes = text.size(), .lines = inner_lines, .state = RowState::unended};
  return {.text = text.substr(0, end),
          .bytes = end + line_end_bytes(text, end),
          .lines = inner_lines + 1,
          .state = RowState::whole};
}

RawRow unclosed_row(std::string_view text) {
  auto row = row_to(text, text.find_first_of("\r\n"), 0);
  row.state = row.state == RowState::whole ? RowState::unclosed : RowState::unclosed_last;
  return row;
}

/// The place of the closing quote of a field whose content begins at `from`; npos when it is
/// not closed within row_bytes_max. Counts line ends passed.
std::size_t closing_quote(std::string_view text, std::size_t from, std::int64_t& lines) {
  const std::size_t limit = std::min(text.size(), row_bytes_max);
  for (std::size_t i = from; i < limit; ++i) {
    if (is_line_end(text[i])) {
      ++lines;
      i += line_end_bytes(text, i) - 1;
    } else if (text[i] == '"') {
      if (i + 1 >= text.size() || text[i + 1] != '"') return i;
      ++i;
    }
  }
  return npos;
}

/// Appends the field that begins at `at` to `field`, and returns where it ends: at the comma
/// or the end of the row.
std::size_t read_field(std::string_view row, std::size_t at, Field& field) {
  while (at < row.size() && is_blank(row[at])) ++at;
  if (at == row.size() || row[at] != '"') {
    const std::size_t end = std::min(row.find(',', at), row.size());
    auto text = row.substr(at, end - at);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    field.bad_quoting = text.find('"') != npos;
    field.text = text;
    return end;
  }
  std::int64_t lines = 0;
  const std::size_t close = closing_quote(row, at + 1, lines);
  const std::size_t content_end = close == npos ? row.size() : close;
  for (std::size_t i = at + 1; i < content_end; ++i) {
    field.text += row[i];
    if (row[i] == '"') ++i;
  }
  const auto first = field.text.find_first_not_of(" \t");
  field.text.erase(field.text.find_last_not_of(" \t") + 1);
  if (first != npos) field.text.erase(0, first);

  at = close == npos ? row.size() : close + 1;
  while (at < row.size() && is_blank(row[at])) ++at;
  field.bad_quoting = close == npos || (at < row.size() && row[at] != ',');
  return std::min(row.find(',', at), row.size());
}

}  // namespace

RawRow first_row(std::string_view text) {
  std::int64_t lines = 0;
  bool field_start = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_line_end(c)) return row_to(text, i, lines);
    if (i >= row_bytes_max) return row_to(text, text.find_first_of("\r\n", i), lines);
    if (c == '"' && field_start) {
      const std::size_t close = closing_quote(text, i + 1, lines);
      if (close == npos) return unclosed_row(text);
      i = close;
    }
    field_start = c == ',' || (field_start && is_blank(c));
  }
  return row_to(text, npos, lines);
}

std::size_t split_fields(std::string_view row, std::size_t fields_max, std::vector<Field>& fields) {
  fields.clear();
  std::size_t count = 0;
  for (std::size_t at = 0;; ++at) {
    Field field;
    at = read_field(row, at, field);
    if (++count <= fields_max) fields.push_back(std::move(field));
    if (at >= row.size()) return count;
  }
}

std::span<char> TextBuffer::room(std::size_t bytes) {
  if (capacity_ - size_ < bytes) {
    const std::size_t capacity = std::max(size_ + bytes, capacity_ + capacity_ / 2);
    auto more = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(more.get(), bytes_.get(), size_);
    bytes_ = std::move(more);
    capacity_ = capacity;
  }
  return {bytes_.get() + size_, capacity_ - size_};
}

void TextBuffer::append(std::string_view text) {
  if (text.empty()) return;
  std::memcpy(room(text.size()).data(), text.data(), text.size());
  added(text.size());
}

void TextBuffer::drop_front(std::size_t bytes) {
  std::memmove(bytes_.get(), bytes_.get() + bytes, size_ - bytes);
  size_ -= bytes;
}

bool RowCutter::drop_overlong_rest() {
  const std::string_view text = buffer_.text();
  const auto end = text.find_first_of("\r\n");
  if (end == npos) {
    buffer_.shorten(0);
    return false;
  }
  const bool may_be_cut_crlf = text[end] == '\r' && end + 1 == text.size() && !finished_;
  if (may_be_cut_crlf) {
    buffer_.drop_front(end);
    return false;
  }
  buffer_.drop_front(end + line_end_bytes(text, end));
  dropping_ = false;
  return true;
}

/// How much of the buffer is whole rows, whatever bytes may follow it.
std::size_t RowCutter::whole_rows_end() const {
  const std::string_view text = buffer_.text();
  const bool has_quotes = cut_.has_quotes && text.find('"') != npos;
  if (!has_quotes) {
    const auto sure = text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
    const auto end = sure.find_last_of("\r\n");
    return end == npos ? 0 : end + 1;
  }
  std::size_t at = 0;
  while (at < text.size()) {
    const auto row = first_row(text.substr(at));
    const bool is_decided = row.state == RowState::whole ||
                            (row.state == RowState::unclosed && text.size() - at > row_bytes_max);
    const bool may_be_cut_crlf = at + row.bytes == text.size() && text.ends_with('\r');
    if (!is_decided || may_be_cut_crlf) break;
    at += row.bytes;
  }
  return at;
}

/// How much of the buffer is the next piece; 0 while that is not known.
std::size_t RowCutter::piece_end() {
  if (finished_) return buffered();
  // The last byte waits, so that the last piece is known when it is given out.
  if (cut_.is_anywhere) return buffered() > 0 ? buffered() - 1 : 0;
  const std::size_t end = whole_rows_end();
  if (cut_.first_row.empty() || end == 0) return end;
  const std::string_view unsearched = buffer_.text().substr(searched_, end - searched_);
  for (auto at = unsearched.rfind(cut_.first_row); at != npos && at > 0;
       at = unsearched.rfind(cut_.first_row, at - 1))
    if (unsearched[at - 1] == '\n' || unsearched[at - 1] == '\r') return searched_ + at;
  searched_ = end - 1;
  const bool is_overlong_behind = buffered() - end > row_bytes_max + 1;
  return end >= piece_bytes_max || is_overlong_behind ? end : 0;
}

bool RowCutter::next(TextBuffer& piece) {
  if (dropping_ && !drop_overlong_rest()) return false;
  if (cut_.is_whole && !finished_ && buffered() < piece_bytes_max) return false;
  std::size_t end = piece_end();
  // One byte more than the limit may still be a row of just row_bytes_max and half of a CRLF.
  const bool has_row = end > 0 || (!cut_.first_row.empty() && whole_rows_end() > 0);
  if (!has_row && !cut_.is_anywhere && buffered() > row_bytes_max + 1) {
    end = row_bytes_max + 1;
    dropping_ = true;
  }
  if (end == 0) return false;
  piece.shorten(0);
  piece.swap(buffer_);
  buffer_.append(piece.text().substr(end));
  piece.shorten(end);
  searched_ = 0;
  return true;
}

}  // namespace meterline::formats
