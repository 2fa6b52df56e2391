#pragma once

namespace meterline::cli {

/// What the process tells the shell.
enum ExitCode : int {
  exit_ok = 0,             ///< All stored, or answered.
  exit_failed = 1,         ///< Something failed, or what was asked for is not there.
  exit_usage = 2,          ///< The command line is wrong.
  exit_rejected = 3,       ///< Done, but rows or readings were rejected.
  exit_no_store = 4,       ///< There is no store yet where one is asked.
  exit_in_use = 5,         ///< Another process owns the store.
  exit_no_permission = 6,  ///< This user may not read the store, or not change it.
};

}  // namespace meterline::cli
