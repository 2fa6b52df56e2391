#include "events/event_load.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "source/s3/s3_source.h"

namespace meterline::events {
namespace {

/// The delivery that an event announces. What the event tells of the bytes lets a repeated one be
/// recognised without asking for them.
source::Incoming incoming_of(const std::shared_ptr<aws::Objects>& objects,
                             const CreatedObject& object, std::optional<Errc>& open_failure) {
  auto incoming = source::object_delivery(objects, object.name);
  incoming.bytes = object.bytes;
  incoming.content_tag = object.etag;
  incoming.open = [open = std::move(incoming.open), &open_failure] {
    auto opened = open();
    if (!opened) open_failure = opened.error().code;
    return opened;
  };
  return incoming;
}

void tell(telemetry::Log& log, std::string_view request_id, const store::DeliveryRecord& record,
          std::chrono::microseconds took) {
  const auto& delivery = record.delivery;
  const auto& report = record.report;
  const bool is_stored =
      report.state == DeliveryState::stored || report.state == DeliveryState::skipped;
  const auto& codes = report.finding_counts;
  const bool is_read = report.state != DeliveryState::failed;
  log.write(is_stored ? telemetry::LogLevel::info : telemetry::LogLevel::error,
            "delivery " + std::string(text_of(report.state)),
            {{"requestId", request_id},
             {"object", delivery.source},
             {"objectVersion", delivery.object_version},
             {"delivery", is_read ? delivery.id.text() : std::string()},
             {"reason", report.reason},
             {"bytes", static_cast<std::int64_t>(delivery.bytes)},
             {"rowsRead", report.rows.read},
             {"rowsStored", report.rows.stored},
             {"rowsRepeated", report.rows.repeated},
             {"rowsRejected", report.rows.rejected},
             {"findings", std::accumulate(codes.begin(), codes.end(), std::int64_t{0})},
             {"durationMs", took.count() / 1000}});
}

/// What is to become of the message, as far as one of its objects tells.
MessageResult result_of(const store::DeliveryRecord& record, std::optional<Errc> open_failure) {
  const auto& report = record.report;
  if (report.state == DeliveryState::stored || report.state == DeliveryState::skipped) return {};
  const bool will_fail_again =
      report.state == DeliveryState::refused || open_failure == Errc::not_found;
  return {.end = will_fail_again ? MessageEnd::dead : MessageEnd::retry,
          .reason = report.reason,
          .object = record.delivery.source};
}

}  // namespace

std::chrono::seconds RetryTimes::after(int receives) const {
  auto time = first;
  for (int i = 1; i < receives && time < longest; ++i) time *= 2;
  return std::min(time, longest);
}

EventLoad::EventLoad(std::shared_ptr<aws::Objects> objects, store::Store& store,
                     telemetry::Log& log, EventLoadOptions options)
    : objects_(std::move(objects)), store_(store), log_(log), options_(std::move(options)) {}

bool EventLoad::is_for_us(std::string_view request_id, const aws::ObjectName& name) {
  if (options_.buckets.empty()) return true;
  if (std::ranges::find(options_.buckets, name.bucket) != options_.buckets.end()) return true;
  log_.warning("ignored: the bucket is not in --buckets",
               {{"requestId", request_id}, {"object", name.text()}});
  return false;
}

MessageResult EventLoad::load_object(std::string_view request_id, const CreatedObject& object,
                                     const std::atomic<bool>& stop) {
  const auto began = std::chrono::steady_clock::now();
  std::optional<Errc> open_failure;
  MessageResult worst{.end = MessageEnd::retry, .reason = "stopped", .object = object.name.text()};
  bool is_first = true;
  ingest::load_all({incoming_of(objects_, object, open_failure)}, store_, options_.ingest,
                   {.stop = &stop}, [&](const store::DeliveryRecord& record) {
                     const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - began);
                     tell(log_, request_id, record, took);
                     if (options_.on_delivery) options_.on_delivery(record.report, took);
                     auto result = result_of(record, open_failure);
                     if (is_first || result.end > worst.end) worst = std::move(result);
                     is_first = false;
                   });
  return worst;
}

MessageResult EventLoad::load(std::string_view request_id, std::string_view message,
                              const std::atomic<bool>& stop) {
  const auto event = parse_s3_event(message);
  if (!event) return {.end = MessageEnd::dead, .reason = event.error().message};
  for (const auto& text : event->ignored)
    log_.info("ignored: " + text, {{"requestId", request_id}});
  MessageResult worst;
  for (const auto& object : event->created) {
    if (!is_for_us(request_id, object.name)) continue;
    if (stop) return {.end = MessageEnd::retry, .reason = "stopped", .object = object.name.text()};
    auto result = load_object(request_id, object, stop);
    if (result.end > worst.end) worst = std::move(result);
  }
  return worst;
}

}  // namespace meterline::events
