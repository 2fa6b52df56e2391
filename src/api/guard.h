#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/api.h"
#include "core/result.h"

namespace meterline::api {

/// Whether a web page of another site sent it, which must change nothing through its visitor's
/// browser; the door may know that site. Source: Fetch Metadata Request Headers (W3C), RFC 6454
/// (7).
bool is_from_other_site(const Request& request, const Door* door);

/// Whether a page of a site that the door knows asks; it may read the answer.
bool is_from_known_site(const Request& request, const Door* door);

/// What somebody is told who is not let in: 401, 403 or 429.
struct Refusal {
  int status = 0;
  std::string detail;
  std::map<std::string, std::string> headers = {};
  std::shared_ptr<const access::Caller> caller = nullptr;  ///< Where he is known.
};

/// Who asks, where the door lets him do what he wants to; null where there is no login.
tl::expected<std::shared_ptr<const access::Caller>, Refusal> let_in(const Request& request,
                                                                    const Context& context,
                                                                    Needs needs);

/// The answer to a page that asks what it may send (Fetch Standard, CORS-preflight); nothing where
/// it is none.
std::optional<Response> preflight(const Request& request, const Door* door);

/// Lets pages of known sites read the answer.
void add_cors(const Request& request, const Door& door, Response& response);

/// Writes what was answered to whom to the audit log, where that tells of such. An answer that
/// could not be written becomes 503.
void audit(const Request& request, const Context& context, const access::Caller* caller,
           Response& response);

}  // namespace meterline::api
