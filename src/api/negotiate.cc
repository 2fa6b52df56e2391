#include <algorithm>

#include "api/accept.h"
#include "api/problem.h"
#include "api/routes.h"
#include "core/text.h"

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
  const std::string name = lower(range);
  if (name == type) return 3;
  if (name.ends_with("/*") && type.starts_with(name.substr(0, name.size() - 1))) return 2;
  return name == "*/*" ? 1 : 0;
}

/// The weight that an Accept header gives a type: that of the range that names it best.
int weight_of(std::string_view accept, std::string_view type) {
  int best_match = 0;
  int weight = 0;
  while (!accept.empty()) {
    const auto accepted = take_accepted(accept);
    const int match = match_of(accepted.name, type);
    if (match <= best_match) continue;
    best_match = match;
    weight = accepted.weight;
  }
  return weight;
}

/// The weight that an Accept-Encoding header gives a coding by its name.
std::optional<int> coding_weight(std::string_view accept_encoding, std::string_view name) {
  while (!accept_encoding.empty()) {
    const auto [coding, weight] = take_accepted(accept_encoding);
    if (lower(coding) == name) return weight;
  }
  return std::nullopt;
}

}  // namespace

Accepted take_accepted(std::string_view& header) {
  std::string_view element = next_part(header, ',');
  Accepted accepted{.name = next_part(element, ';')};
  while (!element.empty()) {
    const std::string_view parameter = next_part(element, ';');
    if (parameter.starts_with("q=") || parameter.starts_with("Q="))
      accepted.weight = parse_weight(parameter.substr(2));
  }
  return accepted;
}

bool takes_gzip(std::string_view accept_encoding) {
  const int any = coding_weight(accept_encoding, "*").value_or(0);
  return coding_weight(accept_encoding, "gzip").value_or(any) > 0;
}

std::optional<source::Packing> packing_for(std::string_view accept_encoding) {
  const int any = coding_weight(accept_encoding, "*").value_or(0);
  const int gzip = coding_weight(accept_encoding, "gzip").value_or(any);
  const int zstd = coding_weight(accept_encoding, "zstd").value_or(0);
  if (zstd > 0 && zstd >= gzip) return source::Packing::zstd;
  return gzip > 0 ? std::optional(source::Packing::gzip) : std::nullopt;
}

std::optional<std::size_t> preferred(const Request& request,
                                     std::initializer_list<std::string_view> types) {
  const std::string_view accept = header_of(request, "accept");
  if (accept.empty()) return 0;
  std::optional<std::size_t> best;
  int best_weight = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const int weight = weight_of(accept, types.begin()[i]);
    if (weight <= best_weight) continue;
    best_weight = weight;
    best = i;
  }
  return best;
}

std::optional<Format> negotiate(const Request& request) {
  const auto type = preferred(request, {"application/json", "text/csv"});
  if (!type) return std::nullopt;
  return *type == 0 ? Format::json : Format::csv;
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
