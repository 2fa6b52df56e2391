#include "api/problem.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/json_writer.h"

namespace meterline::api {

namespace {

using Phrase = std::pair<int, std::string_view>;

/// Of the answers that are no problems.
constexpr std::array phrases = {
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{204, "No Content"},
    Phrase{304, "Not Modified"},
    Phrase{307, "Temporary Redirect"},
};

/// What a client is told of a kind of errors, beside the detail of the one that it met.
struct ProblemKind {
  int status;
  std::string_view slug;  ///< Ends the type's URI.
  std::string_view title;
  std::string_view meaning;  ///< HTML.
};

/// The first of a status is the one that its status alone says.
constexpr std::array problem_kinds = {
    ProblemKind{400, "bad-request", "Bad Request",
                "A parameter, the path, a header or the body is not as it must be: a parameter is "
                "unknown, missing, given twice, or has a value that is not allowed. The detail "
                "names it and what it may be. The same request fails again."},
    ProblemKind{401, "unauthorized", "Unauthorized",
                "This server wants to know who asks. Send <code>Authorization: Bearer KEY</code> "
                "with a key that is known, not revoked and not expired."},
    ProblemKind{403, "forbidden", "Forbidden",
                "Who asks is known and may not do this, or a page of another site asks. The detail "
                "names what is lacking."},
    ProblemKind{404, "not-found", "Not Found",
                "There is nothing at this path, or no such meter or delivery. What a key may not "
                "see is not found, either."},
    ProblemKind{405, "method-not-allowed", "Method Not Allowed",
                "The path is right and takes other methods: those in <code>Allow</code>."},
    ProblemKind{406, "not-acceptable", "Not Acceptable",
                "<code>Accept</code> takes none of the forms in which this answer comes."},
    ProblemKind{409, "request-in-progress", "Conflict",
                "Another request with this <code>Idempotency-Key</code> is being answered. Send "
                "the same again after <code>Retry-After</code> to get its answer."},
    ProblemKind{413, "content-too-large", "Content Too Large",
                "The body, or an answer where its size is limited, has too many bytes. Send the "
                "file compressed or in parts, or ask for less at once."},
    ProblemKind{414, "uri-too-long", "URI Too Long", "The path and query have too many bytes."},
    ProblemKind{417, "expectation-failed", "Expectation Failed",
                "<code>Expect</code> may be <code>100-continue</code> and nothing else."},
    ProblemKind{422, "refused", "Unprocessable Content",
                "The request is well-formed and cannot be carried out with what is stored; the "
                "detail says why."},
    ProblemKind{422, "idempotency-key-reused", "Idempotency-Key Reused",
                "This <code>Idempotency-Key</code> was sent before with another file or other "
                "parameters. Nothing was loaded. Make a new key for each file."},
    ProblemKind{429, "too-many-requests", "Too Many Requests",
                "More is asked with this key than it may. Wait as many seconds as "
                "<code>Retry-After</code> says."},
    ProblemKind{431, "header-too-large", "Request Header Fields Too Large",
                "The headers, or what stands around the chunks of the body, have too many bytes."},
    ProblemKind{500, "internal-error", "Internal Server Error",
                "The server failed, not the request. Its log says why, under the "
                "<code>X-Request-Id</code> of the answer."},
    ProblemKind{501, "not-implemented", "Not Implemented",
                "A <code>Transfer-Encoding</code> that this server does not understand."},
    ProblemKind{503, "unavailable", "Service Unavailable",
                "The server has too much to do, is stopping, or cannot reach its store. With "
                "<code>Retry-After</code> trying again helps; without, the detail says what has to "
                "be done first."},
    ProblemKind{505, "http-version-not-supported", "HTTP Version Not Supported",
                "Speak HTTP/1.1 or HTTP/1.0."},
};

const ProblemKind* find_kind(int status) {
  const auto* found = std::find_if(problem_kinds.begin(), problem_kinds.end(),
                                   [&](const ProblemKind& kind) { return kind.status == status; });
  return found == problem_kinds.end() ? nullptr : found;
}

Response problem_of(int status, const ProblemKind* kind, std::string_view detail) {
  JsonWriter json;
  json.begin_object()
      .member("type", kind == nullptr ? "about:blank" : fmt::format("/problems#{}", kind->slug))
      .member("title", kind == nullptr ? phrase_of(status) : kind->title)
      .member("status", status)
      .member("detail", detail)
      .end_object();
  return {.status = status,
          .content_type = "application/problem+json",
          .body = json.take(),
          .headers = {}};
}

}  // namespace

std::string_view phrase_of(int status) {
  const auto* found = std::find_if(phrases.begin(), phrases.end(),
                                   [&](const Phrase& phrase) { return phrase.first == status; });
  if (found != phrases.end()) return found->second;
  const auto* const kind = find_kind(status);
  return kind == nullptr ? "Unknown" : kind->title;
}

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::too_large:
      return 400;
    case Errc::not_found:
      return 404;
    case Errc::refused:
      return 422;
    case Errc::unavailable:
    case Errc::cancelled:
      return 503;
    case Errc::corrupt:
      return 500;
  }
  return 500;
}

Response problem(int status, std::string_view detail) {
  return problem_of(status, find_kind(status), detail);
}

Response key_reused(std::string_view detail) {
  const auto* const kind =
      std::find_if(problem_kinds.begin(), problem_kinds.end(),
                   [](const ProblemKind& each) { return each.slug == "idempotency-key-reused"; });
  return problem_of(kind->status, kind, detail);
}

std::string problems_page() {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Problems</title>\n"
      "<h1>Problems</h1>\n<p>What an answer of type <code>application/problem+json</code> means, "
      "by its <code>type</code>.</p>\n";
  for (const auto& kind : problem_kinds)
    html += fmt::format("<h2 id=\"{}\">{} {}</h2>\n<p>{}</p>\n", kind.slug, kind.status, kind.title,
                        kind.meaning);
  return html;
}

Response plain_error(int status, std::string_view detail) {
  JsonWriter json;
  json.begin_object().member("error", detail).end_object();
  return {.status = status, .content_type = "application/json", .body = json.take(), .headers = {}};
}

}  // namespace meterline::api
