#pragma once

#include <cstdint>
#include <tl/expected.hpp>
#include <utility>

#include "core/result.h"

namespace meterline::store {

/// Why a store is not opened, as far as who wants it may act on it.
enum class OpenFault : std::uint8_t {
  other,
  no_store,       ///< Nobody has made one there.
  in_use,         ///< Another process owns it.
  no_permission,  ///< This user may not read it, or not write into it.
};

/// An error of opening a store.
struct OpenError : Error {
  OpenError(Error error, OpenFault why = OpenFault::other) : Error(std::move(error)), fault(why) {}
  OpenFault fault;
};

/// A Result that also tells the fault; it becomes a Result by itself.
template <class T>
using Opening = tl::expected<T, OpenError>;

}  // namespace meterline::store
