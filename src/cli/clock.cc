#include "cli/clock.h"

#include <chrono>

namespace meterline::cli {

Instant now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {.micros = std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
}

}  // namespace meterline::cli
