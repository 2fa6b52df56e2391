#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/note.h"

namespace meterline::store {

/// The notes in a packed day's body, each different one written once. docs/store.md has the layout
/// with a worked example.

/// Appends notes that are not empty, and for which fault_of() is.
void pack_notes(const Notes& notes, std::string& out);

/// False when `packed` is not exactly notes of a day of so many slots. Never reads past the end,
/// whatever the bytes are, and needs no more memory than notes of a day may.
bool unpack_notes(std::string_view packed, std::size_t slots, Notes& notes);

}  // namespace meterline::store
