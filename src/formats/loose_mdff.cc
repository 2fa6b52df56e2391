#include "formats/loose_mdff.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "formats/mdff.h"
#include "formats/mdff_text.h"
#include "formats/nem12.h"
#include "formats/nem13.h"

namespace meterline::formats {
namespace {

using namespace mdff;

/// The field that a line begins with, and how many characters it takes with its quotes.
struct QuotedField {
  std::string text;
  std::size_t length = 0;
};

std::optional<QuotedField> quoted_field(std::string_view line, char delimiter) {
  auto at = std::min(line.find_first_not_of(" \t"), line.size());
  if (at == line.size() || line[at] != '"') return std::nullopt;
  QuotedField field;
  for (++at; at < line.size(); ++at) {
    const bool is_quote = line[at] == '"';
    if (is_quote && (at + 1 == line.size() || line[at + 1] != '"')) break;
    if (is_quote) ++at;
    field.text += line[at];
  }
  if (at == line.size()) return std::nullopt;
  ++at;
  while (at < line.size() && line[at] == ' ') ++at;
  if (at < line.size() && line[at] != delimiter) return std::nullopt;
  field.length = at;
  return field;
}

bool is_decimal_comma(std::string_view field) {
  const auto comma = field.find(',');
  const auto all_digits = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  };
  return comma != std::string_view::npos && all_digits(field.substr(0, comma)) &&
         all_digits(field.substr(comma + 1));
}

/// What stands between the fields of a file; empty where its first line is no record.
std::optional<char> delimiter_of(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  const bool is_quoted = head.starts_with('"');
  if (is_quoted) head.remove_prefix(1);
  const auto kind = head.substr(0, kind_chars);
  if (kind != "100" && kind != "200" && kind != "250") return std::nullopt;
  head.remove_prefix(kind_chars);
  if (is_quoted && !head.starts_with('"')) return std::nullopt;
  if (is_quoted) head.remove_prefix(1);
  head.remove_prefix(std::min(head.find_first_not_of(' '), head.size()));
  if (head.empty() || std::string_view(",;\t").find(head.front()) == std::string_view::npos)
    return std::nullopt;
  return head.front();
}

std::string head_as_mdff(std::string_view head, char delimiter) {
  std::string text;
  while (!head.empty()) {
    const auto line = first_line(head);
    text += as_mdff(line.text, delimiter) + '\n';
    head.remove_prefix(line.bytes);
  }
  return text;
}

/// Whether a record begins otherwise than MDFF has it, or has a field in quotes. The last line of a
/// head may be cut.
bool is_written_loosely(std::string_view head) {
  for (auto line = first_line(head); line.is_ended; line = first_line(head)) {
    const auto written = as_mdff(line.text, ',');
    const auto kind = kind_of(written);
    const bool is_record = !kind.empty() && std::all_of(kind.begin(), kind.end(), is_digit);
    const bool has_quotes = line.text.find('"') != std::string_view::npos;
    if (is_record && (has_quotes || kind_of(line.text) != kind)) return true;
    head.remove_prefix(line.bytes);
    if (head.empty()) break;
  }
  return false;
}

/// Reads one file from its first piece to its last.
class LooseMdffFile {
 public:
  std::int64_t parse(const Piece& piece, DaySink& sink);

 private:
  void take(std::string_view part, bool is_end, std::int64_t number, DaySink& sink);
  void give(std::int64_t number, DaySink& sink);
  void begin(std::int64_t number, DaySink& sink);

  std::optional<MdffText> text_;  ///< Since the first line with a record.
  char delimiter_ = ',';
  std::string line_;           ///< As far as it came.
  bool is_overlong_ = false;   ///< That line is given on as it is, as far as it came.
  bool ends_with_cr_ = false;  ///< The text so far.
};

std::int64_t LooseMdffFile::parse(const Piece& piece, DaySink& sink) {
  auto rest = piece.text;
  std::int64_t lines = 0;
  if (ends_with_cr_ && rest.starts_with('\n')) rest.remove_prefix(1);
  if (!piece.text.empty()) ends_with_cr_ = piece.text.ends_with('\r');
  while (!rest.empty()) {
    const auto part = first_line(rest);
    const bool is_end = part.bytes > part.text.size();
    take(part.text, is_end, piece.first_line + lines, sink);
    lines += is_end ? 1 : 0;
    rest.remove_prefix(part.bytes);
  }
  if (!piece.is_last) return lines;
  if (!line_.empty() || is_overlong_) {
    give(piece.first_line + lines, sink);
    ++lines;
  }
  if (text_) text_->end(sink);
  return lines;
}

/// Gives on what came of a line, once all of it is there or it is too long to be one.
void LooseMdffFile::take(std::string_view part, bool is_end, std::int64_t number, DaySink& sink) {
  line_ += part;
  is_overlong_ = is_overlong_ || line_.size() > row_bytes_max;
  if (!is_end && !is_overlong_) return;
  give(number, sink);
  if (!is_end) return;
  if (text_) text_->add("\n", number, sink);
  is_overlong_ = false;
}

void LooseMdffFile::give(std::int64_t number, DaySink& sink) {
  if (!text_ && !is_blank(line_)) begin(number, sink);
  if (text_) text_->add(is_overlong_ ? line_ : as_mdff(line_, delimiter_), number, sink);
  line_.clear();
}

/// The first line that is not blank says how the file is written.
void LooseMdffFile::begin(std::int64_t number, DaySink& sink) {
  delimiter_ = delimiter_of(line_).value_or(',');
  text_.emplace(!is_nem13(as_mdff(line_, delimiter_)));
  constexpr std::string_view semicolons =
      "the fields are separated by semicolons, and a comma between digits is a decimal one";
  const std::string_view what = delimiter_ == ';'    ? semicolons
                                : delimiter_ == '\t' ? "the fields are separated by tabs"
                                                     : "fields stand in quotes, or blanks before "
                                                       "records";
  sink.on_finding(
      {.line = number,
       .code = FindingCode::not_standard,
       .text = fmt::format("{}; each line is read as the standard would have it written", what),
       .excerpt = excerpt_of(line_)});
}

class LooseMdff final : public Parser {
 public:
  /// Pieces come in order, one at a time.
  std::int64_t parse(const Piece& piece, DaySink& sink) const override {
    return file_->parse(piece, sink);
  }

 private:
  std::unique_ptr<LooseMdffFile> file_ = std::make_unique<LooseMdffFile>();
};

}  // namespace

std::string as_mdff(std::string_view line, char delimiter) {
  std::string out;
  out.reserve(line.size());
  for (;;) {
    auto field = quoted_field(line, delimiter);
    if (!field) {
      const auto end = std::min(line.find(delimiter), line.size());
      field = QuotedField{.text = std::string(line.substr(0, end)), .length = end};
    }
    const auto text = trimmed(field->text);
    const char comma = delimiter == ';' && is_decimal_comma(text) ? '.' : ';';
    std::transform(text.begin(), text.end(), std::back_inserter(out),
                   [&](char c) { return c == ',' ? comma : c; });
    if (field->length == line.size()) return out;
    line.remove_prefix(field->length + 1);
    out += ',';
  }
}

bool is_loose_mdff(std::string_view head) {
  const auto delimiter = delimiter_of(head);
  if (!delimiter || (*delimiter == ',' && !is_written_loosely(head))) return false;
  const auto text = head_as_mdff(head, *delimiter);
  return is_nem12(text) || is_nem13(text);
}

Result<Opened> open_loose_mdff(const Piece& /*first*/, const ReadOptions& /*options*/) {
  return Opened{.parser = std::make_unique<LooseMdff>(),
                .recognised_by = "its first record is one of NEM12 or NEM13, loosely written"};
}

}  // namespace meterline::formats
