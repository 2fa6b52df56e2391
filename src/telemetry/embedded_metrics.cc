#include "telemetry/embedded_metrics.h"

#include <numeric>
#include <vector>

#include "core/json_writer.h"

namespace meterline::telemetry {
namespace {

struct Metric {
  std::string_view name;
  std::int64_t value = 0;
  std::string_view unit = "Count";
};

using Metrics = std::vector<Metric>;

Metric duration(std::string_view name, std::chrono::microseconds took) {
  return {.name = name, .value = took.count(), .unit = "Microseconds"};
}

constexpr std::int64_t micros_per_milli = 1000;

/// An object that begins with the metrics and is still open.
JsonWriter begin_line(Instant at, std::string_view service, const Metrics& metrics) {
  JsonWriter json;
  json.begin_object().key("_aws").begin_object();
  json.member("Timestamp", at.micros / micros_per_milli);
  json.key("CloudWatchMetrics").begin_array().begin_object();
  json.member("Namespace", std::string_view("meterline"));
  json.key("Dimensions").begin_array().begin_array();
  json.value(std::string_view("Service")).end_array().end_array();
  json.key("Metrics").begin_array();
  for (const auto& [name, value, unit] : metrics)
    json.begin_object().member("Name", name).member("Unit", unit).end_object();
  json.end_array().end_object().end_array().end_object();
  json.member("Service", service);
  for (const auto& [name, value, unit] : metrics) json.member(name, value);
  return json;
}

std::string line_of(Instant at, std::string_view service, const Metrics& metrics) {
  return begin_line(at, service, metrics).end_object().take();
}

std::string_view name_of(DeliveryState state) {
  switch (state) {
    case DeliveryState::stored:
      return "DeliveriesStored";
    case DeliveryState::refused:
      return "DeliveriesRefused";
    case DeliveryState::skipped:
      return "DeliveriesSkipped";
    case DeliveryState::failed:
      return "DeliveriesFailed";
  }
  return "DeliveriesFailed";
}

}  // namespace

EmbeddedMetrics::EmbeddedMetrics(Log& log, std::string service)
    : log_(log), service_(std::move(service)) {}

void EmbeddedMetrics::delivery(const DeliveryReport& report, std::chrono::microseconds took) {
  if (log_.format() != LogFormat::json) return;
  Metrics metrics = {{.name = name_of(report.state), .value = 1},
                     duration("DeliveryDuration", took)};
  if (report.state != DeliveryState::skipped) {  // Its report is that of the first time.
    const auto& codes = report.finding_counts;
    metrics.insert(metrics.end(),
                   {{.name = "RowsRead", .value = report.rows.read},
                    {.name = "RowsStored", .value = report.rows.stored},
                    {.name = "RowsRepeated", .value = report.rows.repeated},
                    {.name = "RowsRejected", .value = report.rows.rejected},
                    {.name = "ReadingsStored", .value = report.readings.stored},
                    {.name = "ReadingsMissing", .value = report.readings.missing},
                    {.name = "ReadingsRejected", .value = report.readings.rejected},
                    {.name = "Findings",
                     .value = std::accumulate(codes.begin(), codes.end(), std::int64_t{0})}});
  }
  log_.write_line(line_of(log_.now(), service_, metrics));
}

void EmbeddedMetrics::dead_letter() {
  if (log_.format() != LogFormat::json) return;
  log_.write_line(line_of(log_.now(), service_, {{.name = "DeadLetters", .value = 1}}));
}

void EmbeddedMetrics::request(std::string_view route, int status, std::chrono::microseconds took) {
  if (log_.format() != LogFormat::json) return;
  const Metrics metrics = {{.name = "Requests", .value = 1},
                           {.name = "RequestErrors", .value = status >= 500 ? 1 : 0},
                           duration("RequestDuration", took)};
  JsonWriter line = begin_line(log_.now(), service_, metrics);
  log_.write_line(line.member("route", route).member("status", status).end_object().take());
}

}  // namespace meterline::telemetry
