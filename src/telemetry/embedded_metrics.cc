#include "telemetry/embedded_metrics.h"

#include <fmt/core.h>

#include <numeric>
#include <vector>

#include "core/text.h"

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

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_text(out, text);
  return out + '"';
}

constexpr std::int64_t micros_per_milli = 1000;

/// `more`: members beside the metrics, each with a comma before it.
std::string line_of(Instant at, std::string_view service, const Metrics& metrics,
                    std::string_view more = {}) {
  std::string directives;
  std::string values;
  for (const auto& [name, value, unit] : metrics) {
    if (!directives.empty()) directives += ',';
    directives += fmt::format(R"({{"Name":"{}","Unit":"{}"}})", name, unit);
    values += fmt::format(R"(,"{}":{})", name, value);
  }
  return fmt::format(R"({{"_aws":{{"Timestamp":{},"CloudWatchMetrics":[{{"Namespace":"meterline",)"
                     R"("Dimensions":[["Service"]],"Metrics":[{}]}}]}},"Service":{}{}{}}})",
                     at.micros / micros_per_milli, directives, quoted(service), values, more);
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
  log_.write_line(line_of(log_.now(), service_, metrics,
                          fmt::format(R"(,"route":{},"status":{})", quoted(route), status)));
}

}  // namespace meterline::telemetry
