#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/cassandra/cql_cells.h"
#include "store/cassandra/cql_session.h"
#include "store/cassandra/schema.h"

namespace meterline::store {

/// Takes the selected columns of one row.
using RowVisitor = std::function<Result<void>(CqlRow& row)>;

/// Keys that are read at once: of any reads, and of those that bring a few rows each.
inline constexpr std::size_t reads_in_flight = 16;
inline constexpr std::size_t short_reads_in_flight = 128;

/// A session with every statement prepared for the tables of one keyspace.
///
/// Threads: every method may be called from many threads at once.
class Tables {
 public:
  /// Errors: `not_found` when the keyspace holds no store, `refused` when a newer meterline made
  /// it, and those of CqlSession.
  static Result<std::unique_ptr<Tables>> open(std::unique_ptr<CqlSession> session,
                                              std::string_view keyspace);

  const std::string& keyspace() const { return keyspace_; }
  CqlSession& session() const { return *session_; }
  CqlStatement operator[](Statement statement) const {
    return prepared_[static_cast<std::size_t>(statement)];
  }

  /// See CqlSession::read. What the keys in flight bring is held in memory until its turn.
  Result<void> read_pages(Statement statement, const CqlCells& keys, std::size_t count,
                          const CqlPageVisitor& visit,
                          std::size_t in_flight = reads_in_flight) const;
  /// Reads by one key, row by row. An error from the visitor ends the reading and is returned.
  Result<void> read_rows(Statement statement, const CqlCells& key, const RowVisitor& visit,
                         std::chrono::milliseconds deadline = {}) const;

 private:
  Tables(std::unique_ptr<CqlSession> session, std::string_view keyspace)
      : session_(std::move(session)), keyspace_(keyspace) {}
  Result<void> check_schema() const;

  std::unique_ptr<CqlSession> session_;
  std::string keyspace_;
  std::array<CqlStatement, statements_count> prepared_{};
};

/// Visits the rows of a page. `corrupt` when they are not what was selected.
Result<void> visit_rows(const CqlPage& page, const RowVisitor& visit);

/// What a visitor returns that has seen enough; `read` of is_enough() is no failure.
tl::unexpected<Error> enough();
bool is_enough(const Result<void>& read);

/// The version that the store has is not readable by this meterline; says what to do.
Result<void> check_version(std::string_view keyspace, const std::vector<std::string>& names);

}  // namespace meterline::store
