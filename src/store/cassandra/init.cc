#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/try.h"
#include "store/cassandra/cassandra_store.h"
#include "store/cassandra/tables.h"

namespace meterline::store::cassandra {
namespace {

/// Keyspaces makes tables in the background, as a rule within half a minute.
constexpr std::chrono::seconds active_wait_max{300};
constexpr std::chrono::milliseconds active_poll{1000};

Result<std::vector<std::string>> texts_of(CqlSession& session, std::string_view cql) {
  std::vector<std::string> texts;
  METERLINE_CHECK(session.query(cql, [&](std::size_t, const CqlPage& page) {
    return visit_rows(page, [&](CqlRow& row) -> Result<void> {
      texts.emplace_back(row.text());
      return {};
    });
  }));
  return texts;
}

Result<std::vector<std::string>> tables_of(CqlSession& session, std::string_view keyspace) {
  return texts_of(session, fmt::format(fmt::runtime(select_tables), keyspace));
}

/// `copies` in every data centre.
Result<Replication> everywhere(CqlSession& session, int copies) {
  METERLINE_TRY(auto names, texts_of(session, select_centres));
  METERLINE_TRY(const auto peers, texts_of(session, select_centres_of_peers));
  names.insert(names.end(), peers.begin(), peers.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  Replication replication;
  for (auto& name : names) replication.centres.push_back({.name = name, .copies = copies});
  return replication;
}

bool is_in(std::string_view name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<bool> are_active(CqlSession& session, std::string_view keyspace) {
  std::size_t active = 0;
  METERLINE_CHECK(session.query(fmt::format(fmt::runtime(select_table_states), keyspace),
                                [&](std::size_t, const CqlPage& page) {
                                  return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                    const bool own =
                                        std::find(table_names.begin(), table_names.end(),
                                                  row.text()) != table_names.end();
                                    active += own && row.text() == "ACTIVE" ? 1 : 0;
                                    return {};
                                  });
                                }));
  return active == table_names.size();
}

Result<void> wait_until_active(CqlSession& session, std::string_view keyspace) {
  const auto end = std::chrono::steady_clock::now() + active_wait_max;
  for (;;) {
    METERLINE_TRY(const bool active, are_active(session, keyspace));
    if (active) return {};
    if (std::chrono::steady_clock::now() > end)
      return fail(Errc::unavailable,
                  fmt::format("the tables of keyspace {} are not ACTIVE after {} s; run "
                              "`meterline store init` again later",
                              keyspace, active_wait_max.count()));
    std::this_thread::sleep_for(active_poll);
  }
}

/// What the catalogue says of the schema; none before the store was made to its end.
Result<std::vector<std::string>> schemas_of(CqlSession& session, std::string_view keyspace) {
  const auto cql =
      fmt::format("SELECT name FROM {}.catalogue WHERE kind = '{}'", keyspace, schema_kind);
  return texts_of(session, cql);
}

}  // namespace

Result<MadeStore> init_cassandra_store(const CassandraOptions& options, Replication replication,
                                       int copies) {
  METERLINE_TRY(const auto session, connect_cql(options.cql));
  const std::string& keyspace = options.keyspace;
  MadeStore made;
  METERLINE_TRY(const auto keyspaces,
                texts_of(*session, fmt::format(fmt::runtime(select_keyspace), keyspace)));
  if (keyspaces.empty()) {
    if (replication.centres.empty() && options.dialect == Dialect::cassandra) {
      METERLINE_TRY(replication, everywhere(*session, copies));
    }
    METERLINE_CHECK(session->execute(create_keyspace(keyspace, replication, options.dialect)));
    made.keyspace = true;
    made.replication = std::move(replication);
  }
  METERLINE_TRY(const auto before, tables_of(*session, keyspace));
  if (is_in("catalogue", before)) {
    METERLINE_TRY(const auto schemas, schemas_of(*session, keyspace));
    METERLINE_CHECK(check_version(keyspace, schemas));
  }
  const auto statements = create_tables(keyspace);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (is_in(table_names[i], before)) continue;
    METERLINE_CHECK(session->execute(statements[i]));
    made.tables.emplace_back(table_names[i]);
  }
  if (options.dialect == Dialect::keyspaces) METERLINE_CHECK(wait_until_active(*session, keyspace));
  METERLINE_CHECK(
      session->execute(fmt::format("INSERT INTO {}.catalogue (kind, name) VALUES ('{}', '{}')",
                                   keyspace, schema_kind, schema_version)));
  return made;
}

}  // namespace meterline::store::cassandra
