#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/session.h"

namespace meterline::cli {

struct LintVerb {
  std::vector<std::string> paths;  ///< As for an ingest.
  FileOptions files;
  std::size_t findings_max = 100'000;  ///< Told of each file; counts are never capped.
};

/// `meterline lint`: tells all that is found in files, and stores nothing. `rejected` if anything
/// is; see exit_code.h.
int lint(const LintVerb& verb, const Session& session);

}  // namespace meterline::cli
