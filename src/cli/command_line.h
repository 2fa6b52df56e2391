#pragma once

#include "cli/session.h"

namespace meterline::cli {

/// Runs the command line of `meterline` and returns the exit code; see exit_code.h.
int run(int argc, const char* const* argv, const Application& application);

}  // namespace meterline::cli
