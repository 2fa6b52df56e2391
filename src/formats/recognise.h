#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "formats/encoding.h"
#include "formats/parser.h"

namespace meterline::formats {

/// Bytes of a file's start that recognise() wants to see, if the file is that long.
inline constexpr std::size_t recognise_bytes = 16384;

/// What a file's first (expanded) bytes are.
struct Recognised {
  const Format* format = nullptr;   ///< Never null; lives as long as the program.
  std::size_t byte_order_mark = 0;  ///< Bytes to leave out at the start: 0 or 3.
};

/// What the byte order mark of a file says. Text of UTF-16 is to be made UTF-8 before all below.
Encoding encoding_of(std::string_view head);

/// Whether it is UTF-16 by a mark, or by its zeros, which stand at every second place.
bool is_utf16(std::string_view head);

/// Whether a file that begins so is text of whatever layout: the bytes to leave out at its start.
/// Errors: those of recognise(), but for what only the layout tells.
Result<std::size_t> check_text(std::string_view head);

/// Errors: `refused`, with the reason, for an empty file, UTF-16, binary content, and what is known
/// to be no CSV, by its name (foreign.h).
Result<Recognised> recognise(std::string_view head);

/// What was not recognised was read by this one. It is raised when a format is added.
inline constexpr std::uint32_t recognise_reader = 7;

/// The number of the program's reader of a format (Format::reader), which is kept with what it
/// read. Of what is no format's name it is recognise_reader.
std::uint32_t reader_number(std::string_view format);

}  // namespace meterline::formats
