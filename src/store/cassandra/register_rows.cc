#include "store/cassandra/register_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/try.h"
#include "store/cassandra/registry.h"
#include "store/packed_read.h"
#include "store/register_reads.h"

namespace meterline::store::cassandra {
namespace {

constexpr char separator = '\n';

tl::unexpected<Error> damaged(const MeterId& meter) {
  return fail(Errc::corrupt, "the store holds a damaged register read of meter " + meter.text());
}

std::optional<MeterRegister> parse_register(std::string_view text) {
  const auto first = text.find(separator);
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = text.find(separator, first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  auto channel = parse_channel(text.substr(0, first));
  if (!channel) return std::nullopt;
  return MeterRegister{.channel = *std::move(channel),
                       .id = std::string(text.substr(first + 1, second - first - 1)),
                       .serial = std::string(text.substr(second + 1))};
}

/// Takes the rows of select_reads and visits them time by time, registers in their order.
class RowsByTime {
 public:
  RowsByTime(const ReadsQuery& query, EventsRead& events, const ReadVisitor& visit)
      : query_(query), events_(events), visit_(visit) {}

  Result<void> add(CqlRow& row) {
    const Instant at{.micros = row.bigint()};
    auto of = parse_register(row.text());
    const auto version = row.blob();
    const auto packed = row.blob();
    if (!row.ok() || !of || version.size() != version_key_bytes) return damaged(query_.meter);
    if (!held_.empty() && held_.back().read.current.time.at != at) METERLINE_CHECK(finish());
    const auto key = parse_version_key(version);
    if (key.version.received > query_.as_of) return {};
    Held& added = held_.emplace_back();
    added.key = key;
    added.read.meter = query_.meter;
    added.read.of = *std::move(of);
    added.read.current.time.at = at;
    return unpack_read(packed, added.read);
  }

  /// Visits what is held.
  Result<void> finish() {
    METERLINE_TRY(const auto* events, events_.get());
    // Versions of a register come newest first already.
    std::stable_sort(held_.begin(), held_.end(),
                     [](const Held& a, const Held& b) { return a.read.of < b.read.of; });
    for (std::size_t i = 0; i < held_.size(); ++i) {
      const auto& [read, key] = held_[i];
      if (is_said_again(i)) continue;
      METERLINE_CHECK(visit_({.read = read,
                              .version = key.version,
                              .delivery = key.delivery,
                              .withdrawn = events->is_withdrawn(key.delivery, query_.as_of)}));
    }
    held_.clear();
    return {};
  }

 private:
  struct Held {
    RegisterRead read;
    VersionKey key;
  };

  /// As of days: of a delivery that was received twice, the later receipt stands for both.
  bool is_said_again(std::size_t at) const {
    const Held& row = held_[at];
    for (std::size_t i = at; i-- > 0 && held_[i].read.of == row.read.of;)
      if (held_[i].key.delivery == row.key.delivery) return true;
    return false;
  }

  const ReadsQuery& query_;
  EventsRead& events_;
  const ReadVisitor& visit_;
  std::vector<Held> held_;  ///< Of one time.
};

Result<void> read_rows(const Tables& tables, const ReadsQuery& query, EventsRead& events,
                       const ReadVisitor& visit) {
  if (query.to < query.from) return {};
  CqlCells key;
  key.text(query.meter.text());
  key.bigint(query.from.micros);
  key.bigint(query.to.micros);
  RowsByTime reads(query, events, visit);
  METERLINE_CHECK(
      tables.read_rows(Statement::select_reads, key, [&](CqlRow& row) { return reads.add(row); }));
  return reads.finish();
}

}  // namespace

std::string register_text(const MeterRegister& of) {
  return channel_text(of.channel) + separator + of.id + separator + of.serial;
}

Result<void> read_register_rows(const Tables& tables, const ReadsQuery& query,
                                const ReadVisitor& visit) {
  EventsRead events(tables);
  return read_rows(tables, query, events, visit);
}

Result<void> each_read_row(const Tables& tables, const MeterId& meter,
                           const std::function<Result<void>(const ReadRow&)>& visit) {
  const auto all = all_reads_of(meter);
  CqlCells key;
  key.text(meter.text());
  key.bigint(all.from.micros);
  key.bigint(all.to.micros);
  return tables.read_rows(Statement::select_reads, key, [&](CqlRow& row) -> Result<void> {
    ReadRow read{.at = {.micros = row.bigint()}, .of = {}, .version = {}};
    read.of = row.text();
    read.version = row.blob();
    row.blob();
    if (!row.ok() || read.version.size() != version_key_bytes) return damaged(meter);
    return visit(read);
  });
}

Result<bool> counts_any_read(const Tables& tables, const MeterId& meter, EventsRead& events) {
  bool any = false;
  const auto read =
      read_rows(tables, all_reads_of(meter), events, [&](const StoredRead& stored) -> Result<void> {
        any = !stored.withdrawn;
        return any ? enough() : Result<void>();
      });
  if (!is_enough(read)) METERLINE_CHECK(read);
  return any;
}

}  // namespace meterline::store::cassandra
