#include "formats/feed/wildcard.h"

#include <algorithm>
#include <cstddef>

#include "core/text.h"

namespace meterline::formats {
namespace {

constexpr std::string_view hole = "{}";

bool is_same_letter(char a, char b) { return lower(a) == lower(b); }

/// `*` alone, in time that is the product of both lengths at most.
bool fits_stars(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_in = 0;
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_in = in;
    } else if (at < pattern.size() && is_same_letter(pattern[at], text[in])) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++star_in;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace

bool is_same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), is_same_letter);
}

std::string_view without_blanks_around(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool fits(std::string_view pattern, std::string_view text) {
  return pattern.find(hole) == std::string_view::npos ? fits_stars(pattern, text)
                                                      : captured(pattern, text).has_value();
}

std::optional<std::string_view> captured(std::string_view pattern, std::string_view text) {
  const auto at = pattern.find(hole);
  if (at == std::string_view::npos)
    return fits_stars(pattern, text) ? std::optional(text) : std::nullopt;
  const auto before = pattern.substr(0, at);
  const auto behind = pattern.substr(at + hole.size());
  for (std::size_t first = 0; first < text.size(); ++first) {
    if (!fits_stars(before, text.substr(0, first))) continue;
    for (std::size_t end = first + 1; end <= text.size(); ++end)
      if (fits_stars(behind, text.substr(end))) return text.substr(first, end - first);
  }
  return std::nullopt;
}

}  // namespace meterline::formats
