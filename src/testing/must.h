#pragma once

#include <stdexcept>
#include <utility>

#include "core/result.h"

namespace meterline::testing {

/// The value of what must not fail here; throws the error's message otherwise.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
/// The same of what tells more in its error.
template <class T, class Failure>
T must(tl::expected<T, Failure> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message);
}

}  // namespace meterline::testing
