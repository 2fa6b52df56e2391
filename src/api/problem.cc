#include "api/problem.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json_writer.h"

namespace meterline::api {

std::string_view phrase_of(int status) {
  using Phrase = std::pair<int, std::string_view>;
  constexpr std::array phrases = {
      Phrase{200, "OK"},
      Phrase{201, "Created"},
      Phrase{204, "No Content"},
      Phrase{304, "Not Modified"},
      Phrase{307, "Temporary Redirect"},
      Phrase{400, "Bad Request"},
      Phrase{401, "Unauthorized"},
      Phrase{403, "Forbidden"},
      Phrase{404, "Not Found"},
      Phrase{405, "Method Not Allowed"},
      Phrase{406, "Not Acceptable"},
      Phrase{413, "Content Too Large"},
      Phrase{414, "URI Too Long"},
      Phrase{417, "Expectation Failed"},
      Phrase{422, "Unprocessable Content"},
      Phrase{429, "Too Many Requests"},
      Phrase{431, "Request Header Fields Too Large"},
      Phrase{500, "Internal Server Error"},
      Phrase{501, "Not Implemented"},
      Phrase{503, "Service Unavailable"},
      Phrase{505, "HTTP Version Not Supported"},
  };
  const auto* found = std::find_if(phrases.begin(), phrases.end(),
                                   [&](const Phrase& phrase) { return phrase.first == status; });
  return found == phrases.end() ? "Unknown" : found->second;
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
  JsonWriter json;
  json.begin_object()
      .member("type", std::string_view("about:blank"))
      .member("title", phrase_of(status))
      .member("status", status)
      .member("detail", detail)
      .end_object();
  return {.status = status,
          .content_type = "application/problem+json",
          .body = json.take(),
          .headers = {}};
}

Response plain_error(int status, std::string_view detail) {
  JsonWriter json;
  json.begin_object().member("error", detail).end_object();
  return {.status = status, .content_type = "application/json", .body = json.take(), .headers = {}};
}

}  // namespace meterline::api
