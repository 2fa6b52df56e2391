#pragma once

#include "core/instant.h"

namespace meterline::cli {

/// The system's clock: the only place that reads it for deliveries and answers.
Instant now();

}  // namespace meterline::cli
