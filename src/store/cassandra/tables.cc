#include "store/cassandra/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <set>

#include "core/try.h"

namespace meterline::store::cassandra {
namespace {

constexpr std::string_view enough_text = "enough was read";

/// Tells a store that was never made, or only in part, from a cluster that cannot be asked.
Result<void> check_tables(CqlSession& session, std::string_view keyspace) {
  std::set<std::string, std::less<>> missing(table_names.begin(), table_names.end());
  METERLINE_CHECK(session.query(fmt::format(fmt::runtime(select_tables), keyspace),
                                [&](std::size_t, const CqlPage& page) {
                                  return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                    const auto found = missing.find(row.text());
                                    if (found != missing.end()) missing.erase(found);
                                    return {};
                                  });
                                }));
  if (missing.empty()) return {};
  const std::string what = missing.size() == table_names.size()
                               ? "holds no store"
                               : fmt::format("lacks {}", fmt::join(missing, ", "));
  return fail(
      Errc::not_found,
      fmt::format("keyspace {} {}; `meterline store init --store URL` makes it", keyspace, what));
}

/// Why statements cannot be prepared.
Result<void> not_prepared(CqlSession& session, std::string_view keyspace, const Error& error) {
  if (error.code != Errc::invalid_argument) return tl::unexpected(error);
  METERLINE_CHECK(check_tables(session, keyspace));
  return fail(
      Errc::refused,
      fmt::format("keyspace {} cannot be used: its tables are not as `meterline store init` "
                  "makes them, or the user lacks rights: {}",
                  keyspace, error.message));
}

tl::unexpected<Error> other_schema(std::string_view keyspace, int number) {
  const std::string_view advice =
      number > schema_version
          ? "use the meterline that made it, or a newer one"
          : "load its files again, into a new keyspace that `meterline store init` makes";
  return fail(
      Errc::refused,
      fmt::format("keyspace {} holds a store of schema {}; this meterline knows schema {}: {}",
                  keyspace, number, schema_version, advice));
}

}  // namespace

Result<std::unique_ptr<Tables>> Tables::open(std::unique_ptr<CqlSession> session,
                                             std::string_view keyspace, Dialect dialect) {
  std::unique_ptr<Tables> tables(new Tables(std::move(session), keyspace, dialect));
  METERLINE_CHECK(tables->prepare(Kind::reads));
  METERLINE_CHECK(tables->check_schema());
  return tables;
}

Result<void> Tables::prepare(Kind kind) const {
  std::vector<StatementText> wanted;
  for (const auto& text : statements())
    if ((text.page_rows == 0) == (kind == Kind::writes)) wanted.push_back(text);
  return prepare(wanted);
}

Result<void> Tables::prepare(std::span<const StatementText> wanted) const {
  std::vector<CqlSession::Text> texts;
  texts.reserve(wanted.size());
  for (const auto& text : wanted)
    texts.push_back({.name = std::string(text.name),
                     .cql = fmt::format(fmt::runtime(text.cql), keyspace_),
                     .page_rows = text.page_rows});
  const auto prepared = session_->prepare(texts);
  if (!prepared) return not_prepared(*session_, keyspace_, prepared.error());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    prepared_[static_cast<std::size_t>(wanted[i].statement)] = (*prepared)[i];
  return {};
}

Result<void> Tables::check_schema() {
  CqlCells key;
  key.text(schema_kind);
  key.text("");
  key.text("~");
  std::vector<std::string> names;
  METERLINE_CHECK(read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
    names.emplace_back(row.text());
    return {};
  }));
  has_schema_ = !names.empty();
  return check_version(keyspace_, names);
}

Result<void> Tables::prepare_writes() const {
  const std::scoped_lock lock(writes_mutex_);
  if (can_write_) return {};
  METERLINE_CHECK(prepare(Kind::writes));
  if (!has_schema_) METERLINE_CHECK(note_schema());
  can_write_ = true;
  return {};
}

Result<void> Tables::prepare_amendments() const {
  METERLINE_CHECK(prepare_writes());
  const std::scoped_lock lock(writes_mutex_);
  if (can_amend_) return {};
  METERLINE_CHECK(prepare(amend_statements()));
  can_amend_ = true;
  return {};
}

Result<void> Tables::note_schema() const {
  CqlCells cells;
  cells.text(schema_kind);
  cells.text(std::to_string(schema_version));
  const auto writer = session_->writer({});
  METERLINE_CHECK(writer->write((*this)[Statement::insert_name], cells.bytes(), 1));
  return writer->finish();
}

Result<void> check_version(std::string_view keyspace, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size())
      return fail(Errc::corrupt,
                  fmt::format("keyspace {} says that its schema is \"{}\", which is no number",
                              keyspace, name));
    if (number != schema_version) return other_schema(keyspace, number);
  }
  return {};
}

Result<void> Tables::read_pages(Statement statement, const CqlCells& keys, std::size_t count,
                                const CqlPageVisitor& visit, std::size_t in_flight) const {
  if (count == 0) return {};
  return session_->read((*this)[statement], keys.bytes(), count, {.in_flight = in_flight}, visit);
}

Result<void> Tables::read_rows(Statement statement, const CqlCells& key, const RowVisitor& visit,
                               std::chrono::milliseconds deadline) const {
  return session_->read((*this)[statement], key.bytes(), 1, {.deadline = deadline},
                        [&](std::size_t, const CqlPage& page) { return visit_rows(page, visit); });
}

Result<void> visit_rows(const CqlPage& page, const RowVisitor& visit) {
  CqlRow row(page.cells);
  for (std::size_t i = 0; i < page.rows; ++i) {
    METERLINE_CHECK(visit(row));
    if (!row.ok())
      return fail(Errc::corrupt, "the store holds a row with a value missing or of a wrong length");
  }
  return {};
}

tl::unexpected<Error> enough() { return fail(Errc::cancelled, std::string(enough_text)); }

bool is_enough(const Result<void>& read) {
  return !read && read.error().code == Errc::cancelled && read.error().message == enough_text;
}

}  // namespace meterline::store::cassandra
