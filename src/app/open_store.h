#pragma once

#include <memory>
#include <string>

#include "cli/session.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::app {

/// Opens the store that `url` names; the one place that knows the backends.
///   rocksdb:DIR    a folder of this machine
/// `owner` is shown to other processes that want the same store.
/// Errors: `invalid_argument` for a URL of no known kind, and those of the backends.
Result<std::unique_ptr<store::Store>> open_store(const std::string& url, cli::OpenMode mode,
                                                 const std::string& owner);

}  // namespace meterline::app
