#pragma once

namespace meterline::cli {

/// What the process tells the shell.
enum ExitCode : int {
  exit_ok = 0,        ///< All stored, or answered.
  exit_failed = 1,    ///< Something failed, or what was asked for is not there.
  exit_usage = 2,     ///< The command line is wrong.
  exit_rejected = 3,  ///< Done, but rows or readings were rejected.
};

}  // namespace meterline::cli
