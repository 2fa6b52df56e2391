#include "formats/recognise.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/try.h"
#include "formats/ase_xml.h"
#include "formats/feed/feed_csv.h"
#include "formats/feed/long_csv.h"
#include "formats/foreign.h"
#include "formats/green_button.h"
#include "formats/loose_mdff.h"
#include "formats/nem12.h"
#include "formats/nem13.h"
#include "formats/wide_csv.h"

namespace meterline::formats {
namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";

/// All formats that are read. The first that recognises a file takes it; wide CSV is whatever is
/// text, and explains what its header lacks.
constexpr std::array formats = {
    Format{.name = loose_mdff_name,
           .cut = loose_mdff_cut,
           .recognises = is_loose_mdff,
           .open = open_loose_mdff},
    Format{.name = nem12_name, .cut = nem12_cut, .recognises = is_nem12, .open = open_nem12},
    Format{.name = nem13_name, .cut = nem13_cut, .recognises = is_nem13, .open = open_nem13},
    Format{.name = green_button_name,
           .reader = 2,
           .asks = Asks::meter,
           .cut = green_button_cut,
           .recognises = is_green_button,
           .open = open_green_button},
    Format{
        .name = ase_xml_name, .cut = ase_xml_cut, .recognises = is_ase_xml, .open = open_ase_xml},
    Format{.name = long_csv_name,
           .reader = 3,
           .asks = Asks::all,
           .recognises = is_long_csv,
           .open = open_long_csv},
    Format{.name = wide_csv_name,
           .reader = 1,
           .recognises = [](std::string_view) { return true; },
           .open = open_wide_csv},
};

bool is_binary(std::string_view head) {
  return std::any_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\t' && c != '\r' && c != '\n';
  });
}

}  // namespace

bool is_utf16(std::string_view head) {
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return true;
  if (head.size() < 4) return false;
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < head.size(); ++i) zeros[i % 2] += head[i] == '\0' ? 1 : 0;
  const std::size_t half = head.size() / 2;
  return (zeros[0] == 0 && zeros[1] * 10 >= half * 9) ||
         (zeros[1] == 0 && zeros[0] * 10 >= half * 9);
}

Encoding encoding_of(std::string_view head) {
  if (head.starts_with("\xFF\xFE")) return Encoding::utf16le;
  return head.starts_with("\xFE\xFF") ? Encoding::utf16be : Encoding::utf8;
}

Result<std::size_t> check_text(std::string_view head) {
  head = head.substr(0, recognise_bytes);
  const std::size_t mark = head.starts_with(utf8_mark) ? utf8_mark.size() : 0;
  const auto foreign = foreign_text(head.substr(mark));
  const auto text = head.substr(mark);
  if (!foreign.empty() && !is_green_button(text) && !is_ase_xml(text))
    return fail(Errc::refused, foreign);
  if (is_utf16(head))
    return fail(Errc::refused,
                "this is UTF-16 text without the byte order mark that would say so: convert it "
                "first, e.g. with `iconv -f UTF-16LE -t UTF-8`, or name a feed whose encoding it "
                "is");
  if (is_binary(head))
    return fail(Errc::refused,
                "this is binary content, not text; CSV may be plain or packed with gzip, zstd or "
                "zip");
  const bool is_whole_file = head.size() < recognise_bytes;
  if (is_whole_file && head.find_first_not_of("\r\n", mark) == std::string_view::npos)
    return fail(Errc::refused, "the file is empty");
  return mark;
}

Result<Recognised> recognise(std::string_view head) {
  METERLINE_TRY(const auto mark, check_text(head));
  head = head.substr(0, recognise_bytes);
  if (const auto foreign = foreign_records(head.substr(mark)); !foreign.empty())
    return fail(Errc::refused, foreign);
  const auto* const format = std::find_if(
      formats.begin(), formats.end(),
      [&](const Format& candidate) { return candidate.recognises(head.substr(mark)); });
  return Recognised{.format = format, .byte_order_mark = mark};
}

std::uint32_t reader_number(std::string_view name) {
  if (name == feed_format_name) return feed_reader;
  const auto* const format =
      std::find_if(formats.begin(), formats.end(),
                   [&](const Format& candidate) { return candidate.name == name; });
  return format == formats.end() ? recognise_reader : format->reader;
}

}  // namespace meterline::formats
