#pragma once

#include <string_view>

#include "core/result.h"
#include "formats/parser.h"

namespace meterline::formats {

/// Green Button: intervals of energy as NAESB's ESPI (REQ.21, versions 1.1 to 4.0) has them, XML in
/// an Atom feed. docs/formats/green-button.md has the rules.
inline constexpr std::string_view green_button_name = "green-button";
inline constexpr Cut green_button_cut = {.has_quotes = false, .is_anywhere = true};

/// Whether a text that begins so is XML that names ESPI, or an Atom feed.
bool is_green_button(std::string_view head);

/// Opens a file by its first piece. The parser keeps what tells of readings from piece to piece.
/// Readings that come before what tells of them are held, espi::readings_held_max at most.
Result<Opened> open_green_button(const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
