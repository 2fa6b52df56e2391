#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "core/result.h"

namespace meterline::http {

struct FetchLimits {
  std::size_t bytes_max = 1 << 20;
  std::chrono::milliseconds time{10'000};  ///< For all of it.
};

/// Whether fetch() takes the URL: `https://HOST[:PORT]/PATH`, and `http://` of this machine only.
/// Errors: `invalid_argument`.
Result<void> check_fetch_url(const std::string& url);

/// The body of what a URL leads to. The server must prove its name by a certificate that this
/// machine trusts; it is not followed elsewhere. Errors: `invalid_argument`; `unavailable` for
/// everything but an answer of status 200 within the limits.
Result<std::string> fetch(const std::string& url, const FetchLimits& limits = {});

}  // namespace meterline::http
