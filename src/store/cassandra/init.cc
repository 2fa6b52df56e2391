#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "core/try.h"
#include "store/cassandra/cassandra_store.h"
#include "store/cassandra/tables.h"

namespace meterline::store::cassandra {
namespace {

constexpr std::chrono::milliseconds init_poll{1000};

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

/// Names of data centres with how many nodes each has.
using Centres = std::map<std::string, int, std::less<>>;

/// A node tells of itself and of its peers, a row for each. Whichever nodes of the data centre that
/// is asked answer the two questions, the numbers are the same.
Result<Centres> nodes_of(CqlSession& session) {
  Centres nodes;
  for (const auto cql : {select_centres, select_centres_of_peers}) {
    METERLINE_TRY(const auto names, texts_of(session, cql));
    for (const auto& name : names) ++nodes[name];
  }
  return nodes;
}

/// What a keyspace keeps: of the map that Cassandra shows, `class` and then copies by data centre.
/// The simple strategy knows none, and counts as so many in each.
Replication replication_in(std::string_view map, const Centres& nodes) {
  Replication replication;
  CqlRow cells(map.substr(std::min(map.size(), sizeof(std::int32_t))));  // How many there are.
  while (!cells.at_end() && cells.ok()) {
    const std::string name(cells.text());
    const auto value = cells.text();
    int copies = 0;
    // Transient copies are counted behind a slash, which ends the number.
    std::from_chars(value.data(), value.data() + value.size(), copies);
    if (name == "class") continue;
    if (name != "replication_factor")
      replication.centres.push_back({.name = name, .copies = copies});
    else
      for (const auto& [centre, count] : nodes)
        replication.centres.push_back({.name = centre, .copies = copies});
  }
  std::ranges::sort(replication.centres, {}, &Replication::Centre::name);
  return replication;
}

/// None where there is no such keyspace.
Result<std::optional<Replication>> kept_replication(CqlSession& session, std::string_view keyspace,
                                                    const Centres& nodes) {
  METERLINE_TRY(const auto maps,
                texts_of(session, fmt::format(fmt::runtime(select_replication), keyspace)));
  if (maps.empty()) return std::optional<Replication>();
  return std::optional(replication_in(maps.front(), nodes));
}

std::string text_of(const Replication& replication) {
  std::vector<std::string> parts;
  parts.reserve(replication.centres.size());
  for (const auto& [name, copies] : replication.centres)
    parts.push_back(fmt::format("{}={}", name, copies));
  return fmt::format("{}", fmt::join(parts, ","));
}

/// Fewer nodes than copies: no quorum would ever be there, or one that a lost node takes along.
Result<void> check_nodes(const Replication& replication, const Centres& nodes) {
  for (const auto& [name, copies] : replication.centres) {
    const auto found = nodes.find(name);
    if (found == nodes.end()) {
      std::vector<std::string_view> known;
      for (const auto& node : nodes) known.emplace_back(node.first);
      return fail(Errc::invalid_argument,
                  fmt::format("--data-centres: the cluster has no data centre {}, but {}", name,
                              fmt::join(known, ", ")));
    }
    if (copies > found->second)
      return fail(
          Errc::invalid_argument,
          fmt::format("{} copies of a day do not fit into the data centre {}, which has {} {}: say "
                      "how many it is to keep by --replication {} or --data-centres {}={}, or "
                      "start more nodes first",
                      copies, name, found->second, found->second == 1 ? "node" : "nodes",
                      found->second, name, found->second));
  }
  return {};
}

/// Keyspaces has no choice of its files, and takes no word of them.
Result<Storage> storage_in(CqlSession& session, Dialect dialect) {
  if (dialect == Dialect::keyspaces) return Storage::of_cluster;
  METERLINE_TRY(const auto releases, texts_of(session, select_release));
  return releases.empty() ? Storage::of_cluster : storage_of_release(releases.front());
}

bool is_in(std::string_view name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<bool> are_active(CqlSession& session, std::string_view keyspace) {
  std::size_t active = 0;
  METERLINE_CHECK(session.query(fmt::format(fmt::runtime(select_table_states), keyspace),
                                [&](std::size_t, const CqlPage& page) {
                                  return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                    const bool own = std::ranges::find(table_names, row.text()) !=
                                                     table_names.end();
                                    const bool is_active = row.text() == "ACTIVE";
                                    active += own && is_active ? 1 : 0;
                                    return {};
                                  });
                                }));
  return active == table_names.size();
}

/// Keyspaces makes a keyspace in the background, too: no table can be made before it is shown.
Result<bool> is_shown(CqlSession& session, std::string_view keyspace) {
  METERLINE_TRY(const auto shown,
                texts_of(session, fmt::format(fmt::runtime(select_ready_keyspace), keyspace)));
  return !shown.empty();
}

/// `what` is made in the background; `is_made` tells whether it can be used.
template <class Made>
Result<void> wait_until(const Made& is_made, const std::string& what, const InitPause& pause) {
  for (int i = 0; i < init_polls_max; ++i) {
    METERLINE_TRY(const bool made, is_made());
    if (made) return {};
    pause();
  }
  return fail(Errc::unavailable, fmt::format("{} cannot be used yet, after {} looks at it; run "
                                             "`meterline store init` again later",
                                             what, init_polls_max));
}

Result<std::vector<std::string>> names_of(CqlSession& session, std::string_view keyspace,
                                          std::string_view kind) {
  return texts_of(session,
                  fmt::format("SELECT name FROM {}.catalogue WHERE kind = '{}'", keyspace, kind));
}

/// What the catalogue says; no layout before the store was made to its end.
struct Noted {
  std::optional<Layout> layout;
  std::vector<std::string> numbers;  ///< Of buckets.
};
Result<Noted> noted_in(CqlSession& session, std::string_view keyspace) {
  METERLINE_TRY(const auto schemas, names_of(session, keyspace, schema_kind));
  Noted noted;
  METERLINE_TRY(noted.numbers, names_of(session, keyspace, buckets_kind));
  METERLINE_TRY(noted.layout, layout_of(keyspace, schemas, noted.numbers));
  return noted;
}

/// What is asked for, in every data centre where none is named.
Replication wanted(const Copies& copies, const Centres& nodes) {
  Replication replication = copies.by_centre;
  if (replication.centres.empty())
    for (const auto& [name, count] : nodes)
      replication.centres.push_back(
          {.name = name, .copies = copies.everywhere.value_or(copies_default)});
  std::ranges::sort(replication.centres, {}, &Replication::Centre::name);
  return replication;
}

/// Makes the keyspace, or gives one that is there and was never used the copies that are asked for.
Result<void> settle_keyspace(CqlSession& session, const std::string& keyspace, const Copies& copies,
                             MadeStore& made) {
  METERLINE_TRY(const auto nodes, nodes_of(session));
  METERLINE_TRY(const auto kept, kept_replication(session, keyspace, nodes));
  if (!kept) {
    made.replication = wanted(copies, nodes);
    METERLINE_CHECK(check_nodes(made.replication, nodes));
    METERLINE_CHECK(
        session.execute(create_keyspace(keyspace, made.replication, Dialect::cassandra)));
    made.keyspace = MadeKeyspace::made;
    return {};
  }
  METERLINE_TRY(const auto tables, tables_of(session, keyspace));
  Noted noted;
  if (is_in("catalogue", tables)) {
    METERLINE_TRY(noted, noted_in(session, keyspace));
  }
  const bool is_asked = copies.everywhere || !copies.by_centre.centres.empty();
  const Replication target = is_asked ? wanted(copies, nodes) : *kept;
  // A store that is in use may have lost nodes; that is no reason against looking at its tables.
  if (!noted.layout || is_asked) METERLINE_CHECK(check_nodes(target, nodes));
  if (target.centres == kept->centres) return {};
  const bool is_ours = std::ranges::all_of(tables, [](const std::string& table) {
    return std::ranges::find(table_names, table) != table_names.end();
  });
  if (noted.layout || !is_ours)
    return fail(
        Errc::refused,
        fmt::format("keyspace {} {} and keeps {}: other copies take ALTER KEYSPACE and "
                    "`nodetool repair`, or another keyspace",
                    keyspace, is_ours ? "is in use" : "has tables of others", text_of(*kept)));
  METERLINE_CHECK(session.execute(alter_keyspace(keyspace, target)));
  made.keyspace = MadeKeyspace::altered;
  made.replication = target;
  return {};
}

Result<void> settle_on_keyspaces(CqlSession& session, const std::string& keyspace,
                                 const InitPause& pause, MadeStore& made) {
  const auto shown = [&] { return is_shown(session, keyspace); };
  METERLINE_TRY(const bool is_there, shown());
  if (is_there) return {};
  METERLINE_CHECK(session.execute(create_keyspace(keyspace, {}, Dialect::keyspaces)));
  made.keyspace = MadeKeyspace::made;
  return wait_until(shown, "keyspace " + keyspace, pause);
}

/// A store never gets other buckets: its rows lie by them.
Result<void> check_buckets(std::string_view keyspace, int buckets, std::int64_t expected) {
  if (buckets_for(expected) <= buckets) return {};
  return fail(Errc::refused,
              fmt::format("--expected-meters {}: keyspace {} has {} buckets for good, which suit "
                          "{} meters; make another keyspace, and bring the store there by "
                          "`meterline export` and `ingest`",
                          expected, keyspace, buckets, buckets * meters_of_bucket));
}

/// The number before the schema, which cannot be read without it.
Result<void> settle_layout(CqlSession& session, const std::string& keyspace, std::int64_t expected,
                           MadeStore& made) {
  METERLINE_TRY(const auto noted, noted_in(session, keyspace));
  made.buckets = buckets_for(expected);
  if (noted.layout) made.buckets = noted.layout->buckets;
  if (noted.layout) return check_buckets(keyspace, made.buckets, expected);
  std::vector<std::string> numbers = noted.numbers;
  const auto note = [&](std::string_view kind, int number) {
    return session.execute(fmt::format("INSERT INTO {}.catalogue (kind, name) VALUES ('{}', '{}')",
                                       keyspace, kind, number));
  };
  if (numbers.empty()) {
    METERLINE_CHECK(note(buckets_kind, made.buckets));
    numbers.push_back(std::to_string(made.buckets));
  }
  // That of an init which was ended before it noted the schema stays.
  METERLINE_TRY(const auto layout, layout_of(keyspace, {std::to_string(schema_version)}, numbers));
  made.buckets = layout->buckets;
  METERLINE_CHECK(check_buckets(keyspace, made.buckets, expected));
  made.is_spread_anew = true;
  return note(schema_kind, schema_version);
}

}  // namespace

Result<MadeStore> init_cassandra_store(CqlSession& session, const std::string& keyspace,
                                       Dialect dialect, const InitPlan& plan,
                                       const InitPause& pause) {
  const bool on_keyspaces = dialect == Dialect::keyspaces;
  MadeStore made;
  METERLINE_CHECK(on_keyspaces ? settle_on_keyspaces(session, keyspace, pause, made)
                               : settle_keyspace(session, keyspace, plan.copies, made));
  METERLINE_TRY(const auto before, tables_of(session, keyspace));
  if (is_in("catalogue", before)) {
    METERLINE_TRY(const auto noted, noted_in(session, keyspace));
    if (noted.layout)
      METERLINE_CHECK(check_buckets(keyspace, noted.layout->buckets, plan.expected_meters));
  }
  METERLINE_TRY(const auto storage, storage_in(session, dialect));
  const auto statements = create_tables(keyspace, storage);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (is_in(table_names[i], before)) continue;
    METERLINE_CHECK(session.execute(statements[i]));
    made.tables.emplace_back(table_names[i]);
  }
  if (on_keyspaces)
    METERLINE_CHECK(wait_until([&] { return are_active(session, keyspace); },
                               fmt::format("a table of keyspace {}", keyspace), pause));
  METERLINE_CHECK(settle_layout(session, keyspace, plan.expected_meters, made));
  return made;
}

Result<MadeStore> init_cassandra_store(const CassandraOptions& options, const InitPlan& plan) {
  METERLINE_TRY(const auto session, connect_cql(options.cql));
  InitPlan whole = plan;
  if (whole.expected_meters == 0) whole.expected_meters = options.expected_meters;
  return init_cassandra_store(*session, options.keyspace, options.dialect, whole,
                              [] { std::this_thread::sleep_for(init_poll); });
}

}  // namespace meterline::store::cassandra
