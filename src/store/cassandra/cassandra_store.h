#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  /// That a store will have which is not made to its end yet; of one that is, it changes nothing.
  std::int64_t expected_meters = 0;
  CqlOptions cql;
};

/// Reads a store's URL; `secret_of` answers for names of the environment, empty when unset.
///   cassandra://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...]/KEYSPACE[?OPTION=VALUE[&...]]
///   keyspaces://REGION/KEYSPACE[?OPTION=VALUE[&...]]
/// Options: `dc` (data centre), `user`, `tls` (on or off; always on for keyspaces), `ca` (file),
/// `server-name`, `connections` (to each node), `timeout` (seconds, of a request with all its
/// tries), `expected-meters`. The password is better kept in METERLINE_CASSANDRA_PASSWORD.
/// Errors: `invalid_argument`; the message never contains a password.
Result<CassandraOptions> parse_cassandra_url(
    std::string_view url, const std::function<std::string(const std::string& name)>& environment);

/// Connects to a store: tables that `init_cassandra_store` made, or others did just so. Never
/// changes its schema.
/// Errors: `not_found` when there is none, `refused` when a newer meterline made it or its tables
/// are others, and those of CqlSession.
Result<std::unique_ptr<Store>> open_cassandra_store(const CassandraOptions& options);

inline constexpr int copies_default = 3;

/// How many nodes keep a day. Neither: a new keyspace has copies_default in every data centre, and
/// one that is there keeps what it has. Keyspaces has no choice, and looks at none of it.
struct Copies {
  Replication by_centre = {};
  std::optional<int> everywhere = {};  ///< In every data centre; not with `by_centre`.
};

/// Of a store that is made.
struct InitPlan {
  Copies copies = {};
  std::int64_t expected_meters = 0;  ///< 0 to expected_meters_max; 0: as CassandraOptions say.
};

enum class MadeKeyspace : std::uint8_t { found, made, altered };

/// What was made.
struct MadeStore {
  MadeKeyspace keyspace = MadeKeyspace::found;
  std::vector<std::string> tables;  ///< Those that were not there.
  Replication replication;          ///< Of the keyspace, if it was made or altered.
  int buckets = 0;                  ///< That the store has.
  bool is_spread_anew = false;      ///< Whether it was given them just now.
};

/// Makes keyspace and tables where they are missing, and waits until they can be used. A keyspace
/// that has nothing but tables of ours, into which nobody has written, not even init its schema, is
/// given the copies that are asked for.
/// Errors: `invalid_argument`, before anything is made, where a data centre has fewer nodes than
/// copies; `refused` where a store that is in use would have to have others, or more buckets for
/// the meters that are expected; `unavailable` where Keyspaces takes too long; and those of
/// CqlSession.
Result<MadeStore> init_cassandra_store(const CassandraOptions& options, const InitPlan& plan);

/// Between two looks at what Keyspaces makes in the background, as a rule within half a minute.
using InitPause = std::function<void()>;
inline constexpr int init_polls_max = 300;

/// The same over a session.
Result<MadeStore> init_cassandra_store(CqlSession& session, const std::string& keyspace,
                                       Dialect dialect, const InitPlan& plan,
                                       const InitPause& pause);

}  // namespace meterline::store::cassandra
