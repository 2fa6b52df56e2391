#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/cassandra/cql_cells.h"
#include "store/cassandra/cql_session.h"
#include "store/cassandra/schema.h"

namespace meterline::store::cassandra {

/// Takes the selected columns of one row.
using RowVisitor = std::function<Result<void>(CqlRow& row)>;

/// Keys that are read at once: of any reads, and of those that bring a few rows each.
inline constexpr std::size_t reads_in_flight = 16;
inline constexpr std::size_t short_reads_in_flight = 128;

/// A session with the statements prepared for the tables of one keyspace: those that read from the
/// beginning, those that write when they are first wanted, so that asking needs no right to write.
///
/// Threads: every method may be called from many threads at once.
class Tables {
 public:
  /// A keyspace that has the tables, but no word yet of which schema they are, holds an empty
  /// store of this one: whoever makes tables by other means than init cannot write rows.
  /// Errors: `not_found` when the keyspace holds no store, `refused` when its schema is another
  /// or its tables are others, and those of CqlSession.
  static Result<std::unique_ptr<Tables>> open(std::unique_ptr<CqlSession> session,
                                              std::string_view keyspace, Dialect dialect);

  /// To be called before the first write; then it does nothing. Notes the schema where it is not.
  /// Errors: `refused` when the tables are others or the user may not write.
  Result<void> prepare_writes() const;

  /// The same before the first amendment.
  Result<void> prepare_amendments() const;

  const std::string& keyspace() const { return keyspace_; }
  Dialect dialect() const { return dialect_; }
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
  Tables(std::unique_ptr<CqlSession> session, std::string_view keyspace, Dialect dialect)
      : session_(std::move(session)), keyspace_(keyspace), dialect_(dialect) {}
  enum class Kind { reads, writes };
  Result<void> prepare(Kind kind) const;
  Result<void> prepare(std::span<const StatementText> texts) const;
  Result<void> check_schema();
  Result<void> note_schema() const;

  std::unique_ptr<CqlSession> session_;
  std::string keyspace_;
  Dialect dialect_;
  bool has_schema_ = false;  ///< When it was opened.
  mutable std::mutex writes_mutex_;
  mutable bool can_write_ = false;
  mutable bool can_amend_ = false;
  mutable std::array<CqlStatement, statements_count + amend_statements_count> prepared_{};
};

/// Visits the rows of a page. `corrupt` when they are not what was selected.
Result<void> visit_rows(const CqlPage& page, const RowVisitor& visit);

/// What a visitor returns that has seen enough; `read` of is_enough() is no failure.
tl::unexpected<Error> enough();
bool is_enough(const Result<void>& read);

/// Fails with what to do when this meterline cannot read a store of the schemas that are noted.
Result<void> check_version(std::string_view keyspace, const std::vector<std::string>& names);

}  // namespace meterline::store::cassandra
