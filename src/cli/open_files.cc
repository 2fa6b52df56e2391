#include "cli/open_files.h"

#include <algorithm>

namespace meterline::cli {
namespace {

/// The system refuses to raise the limit above its own (fs.nr_open), which is this as a rule.
constexpr rlim_t open_files_max = 1 << 20;

}  // namespace

std::optional<rlim_t> raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  rlimit raised = limit;
  raised.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, open_files_max));
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

}  // namespace meterline::cli
