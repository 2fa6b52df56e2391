#pragma once

#include <optional>
#include <string_view>

namespace meterline::formats {

/// Whether both are the same but for the case of ASCII letters.
bool is_same_word(std::string_view a, std::string_view b);

std::string_view without_blanks_around(std::string_view text);

/// Whether `text` is what `pattern` says, in which `*` stands for anything and `{}` for at least
/// one character. The case of ASCII letters does not count.
bool fits(std::string_view pattern, std::string_view text);

/// What stands for `{}` in `text`, where it fits the pattern: the first that does, as short as can
/// be. A pattern without `{}` captures all of the text.
std::optional<std::string_view> captured(std::string_view pattern, std::string_view text);

}  // namespace meterline::formats
