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
      fmt::format("keyspace {} holds a store of schema {}; this meterline knows schemas {} and {}: "
                  "{}",
                  keyspace, number, schema_version_first, schema_version, advice));
}

Result<int> number_in(std::string_view keyspace, std::string_view what, const std::string& name) {
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) return number;
  return fail(Errc::corrupt,
              fmt::format("keyspace {} says that its {} is \"{}\", which is no number", keyspace,
                          what, name));
}

}  // namespace

Result<std::unique_ptr<Tables>> Tables::open(std::unique_ptr<CqlSession> session,
                                             std::string_view keyspace, Dialect dialect,
                                             int buckets) {
  std::unique_ptr<Tables> tables(new Tables(std::move(session), keyspace, dialect, buckets));
  METERLINE_CHECK(tables->prepare(Kind::reads));
  METERLINE_CHECK(tables->layout());
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

Result<std::vector<std::string>> Tables::names_of(std::string_view kind) const {
  CqlCells key;
  key.text(kind);
  key.text("");
  key.text("~");
  std::vector<std::string> names;
  METERLINE_CHECK(read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
    names.emplace_back(row.text());
    return {};
  }));
  return names;
}

Result<void> Tables::read_layout() const {
  METERLINE_TRY(const auto schemas, names_of(schema_kind));
  if (schemas.empty()) return {};
  // Noted before the schema was, so it is there.
  METERLINE_TRY(const auto numbers, names_of(buckets_kind));
  METERLINE_TRY(layout_, layout_of(keyspace_, schemas, numbers));
  return {};
}

Result<Layout> Tables::layout() const {
  const std::scoped_lock lock(layout_mutex_);
  if (!layout_) METERLINE_CHECK(read_layout());
  return layout_.value_or(Layout{.buckets = buckets_});
}

Result<void> Tables::prepare_writes() const {
  const std::scoped_lock lock(writes_mutex_);
  if (can_write_) return {};
  METERLINE_CHECK(prepare(Kind::writes));
  const std::scoped_lock layout_lock(layout_mutex_);
  if (!layout_) METERLINE_CHECK(read_layout());
  if (!layout_) METERLINE_CHECK(note_layout());
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

Result<void> Tables::note_name(std::string_view kind, int number) const {
  CqlCells cells;
  cells.text(kind);
  cells.text(std::to_string(number));
  const auto writer = session_->writer({});
  METERLINE_CHECK(writer->write((*this)[Statement::insert_name], cells.bytes(), 1));
  return writer->finish();
}

/// The number first: a schema without it cannot be read. One that an init noted, and then ended, is
/// kept.
Result<void> Tables::note_layout() const {
  METERLINE_TRY(const auto numbers, names_of(buckets_kind));
  if (numbers.empty()) METERLINE_CHECK(note_name(buckets_kind, buckets_));
  METERLINE_CHECK(note_name(schema_kind, schema_version));
  return read_layout();
}

Result<std::optional<Layout>> layout_of(std::string_view keyspace,
                                        const std::vector<std::string>& schemas,
                                        const std::vector<std::string>& numbers) {
  bool has_number = false;
  for (const auto& name : schemas) {
    METERLINE_TRY(const int number, number_in(keyspace, "schema", name));
    if (number < schema_version_first || number > schema_version)
      return other_schema(keyspace, number);
    has_number = has_number || number == schema_version;
  }
  if (schemas.empty()) return std::optional<Layout>();
  if (!has_number) return std::optional(layout_of_schema_3);
  if (numbers.size() != 1)
    return fail(
        Errc::refused,
        fmt::format("keyspace {} says that it has {} buckets: programs that expected different "
                    "numbers of meters made it in the same moment; load its files into a new "
                    "keyspace that `meterline store init` makes",
                    keyspace,
                    numbers.empty() ? "no" : fmt::format("{}", fmt::join(numbers, " and "))));
  METERLINE_TRY(const int buckets, number_in(keyspace, "number of buckets", numbers.front()));
  if (buckets < 1 || buckets > buckets_max)
    return fail(Errc::corrupt, fmt::format("keyspace {} says that it has {} buckets; 1 to {} are "
                                           "possible",
                                           keyspace, buckets, buckets_max));
  return std::optional(Layout{.buckets = buckets});
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
