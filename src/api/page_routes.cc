#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "api/accept.h"
#include "api/page_files.h"
#include "api/problem.h"
#include "api/routes.h"
#include "core/text.h"
#include "core/try.h"
#include "source/expand.h"

namespace meterline::api {
namespace {

/// It runs its own scripts and styles, talks to its own server, and is shown in no frame.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";
/// The renderer of the reference writes HTML, of a document that is this program's own, and has its
/// icons in its styles (decision 0044).
constexpr std::string_view docs_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The name of a file changes with its content.
constexpr std::string_view for_good = "public, max-age=31536000, immutable";
constexpr std::string_view asked_for_anew = "no-cache";

/// Whether an Accept header names the type itself, as a browser that follows a link does.
bool names_html(std::string_view accept) {
  while (!accept.empty()) {
    const auto accepted = take_accepted(accept);
    if (lower(accepted.name) == "text/html") return accepted.weight > 0;
  }
  return false;
}

/// Relative, so that it also leads there behind a proxy that serves all this below a path.
Response to(std::string_view place) {
  Response response{.status = 307, .content_type = "text/plain; charset=utf-8"};
  response.body = fmt::format("The page is at {}\n", place);
  response.headers["Location"] = place;
  response.headers["Cache-Control"] = asked_for_anew;
  response.headers["Vary"] = "Accept";
  return response;
}

Result<std::string> unpacked(std::string_view packed) {
  METERLINE_TRY(auto content, source::expand(source::make_memory_source(packed)));
  constexpr std::size_t piece_bytes = 64 << 10;
  std::string text;
  std::string piece(piece_bytes, '\0');
  while (true) {
    METERLINE_TRY(const auto bytes, content.bytes->read(piece));
    if (bytes == 0) return text;
    text.append(piece, 0, bytes);
  }
}

Result<Response> respond_with(const PageFile& file, const Request& request,
                              std::string_view policy) {
  Response response{.content_type = std::string(file.content_type)};
  response.headers["Content-Security-Policy"] = policy;
  response.headers["Vary"] = "Accept-Encoding";
  if (!takes_gzip(header_of(request, "accept-encoding"))) {
    METERLINE_TRY(response.body, unpacked(file.packed));
    return response;
  }
  response.body = file.packed;
  response.headers["Content-Encoding"] = "gzip";
  response.headers["ETag"] = file.etag;
  response.headers["Cache-Control"] = file.name.empty() ? asked_for_anew : for_good;
  return response;
}

Result<Response> find_file(const Call& call, std::span<const PageFile> files,
                           std::string_view policy, std::string_view place) {
  if (files.empty())
    return problem(404, "this program was built without the page (-DMETERLINE_WEB=OFF)");
  const std::string& name = call.captured.front();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const PageFile& file) { return file.name == name; });
  if (found == files.end())
    return problem(404,
                   fmt::format("the page has no file {}; it is at {}", excerpt_of(name), place));
  return respond_with(*found, call.request, policy);
}

}  // namespace

bool leads_to_page(const Request& request) {
  return split_target(request.target.text()).query.empty() &&
         names_html(header_of(request, "accept")) && !page_files().empty();
}

Result<Response> get_root(const Call& call) {
  return leads_to_page(call.request) ? to("ui/") : get_daily_sum(call);
}

Result<Response> get_page_below(const Call& call) {
  static_cast<void>(call);
  return to("ui/");
}

Result<Response> get_page_file(const Call& call) {
  return find_file(call, page_files(), page_policy, "/ui/");
}

Result<Response> get_docs_below(const Call& call) {
  static_cast<void>(call);
  return to("docs/");
}

Result<Response> get_docs_file(const Call& call) {
  return find_file(call, docs_files(), docs_policy, "/docs/");
}

}  // namespace meterline::api
