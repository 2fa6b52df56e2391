#include "store/cassandra/event_rows.h"

#include <algorithm>
#include <utility>

#include "core/try.h"

namespace meterline::store::cassandra {
namespace {

/// All events stand in one partition, so that a question takes one read for them.
constexpr std::int32_t only_bucket = 0;

std::string_view bytes_of(const DeliveryId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt, "the store holds a damaged event of a delivery");
}

Result<void> take_event(CqlRow& row, DeliveryEvents& events) {
  const auto bytes = row.blob();
  DeliveryEvent event;
  event.at.micros = row.bigint();
  const auto kind = row.integer();
  event.who = row.text();
  event.reason = row.text();
  DeliveryId id;
  if (!row.ok() || bytes.size() != id.bytes.size() || kind < 0 ||
      kind > static_cast<std::int32_t>(DeliveryEventKind::withdrawn))
    return damaged();
  std::transform(bytes.begin(), bytes.end(), id.bytes.begin(),
                 [](char byte) { return static_cast<std::uint8_t>(byte); });
  event.kind = static_cast<DeliveryEventKind>(kind);
  return events.restore(id, std::move(event));
}

Result<DeliveryEvents> read_events(const Tables& tables, Statement statement, const CqlCells& key) {
  DeliveryEvents events;
  METERLINE_CHECK(
      tables.read_rows(statement, key, [&](CqlRow& row) { return take_event(row, events); }));
  return events;
}

CqlCells key_of_all() {
  CqlCells key;
  key.integer(only_bucket);
  return key;
}

}  // namespace

Result<void> write_event(const Tables& tables, const DeliveryId& delivery,
                         const DeliveryEvent& event) {
  METERLINE_TRY(auto events, read_events(tables, Statement::select_events, key_of_all()));
  METERLINE_CHECK(events.add(delivery, event));
  const auto writer = tables.session().writer({});
  METERLINE_CHECK(insert_event(tables, delivery, event, *writer));
  return writer->finish();
}

Result<void> insert_event(const Tables& tables, const DeliveryId& delivery,
                          const DeliveryEvent& event, CqlWriter& writer) {
  CqlCells cells = key_of_all();
  cells.blob(bytes_of(delivery));
  cells.bigint(event.at.micros);
  cells.integer(static_cast<std::int32_t>(event.kind));
  cells.text(event.who);
  cells.text(event.reason);
  return writer.write(tables[Statement::insert_event], cells.bytes(), 1);
}

EventsRead::EventsRead(const Tables& tables, Withdrawn withdrawn) {
  if (withdrawn == Withdrawn::counted)
    events_ = DeliveryEvents();
  else
    reading_ = std::async(std::launch::async, [&tables] {
      return read_events(tables, Statement::select_events, key_of_all());
    });
}

EventsRead::EventsRead(const Tables& tables, const DeliveryId& delivery)
    : reading_(std::async(std::launch::async, [&tables, delivery] {
        CqlCells key = key_of_all();
        key.blob(bytes_of(delivery));
        return read_events(tables, Statement::select_events_of, key);
      })) {}

Result<const DeliveryEvents*> EventsRead::get() {
  if (!events_) events_ = reading_.get();
  if (!*events_) return tl::unexpected(events_->error());
  return &**events_;
}

}  // namespace meterline::store::cassandra
