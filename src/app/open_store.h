#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/session.h"
#include "core/result.h"
#include "store/estimate.h"
#include "store/open_error.h"
#include "store/repair.h"
#include "store/store.h"

namespace meterline::app {

/// Opens the store that `url` names; the one place that knows the backends.
///   rocksdb:DIR                                    a folder of this machine
///   cassandra://HOST/KEYSPACE, keyspaces://...     see store/cassandra/cassandra_store.h
/// `owner` is shown to other processes that want the same store.
/// Errors: `invalid_argument` for a URL of no known kind, and those of the backends.
store::Opening<std::unique_ptr<store::Store>> open_store(const std::string& url, cli::OpenMode mode,
                                                         const std::string& owner);

/// Lets other processes hand their changes to this one, which owns the store in a folder; null for
/// one on a cluster.
Result<std::shared_ptr<const void>> share_store(const std::string& url, store::Store& store);

/// Makes the store that `url` names. Errors as for open_store(), and `invalid_argument` for options
/// that this kind of store does not have.
Result<std::vector<std::string>> init_store(const std::string& url, const cli::InitOptions& options,
                                            const std::string& owner);

/// Repairs the store in a folder; `invalid_argument` for one on a cluster.
Result<store::RepairReport> repair_store(const std::string& url, store::RepairMode mode,
                                         const std::string& owner);

/// How stores in folders are backed up and restored; `invalid_argument` for one on a cluster, which
/// has its own means.
cli::Backups backups(const std::string& owner);

/// Counts what loads cost on Amazon Keyspaces; null where this program was built without it.
Result<std::unique_ptr<store::Pricing>> open_pricing(const std::string& url);

/// The kinds of store that this program was built with, for `--version`.
std::string store_kinds();

}  // namespace meterline::app
