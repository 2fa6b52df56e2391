#include "store/relay/messages.h"

#include <algorithm>
#include <utility>

#include "core/try.h"
#include "store/bytes.h"
#include "store/delivery_codec.h"
#include "store/packed_read.h"

namespace meterline::store::relay {
namespace {

enum class Entry : std::uint8_t { day, read };

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt,
              "what came through the store's socket makes no sense; are both "
              "processes the same meterline?");
}

void put(const Channel& channel, ByteWriter& out) {
  out.sized(channel.name);
  out.byte(static_cast<std::uint8_t>(channel.flow));
  out.byte(static_cast<std::uint8_t>(channel.unit));
}

void put(const MeterRegister& of, ByteWriter& out) {
  put(of.channel, out);
  out.sized(of.id);
  out.sized(of.serial);
}

void put(const Version& version, ByteWriter& out) {
  out.number(version.stated.micros);
  out.byte(static_cast<std::uint8_t>(version.origin));
  out.number(version.received.micros);
  out.varint(version.tie);
}

/// Takes what put() wrote; what cannot be is a failure of the reader.
class Reader : public ByteReader {
 public:
  using ByteReader::ByteReader;

  MeterId meter() {
    auto meter = MeterId::parse(sized());
    if (!meter) refuse();
    return meter ? *std::move(meter) : MeterId();
  }
  Date date() {
    const auto date = Date::from_days(number());
    if (!date) refuse();
    return date.value_or(Date());
  }
  template <class Number>
  Number enumerated(Number last) {
    const auto value = byte();
    if (value > static_cast<std::uint8_t>(last)) refuse();
    return value > static_cast<std::uint8_t>(last) ? Number{} : static_cast<Number>(value);
  }
  bool flag() { return byte() != 0; }
  Channel channel() {
    Channel channel{.name = std::string(sized())};
    if (channel.name.size() > channel_name_chars_max || !is_meter_id_text(channel.name)) refuse();
    channel.flow = enumerated(Flow::other);
    channel.unit = enumerated(last_unit);
    return channel;
  }
  MeterRegister meter_register() {
    MeterRegister of{.channel = channel(), .id = {}, .serial = {}};
    of.id = sized();
    of.serial = sized();
    return of;
  }
  Version version() {
    Version version;
    version.stated.micros = number();
    version.origin = enumerated(Origin::source);
    version.received.micros = number();
    version.tie = varint();
    return version;
  }
  DeliveryId delivery() {
    DeliveryId id;
    const auto taken = bytes(id.bytes.size());
    std::copy(taken.begin(), taken.end(), id.bytes.begin());
    return id;
  }
  /// As many as are said to follow, each by `one`.
  template <class One>
  auto list(const One& one) {
    std::vector<decltype(one())> all;
    for (auto count = varint(); count > 0 && ok(); --count) all.push_back(one());
    return all;
  }
};

Result<void> add_day(Reader& in, DeliveryWriter& writer) {
  const auto meter = in.meter();
  const auto channel = in.channel();
  const auto date = in.date();
  const auto packed = in.sized();
  std::optional<std::int64_t> total;
  if (in.flag()) total = in.number();
  const auto delivery = static_cast<std::size_t>(in.varint());
  if (!in.ok()) return damaged();
  return writer.add({.meter = meter,
                     .channel = channel,
                     .date = date,
                     .packed = packed,
                     .plain_total = total,
                     .delivery = delivery});
}

Result<void> add_read(Reader& in, DeliveryWriter& writer) {
  RegisterRead read;
  read.meter = in.meter();
  read.of = in.meter_register();
  read.current.time.at.micros = in.number();
  const auto packed = in.sized();
  const auto delivery = static_cast<std::size_t>(in.varint());
  if (!in.ok()) return damaged();
  METERLINE_CHECK(unpack_read(packed, read));
  if (fault_of(read)) return damaged();
  return writer.add(read, delivery);
}

}  // namespace

std::string write_deliveries(std::span<const Delivery> deliveries) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(deliveries.size());
  for (const auto& delivery : deliveries) out.sized(encode_delivery(delivery, {}, {}));
  return bytes;
}

Result<std::vector<Delivery>> read_deliveries(std::string_view bytes) {
  Reader in(bytes);
  std::vector<Delivery> deliveries;
  for (auto count = in.varint(); count > 0; --count) {
    METERLINE_TRY(auto record, decode_delivery(in.sized()));
    deliveries.push_back(std::move(record.delivery));
  }
  if (deliveries.empty() || !in.ok() || !in.at_end()) return damaged();
  return deliveries;
}

void write_entry(const DayToStore& day, std::string& bytes) {
  ByteWriter out(bytes);
  out.byte(static_cast<std::uint8_t>(Entry::day));
  out.sized(day.meter.text());
  put(day.channel, out);
  out.number(day.date.days());
  out.sized(day.packed);
  out.byte(day.plain_total ? 1 : 0);
  if (day.plain_total) out.number(*day.plain_total);
  out.varint(day.delivery);
}

void write_entry(const RegisterRead& read, std::size_t delivery, std::string& bytes) {
  ByteWriter out(bytes);
  out.byte(static_cast<std::uint8_t>(Entry::read));
  out.sized(read.meter.text());
  put(read.of, out);
  out.number(read.current.time.at.micros);
  std::string packed;
  pack_read(read, packed);
  out.sized(packed);
  out.varint(delivery);
}

Result<void> add_entries(std::string_view bytes, DeliveryWriter& writer) {
  Reader in(bytes);
  while (!in.at_end()) {
    const auto entry = in.enumerated(Entry::read);
    METERLINE_CHECK(entry == Entry::day ? add_day(in, writer) : add_read(in, writer));
  }
  return in.ok() ? Result<void>() : damaged();
}

std::string write_reports(std::span<const DeliveryReport> reports) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(reports.size());
  for (const auto& report : reports) out.sized(encode_delivery({}, report, {}));
  return bytes;
}

Result<std::vector<DeliveryReport>> read_reports(std::string_view bytes) {
  Reader in(bytes);
  std::vector<DeliveryReport> reports;
  for (auto count = in.varint(); count > 0; --count) {
    METERLINE_TRY(auto record, decode_delivery(in.sized()));
    reports.push_back(std::move(record.report));
  }
  if (!in.ok() || !in.at_end()) return damaged();
  return reports;
}

std::string write_event(const DeliveryId& delivery, const DeliveryEvent& event) {
  std::string bytes;
  ByteWriter out(bytes);
  out.raw(delivery.bytes);
  out.number(event.at.micros);
  out.byte(static_cast<std::uint8_t>(event.kind));
  out.sized(event.who);
  out.sized(event.reason);
  return bytes;
}

Result<EventOf> read_event(std::string_view bytes) {
  Reader in(bytes);
  EventOf of;
  of.delivery = in.delivery();
  of.event.at.micros = in.number();
  of.event.kind = in.enumerated(DeliveryEventKind::withdrawn);
  of.event.who = in.sized();
  of.event.reason = in.sized();
  if (!in.ok() || !in.at_end()) return damaged();
  return of;
}

std::string write_unit(Unit unit) { return {static_cast<char>(unit)}; }

Result<Unit> read_unit(std::string_view bytes) {
  Reader in(bytes);
  const auto unit = in.enumerated(last_unit);
  if (!in.ok() || !in.at_end()) return damaged();
  return unit;
}

std::string write_amendment(const Amendment& amendment) {
  std::string bytes;
  ByteWriter out(bytes);
  out.number(amendment.at.micros);
  for (const auto& marks : {amendment.erased, amendment.allowed}) {
    out.varint(marks.size());
    for (const auto& mark : marks) out.sized(mark);
  }
  out.varint(amendment.days.size());
  for (const auto& day : amendment.days) {
    out.sized(day.meter.text());
    put(day.channel, out);
    out.number(day.date.days());
    put(day.version, out);
    out.raw(day.delivery.bytes);
  }
  out.varint(amendment.reads.size());
  for (const auto& read : amendment.reads) {
    out.sized(read.meter.text());
    out.number(read.at.micros);
    put(read.of, out);
    put(read.version, out);
    out.raw(read.delivery.bytes);
  }
  out.byte(amendment.before ? 1 : 0);
  if (amendment.before) out.number(amendment.before->days());
  out.varint(amendment.meters.size());
  for (const auto& meter : amendment.meters) out.sized(meter.text());
  out.varint(amendment.records.size());
  for (const auto& record : amendment.records)
    out.sized(encode_delivery(record.delivery, record.report, record.days, record.events));
  out.byte(static_cast<std::uint8_t>(amendment.traces));
  return bytes;
}

Result<AmendmentParts> read_amendment(std::string_view bytes) {
  Reader in(bytes);
  AmendmentParts parts;
  auto& amendment = parts.amendment;
  amendment.at.micros = in.number();
  parts.erased = in.list([&] { return std::string(in.sized()); });
  parts.allowed = in.list([&] { return std::string(in.sized()); });
  parts.days = in.list([&] {
    DayPlace day{.meter = in.meter(), .channel = {}, .date = {}, .version = {}, .delivery = {}};
    day.channel = in.channel();
    day.date = in.date();
    day.version = in.version();
    day.delivery = in.delivery();
    return day;
  });
  parts.reads = in.list([&] {
    ReadPlace read{.meter = in.meter(), .at = {}, .of = {}, .version = {}, .delivery = {}};
    read.at.micros = in.number();
    read.of = in.meter_register();
    read.version = in.version();
    read.delivery = in.delivery();
    return read;
  });
  if (in.flag()) amendment.before = in.date();
  parts.meters = in.list([&] { return in.meter(); });
  for (auto count = in.varint(); count > 0; --count) {
    METERLINE_TRY(auto record, decode_delivery(in.sized()));
    parts.records.push_back(std::move(record));
  }
  amendment.traces = in.enumerated(Traces::now);
  if (!in.ok() || !in.at_end()) return damaged();
  amendment.erased = parts.erased;
  amendment.allowed = parts.allowed;
  amendment.days = parts.days;
  amendment.reads = parts.reads;
  amendment.meters = parts.meters;
  amendment.records = parts.records;
  return parts;
}

std::string write_error(const Error& error) {
  std::string bytes;
  ByteWriter out(bytes);
  out.byte(static_cast<std::uint8_t>(error.code));
  out.sized(error.message);
  return bytes;
}

Error read_error(std::string_view bytes) {
  Reader in(bytes);
  Error error{.code = in.enumerated(Errc::cancelled), .message = {}};
  error.message = in.sized();
  return in.ok() && in.at_end() ? error : damaged().value();
}

}  // namespace meterline::store::relay
