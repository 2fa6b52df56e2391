#pragma once

#include <exception>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "core/result.h"

namespace meterline {

/// What the bridges to drivers/ throw is `code|text`; see drivers/src/failure.rs.
Error error_of_bridge(std::string_view thrown);

/// Calls into a bridge; what it throws becomes an Error.
template <class Call>
auto guarded(const Call& call) -> Result<std::invoke_result_t<Call>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
      call();
      return {};
    } else {
      return call();
    }
  } catch (const std::invalid_argument& thrown) {  // Text that is not UTF-8.
    return fail(Errc::invalid_argument, thrown.what());
  } catch (const std::exception& thrown) {
    return tl::unexpected(error_of_bridge(thrown.what()));
  }
}

}  // namespace meterline
