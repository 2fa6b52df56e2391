#pragma once

#include <atomic>

#include "core/result.h"

namespace meterline {

/// Tells long work to end early once it is set, from whatever thread; null:
/// nobody will.
using StopFlag = const std::atomic<bool>*;

/// `cancelled` once it is set.
inline Result<void> check_stop(StopFlag stop) {
  if (stop != nullptr && stop->load(std::memory_order_relaxed))
    return fail(Errc::cancelled, "stopped on request");
  return {};
}

}  // namespace meterline
