#pragma once

#include <sys/resource.h>

#include <optional>

namespace meterline::cli {

/// Raises the limit of files that this process may have open as far as it goes, and returns it;
/// empty where that cannot be told.
std::optional<rlim_t> raise_open_files();

}  // namespace meterline::cli
