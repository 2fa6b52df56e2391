#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/cassandra/cql_session.h"
#include "store/cassandra/schema.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// A store on a cluster.
struct CassandraOptions {
  Dialect dialect = Dialect::cassandra;
  std::string keyspace;
  CqlOptions cql;
};

/// Reads a store's URL; `secret_of` answers for names of the environment, empty when unset.
///   cassandra://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...]/KEYSPACE[?OPTION=VALUE[&...]]
///   keyspaces://REGION/KEYSPACE[?OPTION=VALUE[&...]]
/// Options: `dc` (data centre), `user`, `tls` (on or off; always on for keyspaces), `ca` (file),
/// `server-name`, `connections` (to each node), `timeout` (seconds, of a request with all its
/// tries). The password is better kept in METERLINE_CASSANDRA_PASSWORD.
/// Errors: `invalid_argument`; the message never contains a password.
Result<CassandraOptions> parse_cassandra_url(
    std::string_view url, const std::function<std::string(const std::string& name)>& environment);

/// Connects to a store: tables that `init_cassandra_store` made, or others did just so. Never
/// changes its schema.
/// Errors: `not_found` when there is none, `refused` when a newer meterline made it or its tables
/// are others, and those of CqlSession.
Result<std::unique_ptr<Store>> open_cassandra_store(const CassandraOptions& options);

/// What was made.
struct MadeStore {
  bool keyspace = false;            ///< false: it was there.
  std::vector<std::string> tables;  ///< Those that were not there.
  Replication replication;          ///< Of the keyspace, if it was made.
};

/// Makes keyspace and tables where they are missing, and waits until they can be used. Without
/// centres, `copies` are kept in every data centre there is.
Result<MadeStore> init_cassandra_store(const CassandraOptions& options, Replication replication,
                                       int copies);

}  // namespace meterline::store::cassandra
