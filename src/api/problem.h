#pragma once

#include <string>
#include <string_view>

#include "api/api.h"
#include "core/result.h"

namespace meterline::api {

/// The reason phrase of a status this program answers with: `Not Found`.
std::string_view phrase_of(int status);

/// The status that tells an error to an HTTP client.
int status_of(Errc code);

/// An error as RFC 9457 problem details. Its type leads to what problems_page() says of the status.
Response problem(int status, std::string_view detail);

/// 422 for an Idempotency-Key that was sent with another request before: a problem of its own.
Response key_reused(std::string_view detail);

/// A page in HTML that says of each problem what it is and what to do.
std::string problems_page();

/// An error in the form of the first customer's contract: `{"error":"..."}`.
Response plain_error(int status, std::string_view detail);

}  // namespace meterline::api
