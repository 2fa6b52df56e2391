#include "testing/cassandra_keyspace.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "core/try.h"

namespace meterline::testing {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// Makes the keyspace of this process, or empties it.
Result<void> empty_keyspace(const store::cassandra::CassandraOptions& options) {
  static bool made = false;
  if (!made) {
    METERLINE_CHECK(store::cassandra::init_cassandra_store(options, {.copies = {.everywhere = 1}}));
    made = true;
    // It is emptied hundreds of times, which takes a tenth of the time without a commit log.
    METERLINE_TRY(const auto session, store::cassandra::connect_cql(options.cql));
    return session->execute(
        fmt::format("ALTER KEYSPACE {} WITH durable_writes = false", options.keyspace));
  }
  METERLINE_TRY(const auto session, store::cassandra::connect_cql(options.cql));
  for (const auto table : store::cassandra::table_names)
    METERLINE_CHECK(session->execute(fmt::format("TRUNCATE {}.{}", options.keyspace, table)));
  METERLINE_CHECK(store::cassandra::init_cassandra_store(options, {.copies = {.everywhere = 1}}));
  return {};
}

}  // namespace

store::cassandra::CassandraOptions cassandra_options(const std::string& keyspace) {
  const std::string nodes = environment("METERLINE_TEST_CASSANDRA");
  if (nodes.empty())
    throw std::runtime_error("METERLINE_TEST_CASSANDRA is not set: run tests/with_cassandra.py");
  const std::string ca = environment("METERLINE_TEST_CASSANDRA_CA");
  std::string url = fmt::format("cassandra://{}/{}", nodes, keyspace);
  if (!ca.empty()) url += "?ca=" + ca;
  const auto options = store::cassandra::parse_cassandra_url(url, [](const std::string& name) {
    return environment(("METERLINE_TEST_" + name.substr(std::string("METERLINE_").size())).c_str());
  });
  if (!options) throw std::runtime_error(options.error().message);
  return *options;
}

Result<std::unique_ptr<store::Store>> open_cassandra_of(const std::filesystem::path& folder) {
  const auto options = cassandra_options(fmt::format("test_{}", getpid()));
  const auto used = folder / "keyspace-is-in-use";
  if (!exists(used)) {
    METERLINE_CHECK(empty_keyspace(options));
    std::ofstream(used) << options.keyspace;
  }
  return store::cassandra::open_cassandra_store(options);
}

}  // namespace meterline::testing
