#pragma once

#include <memory>
#include <string>

#include "cli/parser.h"
#include "core/result.h"
#include "telemetry/log.h"

namespace meterline::cli {

/// Of the verbs that run until they are stopped.
struct LogOptions {
  std::string format;  ///< Empty: text on a terminal, else JSON.
  std::string level = "info";
};

/// `--log-format` and `--log-level`.
void add_log_options(CLI::App& verb, LogOptions& options);

/// A log on standard error. Errors: `invalid_argument`, for texts that are none of the options'.
Result<std::unique_ptr<telemetry::Log>> open_log(const LogOptions& options);

}  // namespace meterline::cli
