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

/// An error as RFC 9457 problem details.
Response problem(int status, std::string_view detail);

/// An error in the form of the first customer's contract: `{"error":"..."}`.
Response plain_error(int status, std::string_view detail);

}  // namespace meterline::api
