#include "cli/logging.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/clock.h"
#include "cli/session.h"
#include "core/text.h"

namespace meterline::cli {

void add_log_options(CLI::App& verb, LogOptions& options) {
  verb.add_option("--log-format", options.format,
                  options.format.empty()
                      ? "text or json: a line for each event (default: text on a terminal, else "
                        "json)"
                      : "json, with metrics that CloudWatch reads, or text")
      ->capture_default_str()
      ->check(CLI::IsMember({"json", "text"}));
  verb.add_option("--log-level", options.level, "The least that is told: info, warning or error")
      ->capture_default_str()
      ->check(CLI::IsMember({"info", "warning", "error"}));
}

Result<std::unique_ptr<telemetry::Log>> open_log(const LogOptions& options) {
  const std::string by_default = isatty(STDERR_FILENO) == 1 ? "text" : "json";
  const auto format =
      telemetry::parse_log_format(options.format.empty() ? by_default : options.format);
  if (!format)
    return fail(Errc::invalid_argument, fmt::format("--log-format: want json or text, got \"{}\"",
                                                    excerpt_of(options.format)));
  const auto level = telemetry::parse_log_level(options.level);
  if (!level)
    return fail(Errc::invalid_argument,
                fmt::format("--log-level: want info, warning or error, got \"{}\"",
                            excerpt_of(options.level)));
  return std::make_unique<telemetry::Log>(*format, tell, now, *level);
}

}  // namespace meterline::cli
