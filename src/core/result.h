#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace meterline {

/// What went wrong, as far as a caller may act on it.
enum class Errc {
  invalid_argument,  ///< The caller asked for something that cannot be.
  not_found,         ///< The thing asked for does not exist.
  too_large,         ///< A documented limit is exceeded; the message names the limit.
  unavailable,       ///< May succeed later, unchanged: a lock, a full disk, a cut connection.
  corrupt,           ///< Stored or received bytes are not what they should be.
  refused,           ///< A whole file cannot be taken in; the message says why.
  cancelled,         ///< Stopped on request before it was done.
};

struct Error {
  Errc code;
  std::string message;  ///< For people: what was wrong, where, and what to do about it.
};

/// A value or an Error; the compiler warns when a caller drops it.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::unexpected<Error>(Error{.code = code, .message = std::move(message)});
}

}  // namespace meterline
