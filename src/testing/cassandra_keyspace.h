#pragma once

#include <filesystem>
#include <memory>

#include "core/result.h"
#include "store/cassandra/cassandra_store.h"
#include "store/store.h"

namespace meterline::testing {

/// The cluster that the environment names (tests/with_cassandra.py sets it): nodes in
/// METERLINE_TEST_CASSANDRA, and where there is a login, METERLINE_TEST_CASSANDRA_USER,
/// _PASSWORD and _CA. Throws when there is none.
store::cassandra::CassandraOptions cassandra_options(const std::string& keyspace);

/// The store that belongs to a folder of a test: empty the first time, as it was left after that.
/// All folders of a process take turns in one keyspace, so only the latest one's may be used.
Result<std::unique_ptr<store::Store>> open_cassandra_of(const std::filesystem::path& folder);

}  // namespace meterline::testing
