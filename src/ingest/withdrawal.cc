#include "ingest/withdrawal.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/finding.h"
#include "core/try.h"

namespace meterline::ingest {
namespace {

using Kind = DeliveryEventKind;

/// Deliveries of a source are read so many at a time: they come with their reports.
constexpr std::size_t deliveries_step = 50;

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Result<void> check_text(std::string_view name, std::string_view text, std::size_t bytes_min,
                        std::size_t bytes_max) {
  if (text.size() >= bytes_min && text.size() <= bytes_max && is_one_line(text)) return {};
  return fail(Errc::invalid_argument, fmt::format("{}: want {} to {} bytes on one line, got \"{}\"",
                                                  name, bytes_min, bytes_max, excerpt_of(text)));
}

Result<void> check(const WithdrawalRequest& request) {
  const std::size_t reason_min = request.kind == Kind::withdrawn ? 1 : 0;
  METERLINE_CHECK(check_text("who", request.who, 1, event_who_bytes_max));
  return check_text("reason", request.reason, reason_min, event_reason_bytes_max);
}

/// Whether the one was delivered, or else received, after the other.
bool is_later(const store::DeliveryRecord& a, const store::DeliveryRecord& b) {
  return a.delivery.version() > b.delivery.version();
}

}  // namespace

Result<WithdrawalAnswer> withdraw(store::Store& store, const WithdrawalRequest& request) {
  METERLINE_CHECK(check(request));
  METERLINE_TRY(auto found, store.delivery(request.delivery));
  if (!found)
    return fail(Errc::not_found, fmt::format("no delivery {}: `meterline deliveries` lists them",
                                             request.delivery.text()));
  WithdrawalAnswer answer{.record = *std::move(found)};
  const auto& delivery = answer.record.delivery;
  const auto& report = answer.record.report;
  auto& events = answer.record.events;
  if (report.state != DeliveryState::stored)
    return fail(Errc::invalid_argument,
                fmt::format("delivery {} was {} when it came: nothing of it is stored, so there is "
                            "nothing to withdraw",
                            delivery.id.text(), text_of(report.state)));
  if (answer.record.is_withdrawn() == (request.kind == Kind::withdrawn)) return answer;
  Instant at = request.now;
  if (!events.empty()) at = std::max(at, Instant{events.back().at.micros + 1});
  const DeliveryEvent event{
      .at = at, .kind = request.kind, .who = request.who, .reason = request.reason};
  METERLINE_CHECK(store.add_event(delivery.id, event));
  events.push_back(event);
  answer.changed = true;
  return answer;
}

Result<DeliveryId> delivery_of_source(const store::Store& store, std::string_view source,
                                      DeliveryEventKind kind) {
  const bool wants_withdrawn = kind == Kind::restored;
  store::DeliveriesQuery query{
      .source = std::string(source),
      .limit = deliveries_step,
      .only = wants_withdrawn ? store::DeliveriesOf::withdrawn : store::DeliveriesOf::all};
  std::optional<store::DeliveryRecord> latest;
  for (;;) {
    METERLINE_TRY(auto page, store.deliveries(query));
    for (auto& record : page) {
      // They come by the time of delivery; of equal ones that received last is the latest.
      if (latest && record.delivery.delivered_at < latest->delivery.delivered_at)
        return latest->delivery.id;
      const bool can_be =
          record.report.state == DeliveryState::stored && record.is_withdrawn() == wants_withdrawn;
      if (can_be && (!latest || is_later(record, *latest))) latest = record;
    }
    if (page.size() < query.limit) break;
    query.after = page.back().delivery.id;
  }
  if (latest) return latest->delivery.id;
  return fail(Errc::not_found,
              fmt::format("no delivery of source \"{}\" {}: `meterline deliveries` lists them",
                          excerpt_of(source), wants_withdrawn ? "is withdrawn" : "is stored"));
}

std::string withdrawn_text(const store::DeliveryRecord& record) {
  if (!record.is_withdrawn()) return {};
  const auto& event = record.events.back();
  const auto id = record.delivery.id.text();
  return fmt::format(
      "withdrawn {} by {}: {}; `meterline withdraw {} --undo`, or DELETE "
      "/v1/deliveries/{}/withdraw, brings it back",
      event.at.text(), event.who, event.reason, id, id);
}

}  // namespace meterline::ingest
