#include "store/cassandra/delivery_rows.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"
#include "store/cassandra/event_rows.h"
#include "store/delivery_codec.h"

namespace meterline::store::cassandra {
namespace {

/// The first row of a delivery, at content 0 and part 0, is its record (which begins with the
/// number of its format, 1 or more) or, for a long one, this byte, the content's hash and the
/// number of parts that stand under that hash.
constexpr char in_parts = '\0';
constexpr std::size_t parts_max = 4096;
/// Records that are read at once.
constexpr std::size_t records_at_once = 64;

std::string_view bytes_of(const DeliveryId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt, "the store holds a damaged record of a delivery");
}

void row_cells(const DeliveryId& id, std::int64_t content, std::size_t part,
               std::string_view record, CqlCells& cells) {
  cells.clear();
  cells.blob(bytes_of(id));
  cells.bigint(content);
  cells.integer(static_cast<std::int32_t>(part));
  cells.blob(record);
}

/// Sends the parts of a long record and returns the row that leads to them; of a short one,
/// the record itself.
Result<std::string> write_parts(const Tables& tables, const DeliveryId& id, std::string record,
                                CqlWriter& writer) {
  if (record.size() <= delivery_part_bytes) return record;
  const std::int64_t content = source_key(record) | 1;  // Never 0, where the first row stands.
  std::size_t parts = 0;
  CqlCells cells;
  for (std::size_t at = 0; at < record.size(); at += delivery_part_bytes) {
    row_cells(id, content, parts++, std::string_view(record).substr(at, delivery_part_bytes),
              cells);
    METERLINE_CHECK(writer.write(tables[Statement::insert_delivery], cells.bytes(), 1));
  }
  if (parts > parts_max) return fail(Errc::too_large, "the report of the delivery is too long");
  std::string lead(1, in_parts);
  put_varint(zigzag(content), lead);
  put_varint(parts, lead);
  return lead;
}

Result<void> write_index(const Tables& tables, const Delivery& delivery, CqlWriter& writer) {
  const auto list = [&](Statement statement, const CqlCells& partition, Instant at) {
    CqlCells cells = partition;
    cells.bigint(at.micros);
    cells.blob(bytes_of(delivery.id));
    return writer.write(tables[statement], cells.bytes(), 1);
  };
  const auto month = [](Instant at) {
    CqlCells cells;
    cells.text(month_of(at));
    return cells;
  };
  const auto delivered = delivery.delivered_at;
  const auto received = delivery.received_at;
  CqlCells source;
  source.bigint(source_key(delivery.source));
  METERLINE_CHECK(list(Statement::insert_delivery_by_time, month(delivered), delivered));
  METERLINE_CHECK(list(Statement::insert_delivery_by_receipt, month(received), received));
  return list(Statement::insert_delivery_by_source, source, delivered);
}

/// Reads the parts that a lead names.
Result<std::string> read_parts(const Tables& tables, const DeliveryId& id, std::string_view lead) {
  lead.remove_prefix(1);
  const auto content = take_varint(lead);
  const auto parts = take_varint(lead);
  if (!content || !parts || *parts > parts_max) return damaged();
  CqlCells key;
  key.blob(bytes_of(id));
  key.bigint(unzigzag(*content));
  std::string record;
  std::uint64_t found = 0;
  METERLINE_CHECK(
      tables.read_rows(Statement::select_delivery, key, [&](CqlRow& row) -> Result<void> {
        record += row.blob();
        ++found;
        return {};
      }));
  if (found != *parts) return damaged();
  return record;
}

void take_events(const DeliveryEvents& events, DeliveryRecord& record) {
  const auto own = events.of(record.delivery.id);
  record.events.assign(own.begin(), own.end());
}

/// Of each delivery its first row; empty for one that has no record.
Result<std::vector<std::string>> read_first_rows(const Tables& tables,
                                                 const std::vector<DeliveryId>& ids) {
  CqlCells keys;
  for (const auto& id : ids) {
    keys.blob(bytes_of(id));
    keys.bigint(0);
  }
  std::vector<std::string> rows(ids.size());
  METERLINE_CHECK(tables.read_pages(Statement::select_delivery, keys, ids.size(),
                                    [&](std::size_t key, const CqlPage& page) {
                                      return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                        rows[key] = row.blob();
                                        return {};
                                      });
                                    }));
  return rows;
}

/// What its first row says or leads to; without events.
Result<DeliveryRecord> record_of(const Tables& tables, const DeliveryId& id, std::string row) {
  if (row[0] == in_parts) {
    METERLINE_TRY(row, read_parts(tables, id, row));
  }
  return decode_delivery(row);
}

/// What a record is replaced by: the delivery and its first row.
struct Replacement {
  const Delivery& delivery;
  const std::string& row;
};

/// Removes the parts of a long record, and where it was listed by its source, unless that is as
/// before.
Result<void> remove_replaced(const Tables& tables, const Delivery& old, std::string_view row,
                             const Replacement& by, CqlWriter& writer) {
  CqlCells cells;
  if (row[0] == in_parts && row != by.row) {
    row.remove_prefix(1);
    const auto content = take_varint(row);
    if (!content) return damaged();
    cells.blob(bytes_of(old.id));
    cells.bigint(unzigzag(*content));
    METERLINE_CHECK(writer.write(tables[Statement::delete_record_parts], cells.bytes(), 1));
  }
  if (old.source == by.delivery.source) return {};
  cells.clear();
  cells.bigint(source_key(old.source));
  cells.bigint(old.delivered_at.micros);
  cells.blob(bytes_of(old.id));
  return writer.write(tables[Statement::delete_delivery_by_source], cells.bytes(), 1);
}

struct Listed {
  Instant at;
  DeliveryId id;
};

Listed take_listed(CqlRow& row) {
  Listed listed;
  listed.at.micros = row.bigint();
  const auto id = row.blob();
  if (id.size() == listed.id.bytes.size())
    std::transform(id.begin(), id.end(), listed.id.bytes.begin(),
                   [](char byte) { return static_cast<std::uint8_t>(byte); });
  return listed;
}

/// What the deliveries that a question asks for are listed by.
Instant time_of(const Delivery& delivery, const DeliveriesQuery& query) {
  return query.received_after ? delivery.received_at : delivery.delivered_at;
}

/// Reads records of what was listed, in that order. What is listed but has no record was never
/// acknowledged; what has one of another time was delivered again since.
class RecordReader {
 public:
  RecordReader(const Tables& tables, const DeliveriesQuery& query, EventsRead& events)
      : tables_(tables), query_(query), events_(events) {}

  bool has_all() const { return found_.size() >= query_.limit; }
  std::vector<DeliveryRecord> take() { return std::move(found_); }

  Result<void> add(const Listed& listed) {
    if (query_.received_after && listed.at <= *query_.received_after) {
      METERLINE_CHECK(read());
      return enough();
    }
    if (query_.only != DeliveriesOf::all) {
      METERLINE_TRY(const auto* events, events_.get());
      if (!events->has(query_.only, listed.id)) return {};
    }
    listed_.push_back(listed);
    const std::size_t wanted = query_.limit - found_.size();
    if (listed_.size() < std::min(wanted, records_at_once)) return {};
    METERLINE_CHECK(read());
    return has_all() ? enough() : Result<void>();
  }

  Result<void> read() {
    std::vector<DeliveryId> ids;
    ids.reserve(listed_.size());
    for (const auto& listed : listed_) ids.push_back(listed.id);
    METERLINE_TRY(auto records, read_first_rows(tables_, ids));
    for (std::size_t i = 0; i < records.size(); ++i)
      if (!records[i].empty()) METERLINE_CHECK(keep(listed_[i], std::move(records[i])));
    listed_.clear();
    return {};
  }

 private:
  Result<void> keep(const Listed& listed, std::string bytes) {
    METERLINE_TRY(auto record, record_of(tables_, listed.id, std::move(bytes)));
    METERLINE_TRY(const auto* events, events_.get());
    take_events(*events, record);
    const auto& delivery = record.delivery;
    const bool wanted = time_of(delivery, query_) == listed.at &&
                        (!query_.source || delivery.source == *query_.source);
    if (wanted && !has_all()) found_.push_back(std::move(record));
    return {};
  }

  const Tables& tables_;
  const DeliveriesQuery& query_;
  EventsRead& events_;
  std::vector<Listed> listed_;
  std::vector<DeliveryRecord> found_;
};

/// Adds what one partition lists behind `after`.
Result<void> list_partition(const Tables& tables, Statement statement, const CqlCells& key,
                            const std::optional<Listed>& after, RecordReader& records) {
  auto read = tables.read_rows(statement, key, [&](CqlRow& row) -> Result<void> {
    const Listed listed = take_listed(row);
    const bool is_behind =
        !after || listed.at < after->at || (listed.at == after->at && listed.id < after->id);
    return is_behind ? records.add(listed) : Result<void>();
  });
  if (is_enough(read)) return {};
  METERLINE_CHECK(std::move(read));
  return records.read();
}

/// Of these few deliveries those asked for: a source may have a hundred thousand others.
Result<std::vector<DeliveryRecord>> pick(const Tables& tables, const DeliveriesQuery& query,
                                         const std::vector<DeliveryId>& ids,
                                         const std::optional<Delivery>& after,
                                         const DeliveryEvents& events) {
  const auto is_listed_before = [&](const Delivery& a, const Delivery& b) {
    return std::pair(time_of(b, query), b.id) < std::pair(time_of(a, query), a.id);
  };
  METERLINE_TRY(auto rows, read_first_rows(tables, ids));
  std::vector<DeliveryRecord> found;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (rows[i].empty()) continue;
    METERLINE_TRY(auto record, record_of(tables, ids[i], std::move(rows[i])));
    const auto& delivery = record.delivery;
    const bool wanted = (!query.source || delivery.source == *query.source) &&
                        (!query.received_after || delivery.received_at > *query.received_after) &&
                        (!after || is_listed_before(*after, delivery));
    if (!wanted) continue;
    take_events(events, record);
    found.push_back(std::move(record));
  }
  std::sort(found.begin(), found.end(),
            [&](const auto& a, const auto& b) { return is_listed_before(a.delivery, b.delivery); });
  if (found.size() > query.limit) found.resize(query.limit);
  return found;
}

Result<std::vector<std::string>> months_until(const Tables& tables, Instant at) {
  CqlCells key;
  key.text(months_kind);
  key.text("");
  key.text(month_of(at));
  std::vector<std::string> months;
  METERLINE_CHECK(tables.read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
    months.emplace_back(row.text());
    return {};
  }));
  std::reverse(months.begin(), months.end());
  return months;
}

}  // namespace

Result<void> write_deliveries(const Tables& tables, std::span<const Delivery> deliveries,
                              std::span<const DeliveryReport> reports, const WriteOrder& written) {
  const auto writer = tables.session().writer({});
  std::vector<std::string> first_rows;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    METERLINE_TRY(auto row, write_parts(tables, deliveries[i].id,
                                        encode_delivery(deliveries[i], reports[i], written.days(i)),
                                        *writer));
    first_rows.push_back(std::move(row));
    METERLINE_CHECK(write_index(tables, deliveries[i], *writer));
  }
  METERLINE_CHECK(writer->finish());

  const auto last = tables.session().writer({});
  CqlCells cells;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    row_cells(deliveries[i].id, 0, 0, first_rows[i], cells);
    METERLINE_CHECK(last->write(tables[Statement::insert_delivery], cells.bytes(), 1));
  }
  return last->finish();
}

Result<void> replace_delivery(const Tables& tables, const DeliveryRecord& record) {
  const Delivery& delivery = record.delivery;
  METERLINE_TRY(auto rows, read_first_rows(tables, {delivery.id}));
  const std::string before = std::move(rows.front());
  if (before.empty()) return {};
  METERLINE_TRY(const auto old, record_of(tables, delivery.id, before));
  auto writer = tables.session().writer({});
  METERLINE_TRY(const auto row,
                write_parts(tables, delivery.id,
                            encode_delivery(delivery, record.report, record.days), *writer));
  METERLINE_CHECK(write_index(tables, delivery, *writer));
  for (const auto& event : record.events)
    METERLINE_CHECK(insert_event(tables, delivery.id, event, *writer));
  METERLINE_CHECK(writer->finish());

  writer = tables.session().writer({});
  CqlCells cells;
  row_cells(delivery.id, 0, 0, row, cells);
  METERLINE_CHECK(writer->write(tables[Statement::insert_delivery], cells.bytes(), 1));
  METERLINE_CHECK(writer->finish());

  writer = tables.session().writer({});
  METERLINE_CHECK(remove_replaced(tables, old.delivery, before, {delivery, row}, *writer));
  return writer->finish();
}

Result<std::optional<DeliveryRecord>> read_delivery(const Tables& tables, const DeliveryId& id) {
  EventsRead reading(tables, id);
  CqlCells key;
  key.blob(bytes_of(id));
  key.bigint(0);
  std::string bytes;
  METERLINE_CHECK(
      tables.read_rows(Statement::select_delivery, key, [&](CqlRow& row) -> Result<void> {
        bytes = row.blob();
        return {};
      }));
  if (bytes.empty()) return std::optional<DeliveryRecord>();
  METERLINE_TRY(auto record, record_of(tables, id, std::move(bytes)));
  METERLINE_TRY(const auto* events, reading.get());
  take_events(*events, record);
  return std::optional(std::move(record));
}

Result<std::vector<DeliveryRecord>> list_deliveries(const Tables& tables,
                                                    const DeliveriesQuery& query) {
  if (query.id) {
    METERLINE_TRY(auto one, read_delivery(tables, *query.id));
    std::vector<DeliveryRecord> found;
    if (one) found.push_back(*std::move(one));
    return found;
  }
  if (query.limit == 0) return std::vector<DeliveryRecord>();
  EventsRead reading(tables);
  std::optional<Delivery> last;
  if (query.after) {
    METERLINE_TRY(auto record, read_delivery(tables, *query.after));
    if (!record) return fail(Errc::not_found, "no such delivery: " + query.after->text());
    last = std::move(record->delivery);
  }
  if (query.only != DeliveriesOf::all) {
    METERLINE_TRY(const auto* events, reading.get());
    const auto ids = events->all(query.only);
    if (ids.size() <= records_at_once) return pick(tables, query, ids, last, *events);
  }
  RecordReader records(tables, query, reading);
  std::optional<Listed> after;
  if (last) after = {.at = time_of(*last, query), .id = last->id};
  const Instant from = after ? after->at : Instant::end_of_time();

  CqlCells key;
  if (query.source && !query.received_after) {
    key.bigint(source_key(*query.source));
    key.bigint(from.micros);
    METERLINE_CHECK(
        list_partition(tables, Statement::select_deliveries_by_source, key, after, records));
    return records.take();
  }
  METERLINE_TRY(const auto months, months_until(tables, from));
  const auto statement = query.received_after ? Statement::select_deliveries_by_receipt
                                              : Statement::select_deliveries_by_time;
  for (const auto& month : months) {
    const bool is_before = query.received_after && month < month_of(*query.received_after);
    if (records.has_all() || is_before) break;
    key.clear();
    key.text(month);
    key.bigint(from.micros);
    METERLINE_CHECK(list_partition(tables, statement, key, after, records));
  }
  return records.take();
}

}  // namespace meterline::store::cassandra
