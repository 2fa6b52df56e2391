#include "store/delivery_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/try.h"
#include "store/bits.h"

namespace meterline::store {
namespace {

/// Formats 1 and 2 knew one time only; no store or archive of this format's programs holds them.
constexpr std::uint8_t record_format = 3;
constexpr std::size_t hash_bytes = std::tuple_size_v<ContentHash>;
constexpr std::size_t id_bytes = sizeof(DeliveryId::bytes);

class Writer {
 public:
  void number(std::int64_t value) { put_varint(zigzag(value), out_); }
  void text(std::string_view value) {
    put_varint(value.size(), out_);
    out_ += value;
  }
  void byte(std::uint8_t value) { out_ += static_cast<char>(value); }
  template <class Bytes>
  void raw(const Bytes& bytes) {
    for (const auto value : bytes) byte(value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads what Writer wrote. After the first failure everything is zero or empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::int64_t number() {
    const auto value = take_varint(rest_);
    return value ? unzigzag(*value) : broken();
  }
  std::string text() { return std::string(bytes(take_varint(rest_).value_or(rest_.size() + 1))); }
  std::uint8_t byte() {
    const auto one = bytes(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      broken();
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::size_t left() const { return rest_.size(); }
  void refuse() { broken(); }
  bool is_broken() const { return is_broken_; }

 private:
  std::int64_t broken() {
    is_broken_ = true;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool is_broken_ = false;
};

void write_delivery(const Delivery& delivery, Writer& out) {
  out.raw(delivery.id.bytes);
  out.text(delivery.source);
  out.raw(delivery.content);
  out.number(static_cast<std::int64_t>(delivery.bytes));
  out.number(delivery.delivered_at.micros);
  out.number(delivery.received_at.micros);
  out.byte(static_cast<std::uint8_t>(delivery.unit));
  out.text(delivery.zone);
  out.text(delivery.feed ? delivery.feed->name : "");
  if (delivery.feed) out.raw(delivery.feed->hash);
  out.number(delivery.reader);
  out.text(delivery.object_version);
  out.text(delivery.content_tag);
}

Delivery read_delivery(Reader& in) {
  Delivery delivery;
  const auto copy = [](std::string_view from, auto& to) {
    if (from.size() == to.size()) std::copy(from.begin(), from.end(), to.begin());
  };
  copy(in.bytes(id_bytes), delivery.id.bytes);
  delivery.source = in.text();
  copy(in.bytes(hash_bytes), delivery.content);
  delivery.bytes = static_cast<std::uint64_t>(in.number());
  delivery.delivered_at.micros = in.number();
  delivery.received_at.micros = in.number();
  delivery.unit = static_cast<Unit>(in.byte());
  delivery.zone = in.text();
  if (auto name = in.text(); !name.empty()) {
    delivery.feed.emplace().name = std::move(name);
    copy(in.bytes(hash_bytes), delivery.feed->hash);
  }
  delivery.reader = static_cast<std::uint32_t>(in.number());
  delivery.object_version = in.text();
  delivery.content_tag = in.text();
  return delivery;
}

/// Set in the byte of the state: some of the rows are register reads, of which counts follow.
constexpr std::uint8_t has_register_reads = 0x80;
/// The same: what the file was recognised by follows its format.
constexpr std::uint8_t has_recognised_by = 0x40;

bool any(const RowCounts& counts) { return counts != RowCounts(); }

void write_state(const DeliveryReport& report, Writer& out) {
  auto state = static_cast<unsigned>(report.state);
  if (any(report.register_reads)) state |= has_register_reads;
  if (!report.recognised_by.empty()) state |= has_recognised_by;
  out.byte(static_cast<std::uint8_t>(state));
}

void write_finding(const Finding& finding, Writer& out) {
  out.number(finding.line);
  out.number(finding.column);
  out.byte(static_cast<std::uint8_t>(finding.code));
  out.text(finding.text);
  out.text(finding.excerpt);
}

Finding read_finding(Reader& in) {
  Finding finding;
  finding.line = in.number();
  finding.column = static_cast<int>(in.number());
  finding.code = static_cast<FindingCode>(in.byte());
  finding.text = in.text();
  finding.excerpt = in.text();
  return finding;
}

void write_counts(const DeliveryReport& report, Writer& out) {
  const auto& rows = report.rows;
  for (const auto n : {rows.read, rows.stored, rows.repeated, rows.rejected}) out.number(n);
  const auto& readings = report.readings;
  for (const auto n :
       {readings.read, readings.stored, readings.missing, readings.repeated, readings.rejected})
    out.number(n);
  const auto& reads = report.register_reads;
  if (any(reads))
    for (const auto n : {reads.read, reads.stored, reads.repeated, reads.rejected}) out.number(n);
  // As far as there are any: the codes that are added with time stand last.
  const auto& counts = report.finding_counts;
  const auto behind = std::find_if(counts.rbegin(), counts.rend(), [](auto n) { return n != 0; });
  const auto codes = counts.rend() - behind;
  out.number(codes);
  std::for_each_n(counts.begin(), codes, [&](auto n) { out.number(n); });
}

/// A program reads what an older or a newer one wrote, which knew other codes. What it does not
/// know it leaves out.
void read_counts(Reader& in, bool with_register_reads, DeliveryReport& report) {
  auto& rows = report.rows;
  for (auto* n : {&rows.read, &rows.stored, &rows.repeated, &rows.rejected}) *n = in.number();
  auto& readings = report.readings;
  for (auto* n : {&readings.read, &readings.stored, &readings.missing, &readings.repeated,
                  &readings.rejected})
    *n = in.number();
  auto& reads = report.register_reads;
  if (with_register_reads)
    for (auto* n : {&reads.read, &reads.stored, &reads.repeated, &reads.rejected}) *n = in.number();
  const auto codes = in.number();
  for (std::int64_t code = 0; code < codes && !in.is_broken(); ++code) {
    const auto count = in.number();
    if (code < std::ssize(report.finding_counts))
      report.finding_counts.at(static_cast<std::size_t>(code)) = count;
  }
}

void read_findings(Reader& in, DeliveryReport& report) {
  const auto findings = in.number();
  for (std::int64_t i = 0; i < findings && !in.is_broken(); ++i) {
    auto finding = read_finding(in);
    const bool is_known = static_cast<std::size_t>(finding.code) < finding_codes_count;
    if (is_known) report.findings.push_back(std::move(finding));
  }
}

/// Of neighbours, what their ids begin with is told once.
void write_days(const DeliveredDays& days, Writer& out) {
  out.number(days.meters);
  if (days.meters == 0) return;
  out.number(days.dates->from.days());
  out.number(days.dates->to.days());
  out.number(std::ssize(days.meter_ids));
  std::string_view before;
  for (const auto& meter : days.meter_ids) {
    const std::string_view text = meter.text();
    const auto [end, end_before] =
        std::mismatch(text.begin(), text.end(), before.begin(), before.end());
    const auto shared = end - text.begin();
    out.number(shared);
    out.text(text.substr(static_cast<std::size_t>(shared)));
    before = text;
  }
}

bool read_days(Reader& in, DeliveredDays& days) {
  days.meters = in.number();
  if (days.meters == 0) return true;
  days.dates.emplace();
  for (auto* const date : {&days.dates->from, &days.dates->to}) {
    const auto read = Date::from_days(in.number());
    if (!read) return false;
    *date = *read;
  }
  const auto count = in.number();
  if (days.meters < 0 || count < 0 || count > static_cast<std::int64_t>(delivered_meters_max))
    return false;
  std::string text;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto shared = in.number();
    if (shared < 0 || shared > std::ssize(text)) return false;
    text.resize(static_cast<std::size_t>(shared));
    text += in.text();
    auto meter = MeterId::parse(text);
    if (!meter) return false;
    days.meter_ids.push_back(*std::move(meter));
  }
  return true;
}

void write_event(const DeliveryEvent& event, Writer& out) {
  out.number(event.at.micros);
  out.byte(static_cast<std::uint8_t>(event.kind));
  out.text(event.who);
  out.text(event.reason);
}

/// What cannot be an event breaks the reading.
void read_events(Reader& in, std::vector<DeliveryEvent>& events) {
  const auto count = in.number();
  if (count < 0 || count > static_cast<std::int64_t>(delivery_events_max)) return in.refuse();
  for (std::int64_t i = 0; i < count && !in.is_broken(); ++i) {
    DeliveryEvent event;
    event.at.micros = in.number();
    event.kind = static_cast<DeliveryEventKind>(in.byte());
    event.who = in.text();
    event.reason = in.text();
    if (!is_event(event) || (!events.empty() && event <= events.back())) return in.refuse();
    events.push_back(std::move(event));
  }
}

}  // namespace

std::string encode_delivery(const Delivery& delivery, const DeliveryReport& report,
                            const DeliveredDays& days, std::span<const DeliveryEvent> events) {
  Writer out;
  out.byte(record_format);
  write_delivery(delivery, out);
  write_state(report, out);
  out.text(report.reason);
  out.text(report.format);
  if (!report.recognised_by.empty()) out.text(report.recognised_by);
  write_counts(report, out);
  out.number(static_cast<std::int64_t>(report.findings.size()));
  for (const auto& finding : report.findings) write_finding(finding, out);
  write_days(days, out);
  out.number(static_cast<std::int64_t>(events.size()));
  for (const auto& event : events) write_event(event, out);
  return out.take();
}

Result<DeliveryRecord> decode_delivery(std::string_view bytes) {
  const auto damaged = [] { return fail(Errc::corrupt, "a delivery's record is damaged"); };
  Reader in(bytes);
  const std::uint8_t format = in.byte();
  if (format > record_format)
    return fail(Errc::corrupt,
                fmt::format("a delivery's record has format {}, written by a newer meterline; use "
                            "that one",
                            format));
  if (format < record_format) return damaged();
  DeliveryRecord record;
  record.delivery = read_delivery(in);
  const unsigned state = in.byte();
  record.report.state =
      static_cast<DeliveryState>(state & ~unsigned{has_register_reads | has_recognised_by});
  record.report.reason = in.text();
  record.report.format = in.text();
  if ((state & has_recognised_by) != 0) record.report.recognised_by = in.text();
  read_counts(in, (state & has_register_reads) != 0, record.report);
  read_findings(in, record.report);
  const bool days_are_whole = read_days(in, record.days);
  read_events(in, record.events);
  if (!days_are_whole || in.is_broken() || in.left() != 0 ||
      record.report.state > DeliveryState::failed || record.delivery.unit > last_unit)
    return damaged();
  return record;
}

}  // namespace meterline::store
