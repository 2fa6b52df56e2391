#include "formats/foreign.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.h"

namespace meterline::formats {
namespace {

struct Foreign {
  std::string_view name;
  std::string_view advice;
};

struct Magic {
  std::string_view bytes;
  Foreign foreign;
};

constexpr std::string_view unpack = "unpack it first, or pack it with gzip, zstd or zip";
constexpr std::string_view convert =
    "convert it to CSV with a row for each meter and day and a column for each interval's start: "
    "`Meter,Date,0:00,0:30,...,23:30`";

constexpr std::array magics = {
    Magic{"\xD0\xCF\x11\xE0", {"an Excel workbook (.xls)", "save its sheet as CSV (UTF-8)"}},
    Magic{"%PDF-", {"a PDF document", "ask for the readings as CSV"}},
    Magic{"SQLite format 3", {"an SQLite database", convert}},
    Magic{"PAR1", {"a Parquet file", convert}},
    Magic{"BZh", {"packed with bzip2", unpack}},
    Magic{"\xFD"
          "7zXZ",
          {"packed with xz", unpack}},
    Magic{"7z\xBC\xAF", {"packed with 7z", unpack}},
    Magic{"Rar!", {"packed with rar", unpack}},
};

/// Whether `word`, in lower case, stands in `text`, in any case.
bool has(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

bool has_line(std::string_view text, std::string_view start) {
  for (std::size_t at = 0; at != std::string_view::npos;) {
    if (text.substr(at).starts_with(start)) return true;
    at = text.find_first_of("\r\n", at);
    at = text.find_first_not_of("\r\n", at);
  }
  return false;
}

/// XML, HTML and JSON, by how they begin.
std::optional<Foreign> markup(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  if (text[0] == '<' &&
      (('a' <= lower(text[1]) && lower(text[1]) <= 'z') || text[1] == '?' || text[1] == '!')) {
    if (has(text, "<html") || has(text, "<!doctype html"))
      return Foreign{
          "an HTML page, such as a portal shows to sign in or to tell of an error, and no "
          "data file",
          "fetch the file again, signed in"};
    return Foreign{"XML", convert};
  }
  const auto second = text.find_first_not_of(" \t\r\n", 1);
  const char next = second == std::string_view::npos ? ' ' : text[second];
  const bool is_object = text[0] == '{' && (next == '"' || next == '}');
  const bool is_list = text[0] == '[' && (next == '{' || next == '[' || next == '"');
  if (is_object || is_list) return Foreign{"JSON", convert};
  return std::nullopt;
}

/// Layouts of records, each of which begins with its kind.
std::optional<Foreign> records(std::string_view text) {
  if (text.starts_with("HDR,") && has_line(text, "DET,")) {
    if (text.starts_with("HDR,ICPCONS")) return Foreign{"NZ EIEP13A (ICPCONS)", convert};
    return Foreign{"an NZ EIEP file (HDR and DET records)", convert};
  }
  return std::nullopt;
}

std::string told(const Foreign& foreign) {
  return fmt::format("this is {}; {}", foreign.name, foreign.advice);
}

}  // namespace

std::string foreign_text(std::string_view head) {
  for (const auto& [bytes, foreign] : magics)
    if (head.starts_with(bytes)) return told(foreign);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  if (const auto foreign = markup(head)) return told(*foreign);
  return "";
}

std::string foreign_records(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  const auto foreign = records(head);
  return foreign ? told(*foreign) : "";
}

}  // namespace meterline::formats
