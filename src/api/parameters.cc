#include "api/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/try.h"

namespace meterline::api {
namespace {

enum class PlusSign { itself, space };

Result<std::string> decode(std::string_view text, PlusSign plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == PlusSign::space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const std::string_view digits = text.substr(i + 1, 2);
      unsigned char byte = 0;
      const char* end = digits.data() + digits.size();
      const auto [stop, error] = std::from_chars(digits.data(), end, byte, 16);
      if (digits.size() != 2 || error != std::errc() || stop != end)
        return fail(Errc::invalid_argument,
                    fmt::format("bad percent-encoding \"{}\" in the address: want % and two "
                                "hexadecimal digits, and %25 for the character %",
                                excerpt_of(text.substr(i, 3))));
      out += static_cast<char>(byte);
      i += 2;
    }
  }
  return out;
}

std::optional<std::size_t> parse_limit(std::string_view text) {
  std::size_t limit = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, limit);
  if (error != std::errc() || stop != end || limit < 1 || limit > page_limit_max)
    return std::nullopt;
  return limit;
}

}  // namespace

RawTarget split_target(std::string_view target) {
  if (!target.starts_with('/')) {
    const auto authority = target.find("://");
    if (authority != std::string_view::npos) {
      const auto path = target.find_first_of("/?", authority + 3);
      target = path == std::string_view::npos ? "/" : target.substr(path);
    }
  }
  const auto mark = target.find('?');
  std::string_view path = target.substr(0, mark);
  if (path.empty()) path = "/";
  if (mark == std::string_view::npos) return {.path = path, .query = {}};
  return {.path = path, .query = target.substr(mark + 1)};
}

Result<std::vector<std::string>> decode_path(std::string_view path) {
  std::vector<std::string> segments;
  if (path == "/") return segments;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    METERLINE_TRY(segments.emplace_back(), decode(segment, PlusSign::itself));
    path.remove_prefix(segment.size());
  }
  return segments;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Result<Parameters> Parameters::parse(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const std::string_view encoded =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    METERLINE_TRY(auto name, decode(pair.substr(0, equals), PlusSign::space));
    METERLINE_TRY(auto value, decode(encoded, PlusSign::space));
    parameters.all_.emplace_back(std::move(name), std::move(value));
  }
  return parameters;
}

Result<void> Parameters::allow_only(std::initializer_list<std::string_view> known) const {
  for (const auto& [name, value] : all_) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string takes =
          known.size() == 0 ? "it takes none" : fmt::format("known are {}", fmt::join(known, ", "));
      return fail(Errc::invalid_argument,
                  fmt::format("unknown parameter \"{}\": {}", excerpt_of(name), takes));
    }
    METERLINE_CHECK(find(name));
  }
  return {};
}

Result<std::optional<std::string>> Parameters::find(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [candidate, value] : all_) {
    if (candidate != name) continue;
    if (found) return fail(Errc::invalid_argument, fmt::format("{} is given more than once", name));
    found = value;
  }
  return found;
}

tl::unexpected<Error> bad_parameter(std::string_view name, std::string_view wanted,
                                    std::string_view got) {
  return fail(Errc::invalid_argument,
              fmt::format("{}: want {}, got \"{}\"", name, wanted, excerpt_of(got)));
}

Result<std::size_t> page_limit(const Parameters& parameters, std::size_t by_default) {
  METERLINE_TRY(const auto limit,
                parameters.find_as("limit", fmt::format("a number from 1 to {}", page_limit_max),
                                   parse_limit));
  return limit.value_or(by_default);
}

std::optional<Date> parse_day_first(std::string_view text) {
  if (text.size() != 10 || text[2] != '-' || text[5] != '-') return std::nullopt;
  const std::string iso =
      fmt::format("{}-{}-{}", text.substr(6), text.substr(3, 2), text.substr(0, 2));
  return Date::parse(iso);
}

}  // namespace meterline::api
