#include <algorithm>
#include <cctype>

#include "api/problem.h"
#include "api/routes.h"

namespace meterline::api {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view next_part(std::string_view& rest, char separator) {
  const std::string_view part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return trim(part);
}

/// The weight in thousandths (RFC 9110, 12.4.2); a malformed one counts as 0.
int parse_weight(std::string_view text) {
  int weight = 0;
  int scale = 1000;
  for (const char c : text) {
    if (c == '.') continue;
    if (c < '0' || c > '9' || scale == 0) return 0;
    weight += (c - '0') * scale;
    scale /= 10;
  }
  return std::min(weight, 1000);
}

/// How exactly a media range names a type: 0 not at all, 1 `*/*`, 2 `text/*`, 3 `text/csv`.
int match_of(std::string_view range, std::string_view type) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == b; };
  if (std::equal(range.begin(), range.end(), type.begin(), type.end(), same)) return 3;
  const std::string_view family = type.substr(0, type.find('/') + 1);
  if (range.ends_with("/*") &&
      std::equal(range.begin(), range.end() - 1, family.begin(), family.end(), same))
    return 2;
  return range == "*/*" ? 1 : 0;
}

/// The weight that an Accept header gives a type: that of the range that names it best.
int weight_of(std::string_view accept, std::string_view type) {
  int best_match = 0;
  int weight = 0;
  while (!accept.empty()) {
    std::string_view element = next_part(accept, ',');
    const int match = match_of(next_part(element, ';'), type);
    if (match <= best_match) continue;
    best_match = match;
    weight = 1000;
    while (!element.empty()) {
      const std::string_view parameter = next_part(element, ';');
      if (parameter.starts_with("q=") || parameter.starts_with("Q="))
        weight = parse_weight(parameter.substr(2));
    }
  }
  return weight;
}

}  // namespace

std::optional<Format> negotiate(const Request& request) {
  const std::string_view accept = header_of(request, "accept");
  if (accept.empty()) return Format::json;
  const int json = weight_of(accept, "application/json");
  const int csv = weight_of(accept, "text/csv");
  if (json == 0 && csv == 0) return std::nullopt;
  return csv > json ? Format::csv : Format::json;
}

Response not_acceptable() {
  return problem(406, "Accept: this answer comes as application/json or text/csv");
}

Response json_response(std::string body) {
  body += '\n';
  return {
      .status = 200, .content_type = "application/json", .body = std::move(body), .headers = {}};
}

Response csv_response(std::string body) {
  return {.status = 200,
          .content_type = "text/csv; charset=utf-8",
          .body = std::move(body),
          .headers = {}};
}

std::string_view header_of(const Request& request, std::string_view name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string_view() : found->second;
}

}  // namespace meterline::api
