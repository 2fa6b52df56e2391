#include "store/cassandra/tables.h"

#include <fmt/format.h>

#include <charconv>

#include "core/try.h"

namespace meterline::store {
namespace {

constexpr std::string_view enough_text = "enough was read";

bool has_tables(const std::vector<std::string>& names) {
  for (const auto wanted : table_names)
    if (std::find(names.begin(), names.end(), wanted) == names.end()) return false;
  return true;
}

/// Tells a store that was never made from a cluster that cannot be asked.
Result<void> check_tables(CqlSession& session, std::string_view keyspace) {
  std::vector<std::string> names;
  METERLINE_CHECK(session.query(fmt::format(fmt::runtime(select_tables), keyspace),
                                [&](std::size_t, const CqlPage& page) {
                                  return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                    names.emplace_back(row.text());
                                    return {};
                                  });
                                }));
  if (has_tables(names)) return {};
  return fail(Errc::not_found,
              fmt::format("keyspace {} holds no store; `meterline store init --store URL` makes it",
                          keyspace));
}

tl::unexpected<Error> not_prepared(std::string_view keyspace, const Error& error) {
  if (error.code != Errc::invalid_argument) return tl::unexpected(error);
  return fail(
      Errc::refused,
      fmt::format("keyspace {} cannot be used: its tables are not as `meterline store init` "
                  "makes them, or the user lacks rights: {}",
                  keyspace, error.message));
}

}  // namespace

Result<std::unique_ptr<Tables>> Tables::open(std::unique_ptr<CqlSession> session,
                                             std::string_view keyspace) {
  METERLINE_CHECK(check_tables(*session, keyspace));
  std::unique_ptr<Tables> tables(new Tables(std::move(session), keyspace));
  for (const auto& text : statements()) {
    const auto prepared = tables->session_->prepare(
        text.name, fmt::format(fmt::runtime(text.cql), keyspace), text.page_rows);
    if (!prepared) return not_prepared(keyspace, prepared.error());
    tables->prepared_[static_cast<std::size_t>(text.statement)] = *prepared;
  }
  METERLINE_CHECK(tables->check_schema());
  return tables;
}

Result<void> Tables::check_schema() const {
  CqlCells key;
  key.text(schema_kind);
  key.text("");
  key.text("~");
  std::vector<std::string> names;
  METERLINE_CHECK(read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
    names.emplace_back(row.text());
    return {};
  }));
  return check_version(keyspace_, names);
}

Result<void> check_version(std::string_view keyspace, const std::vector<std::string>& names) {
  if (names.empty())
    return fail(Errc::not_found, fmt::format("keyspace {} holds a store that was not made to its "
                                             "end; run `meterline store init --store URL` again",
                                             keyspace));
  int version = 0;
  for (const auto& name : names) {
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size())
      return fail(Errc::corrupt,
                  fmt::format("keyspace {} says that its schema is \"{}\", which is no number",
                              keyspace, name));
    version = std::max(version, number);
  }
  if (version == schema_version) return {};
  return fail(Errc::refused,
              fmt::format("keyspace {} holds a store of schema {}; this meterline knows schema {}: "
                          "use the meterline that made it, or a newer one",
                          keyspace, version, schema_version));
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

}  // namespace meterline::store
