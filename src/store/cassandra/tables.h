#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  /// store of this one: whoever makes tables by other means than init cannot write rows. Who
  /// writes first into it gives it `buckets`.
  /// Errors: `not_found` when the keyspace holds no store, `refused` when its schema is another
  /// or its tables are others, and those of CqlSession.
  static Result<std::unique_ptr<Tables>> open(std::unique_ptr<CqlSession> session,
                                              std::string_view keyspace, Dialect dialect,
                                              int buckets = buckets_min);

  /// To be called before the first write; then it does nothing. Notes schema and buckets where they
  /// are not. Errors: `refused` when the tables are others or the user may not write, or where
  /// another program has just given the store another number of buckets.
  Result<void> prepare_writes() const;

  /// The same before the first amendment.
  Result<void> prepare_amendments() const;

  /// As it is noted; of a store that is empty and has none, what it would be given, asked again
  /// every time.
  Result<Layout> layout() const;

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
  Tables(std::unique_ptr<CqlSession> session, std::string_view keyspace, Dialect dialect,
         int buckets)
      : session_(std::move(session)), keyspace_(keyspace), dialect_(dialect), buckets_(buckets) {}
  enum class Kind { reads, writes };
  Result<void> prepare(Kind kind) const;
  Result<void> prepare(std::span<const StatementText> texts) const;
  Result<std::vector<std::string>> names_of(std::string_view kind) const;
  Result<void> read_layout() const;
  Result<void> note_name(std::string_view kind, int number) const;
  Result<void> note_layout() const;

  std::unique_ptr<CqlSession> session_;
  std::string keyspace_;
  Dialect dialect_;
  int buckets_;  ///< Of a store that has no number yet.
  mutable std::mutex layout_mutex_;
  mutable std::optional<Layout> layout_;  ///< Once it is noted.
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

/// What the catalogue says, by names of the kinds schema_kind and buckets_kind; none where no
/// schema is noted. Fails with what to do when this meterline cannot read such a store.
Result<std::optional<Layout>> layout_of(std::string_view keyspace,
                                        const std::vector<std::string>& schemas,
                                        const std::vector<std::string>& numbers);

}  // namespace meterline::store::cassandra
