#include "formats/xml_parser.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "formats/encoding.h"

namespace meterline::formats {
namespace {

/// Stands between the parts of expat's names; XML has no such character.
constexpr char name_separator = '\x1F';
constexpr std::string_view declaration = "<?xml";
constexpr std::size_t declaration_bytes_max = 1024;

/// Whether an XML declaration names an encoding of two bytes a character.
bool says_utf16(std::string_view text) {
  const auto said = lower(text);
  return said.find("utf-16") != std::string::npos || said.find("ucs-2") != std::string::npos;
}

// Where expat stands: bytes from 0, lines from 1, columns from 0. Since 2.9 it has functions that
// count in 64 bits everywhere, and tells that those before are deprecated.
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
std::int64_t byte_at(XML_Parser parser) { return XML_GetCurrentByteIndex64(parser); }
std::uint64_t line_at(XML_Parser parser) { return XML_GetCurrentLineNumber64(parser); }
std::uint64_t column_at(XML_Parser parser) { return XML_GetCurrentColumnNumber64(parser); }
#else
std::int64_t byte_at(XML_Parser parser) { return XML_GetCurrentByteIndex(parser); }
std::uint64_t line_at(XML_Parser parser) { return XML_GetCurrentLineNumber(parser); }
std::uint64_t column_at(XML_Parser parser) { return XML_GetCurrentColumnNumber(parser); }
#endif

/// Expat does not know Windows-1252 by itself.
int on_unknown_encoding(void* /*user*/, const XML_Char* name, XML_Encoding* info) {
  if (!same_letters(name, "windows-1252") && !same_letters(name, "cp1252")) return XML_STATUS_ERROR;
  for (int byte = 0; byte < 256; ++byte)
    info->map[byte] = static_cast<int>(windows1252_character(static_cast<unsigned char>(byte)));
  info->data = nullptr;
  info->convert = nullptr;
  info->release = nullptr;
  return XML_STATUS_OK;
}

/// The parts of a name as expat gives it: namespace, name, prefix.
XmlName parts_of(std::string_view text) {
  XmlName name;
  const auto first = text.find(name_separator);
  name.local = text.substr(first == std::string_view::npos ? 0 : first + 1);
  if (first != std::string_view::npos) name.space = text.substr(0, first);
  const auto second = name.local.find(name_separator);
  if (second == std::string_view::npos) return name;
  name.prefix = name.local.substr(second + 1);
  name.local = name.local.substr(0, second);
  return name;
}

}  // namespace

std::int64_t count_lines(std::string_view text, bool& ends_with_cr) {
  std::int64_t lines = std::count(text.begin(), text.end(), '\n');
  if (text.find('\r') != std::string_view::npos || ends_with_cr) {
    for (std::size_t at = 0; at <= text.size(); ++at) {
      const bool is_behind_cr = at == 0 ? ends_with_cr : text[at - 1] == '\r';
      if (at < text.size() && is_behind_cr && text[at] != '\n') ++lines;
    }
  }
  ends_with_cr = !text.empty() && text.back() == '\r';
  return lines;
}

XmlParser::XmlParser(std::string_view format)
    : parser_(XML_ParserCreateNS(nullptr, name_separator)), format_(format) {
  XML_SetUserData(parser_, this);
  XML_SetReturnNSTriplet(parser_, 1);
  XML_SetUnknownEncodingHandler(parser_, on_unknown_encoding, nullptr);
  XML_SetElementHandler(
      parser_,
      [](void* user, const char* name, const char** attributes) {
        of(user).take_start(name, attributes);
      },
      [](void* user, const char* name) { of(user).take_end(name); });
  XML_SetCharacterDataHandler(parser_, [](void* user, const char* text, int size) {
    if (!of(user).fault_) of(user).on_text({text, static_cast<std::size_t>(size)});
  });
  XML_SetStartDoctypeDeclHandler(
      parser_, [](void* user, const char* /*name*/, const char* /*system*/, const char* /*public*/,
                  int /*has_internal_subset*/) {
        of(user).fail(
            fmt::format("it has a document type declaration (DTD), which {} has not, and which "
                        "could have entities: it is not read",
                        of(user).format_));
      });
}

XmlParser::~XmlParser() { XML_ParserFree(parser_); }

std::string_view XmlParser::start(std::string_view text, bool is_last) {
  if (!is_at_start_) return text;
  if (start_.empty()) {
    const auto blank = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    blank_lines_ +=
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(blank), '\n');
    text.remove_prefix(blank);
    if (text.empty()) return {};
  }
  start_ += text;
  const auto shorter = std::min(start_.size(), declaration.size());
  const bool may_declare = start_.compare(0, shorter, declaration, 0, shorter) == 0;
  const auto end = start_.find("?>");
  const bool is_open = may_declare && end == std::string::npos;
  if (is_open && start_.size() < declaration_bytes_max && !is_last) return {};
  is_at_start_ = false;
  if (may_declare && !is_open && says_utf16(start_.substr(0, end)))
    XML_SetEncoding(parser_, "UTF-8");
  return start_;
}

void XmlParser::give(std::string_view text, bool is_last) {
  if (text.empty() && !is_last) return;
  given_ += static_cast<std::int64_t>(text.size());
  const auto status =
      XML_Parse(parser_, text.data(), static_cast<int>(text.size()), is_last ? 1 : 0);
  if (fault_) return;
  if (status != XML_STATUS_OK) {
    fail(fmt::format("it is no well-formed XML: {}",
                     end_ ? "something follows the end of the feed, whose last tag begins here"
                          : XML_ErrorString(XML_GetErrorCode(parser_))));
    // Outside of all elements it hangs on how the file was cut where expat stands.
    if (depth_ == 0) {
      fault_->line = end_ ? end_->line : 1 + blank_lines_;
      fault_->column = end_ ? end_->column : 1;
    }
    return;
  }
  if (given_ - byte_at(parser_) > xml_token_bytes_max)
    fail(fmt::format("a tag or comment is longer than {} bytes", xml_token_bytes_max));
}

bool XmlParser::is_even() const { return byte_at(parser_) == given_; }

void XmlParser::fail(std::string text) {
  if (fault_) return;
  const auto at = position();
  fault_ = XmlFault{.line = at.line, .column = at.column, .text = std::move(text)};
  XML_StopParser(parser_, XML_FALSE);
}

XmlParser::Position XmlParser::position_of_expat() const {
  return {.line = static_cast<std::int64_t>(line_at(parser_)) + blank_lines_,
          .column = static_cast<std::int64_t>(column_at(parser_)) + 1};
}

/// Each name takes memory of expat's until the file ends.
void XmlParser::note_name(std::string_view name) {
  if (names_.find(name) != names_.end()) return;
  if (names_.size() == xml_names_max)
    return fail(fmt::format("it has more than {} names of elements and attributes", xml_names_max));
  names_.emplace(name);
}

void XmlParser::take_start(const char* raw_name, const char** attributes) {
  if (fault_) return;
  if (depth_ == xml_depth_max)
    return fail(fmt::format("more than {} elements stand inside of each other", xml_depth_max));
  note_name(raw_name);
  for (const char** attribute = attributes; *attribute != nullptr; attribute += 2)
    note_name(*attribute);
  ++depth_;
  on_start(parts_of(raw_name), attributes);
}

void XmlParser::take_end(const char* raw_name) {
  if (fault_) return;
  on_end(parts_of(raw_name));
  if (--depth_ == 0) end_ = position();
}

}  // namespace meterline::formats
