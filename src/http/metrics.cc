#include "http/metrics.h"

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "api/parameters.h"
#include "api/problem.h"

namespace meterline::http {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr std::string_view metrics_path = "/metrics";

Family<Counter>& counters(prometheus::Registry& registry, const std::string& name,
                          const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

/// Counts a request as in flight for as long as it lives.
class InFlight {
 public:
  explicit InFlight(Gauge& gauge) : gauge_(gauge) { gauge_.Increment(); }
  ~InFlight() { gauge_.Decrement(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Gauge& gauge_;
};

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// The class that a request of the store fell into, and all below it, as Prometheus wants them.
ClientMetric::Histogram histogram_of(const store::RequestMetrics& metrics) {
  constexpr double micros_per_second = 1e6;
  ClientMetric::Histogram histogram;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < metrics.latency.size(); ++i) {
    count += static_cast<std::uint64_t>(metrics.latency.at(i));
    const bool is_open = i == store::latency_bounds_us.size();
    const double bound = is_open ? std::numeric_limits<double>::infinity()
                                 : static_cast<double>(store::latency_bounds_us.at(i));
    histogram.bucket.push_back(
        {.cumulative_count = count, .upper_bound = bound / micros_per_second});
  }
  histogram.sample_count = count;
  histogram.sample_sum = static_cast<double>(metrics.micros) / micros_per_second;
  return histogram;
}

/// A label's value, unless it is empty, and the metric's.
using Values = std::vector<std::pair<std::string, double>>;

MetricFamily gauges(std::string name, std::string help, const std::string& label,
                    const Values& values) {
  MetricFamily family{.name = std::move(name), .help = std::move(help), .type = MetricType::Gauge};
  for (const auto& [of, value] : values) {
    ClientMetric metric{.gauge = {value}};
    if (!of.empty()) metric.label = {{.name = label, .value = of}};
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily time_gauge(std::string name, std::string help, Instant at) {
  constexpr double micros_per_second = 1e6;
  return gauges(std::move(name), std::move(help), "",
                {{"", static_cast<double>(at.micros) / micros_per_second}});
}

/// What a store inside of this process tells of itself.
class EmbeddedStoreMetrics : public prometheus::Collectable {
 public:
  explicit EmbeddedStoreMetrics(const store::Store& store) : store_(store) {}

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    Values bytes;
    if (const auto status = store_.status(store::StatusOf::size))
      for (const auto& [name, value] : status->figures)
        if (name.ends_with("_bytes"))
          bytes.emplace_back(name.substr(0, name.find('_')), static_cast<double>(value));
    if (!bytes.empty())
      families.push_back(gauges("meterline_store_bytes",
                                "Bytes of the store's tables, and of what is to be folded into "
                                "them (recent).",
                                "part", bytes));
    const auto last = store_.deliveries({.received_after = Instant(), .after = {}, .limit = 1});
    if (last && !last->empty())
      families.push_back(time_gauge("meterline_last_delivery_timestamp_seconds",
                                    "When a delivery was received last.",
                                    last->front().delivery.received_at));
    return families;
  }

 private:
  const store::Store& store_;
};

/// What a store asked of its servers, read when it is asked for.
class StoreMetrics : public prometheus::Collectable {
 public:
  explicit StoreMetrics(const store::Store& store) : store_(store) {}

  std::vector<MetricFamily> Collect() const override {
    const auto status = store_.status(store::StatusOf::requests);
    if (!status || status->requests.empty()) return {};
    const auto& statements = status->requests;
    const auto counter = [](std::int64_t value) {
      return ClientMetric{.counter = {static_cast<double>(value)}};
    };
    return {
        family("requests_total", MetricType::Counter, "Requests to the store's servers that ended.",
               statements, [&](const auto& of) { return counter(of.requests); }),
        family("retries_total", MetricType::Counter, "Tries of such requests after the first.",
               statements, [&](const auto& of) { return counter(of.retries); }),
        family("failures_total", MetricType::Counter, "Such requests that were given up.",
               statements, [&](const auto& of) { return counter(of.failures); }),
        family("connections_lost_total", MetricType::Counter,
               "Tries of such requests whose connection was lost, and made anew.", statements,
               [&](const auto& of) { return counter(of.connections_lost); }),
        family("in_flight", MetricType::Gauge, "Such requests that wait for an answer now.",
               statements,
               [](const auto& of) {
                 return ClientMetric{.gauge = {static_cast<double>(of.in_flight)}};
               }),
        family("request_duration_seconds", MetricType::Histogram,
               "From the first try of such a request to its end.", statements,
               [](const auto& of) { return ClientMetric{.histogram = histogram_of(of)}; }),
    };
  }

 private:
  /// One metric for each statement.
  template <class Value>
  static MetricFamily family(const std::string& name, MetricType type, std::string help,
                             const std::vector<store::RequestMetrics>& statements,
                             const Value& value) {
    MetricFamily family{.name = "meterline_store_" + name, .help = std::move(help), .type = type};
    for (const auto& of : statements) {
      ClientMetric metric = value(of);
      metric.label = {{.name = "statement", .value = of.statement}};
      family.metric.push_back(std::move(metric));
    }
    return family;
  }

  const store::Store& store_;
};

/// What a server has in hand, read when it is asked for.
class UsageMetrics : public prometheus::Collectable {
 public:
  explicit UsageMetrics(const Usage& usage) : usage_(usage) {}

  std::vector<MetricFamily> Collect() const override {
    return {
        gauge("meterline_temporary_bytes", "Bytes of temporary files of uploads now.",
              {{"", number(usage_.temporary.used())}}),
        gauge("meterline_temporary_bytes_max", "The most that they may take.",
              {{"", number(usage_.temporary.bytes_max())}}),
        gauge("meterline_http_answer_bytes", "Bytes of large answers that clients still read.",
              {{"", number(usage_.answers.used())}}),
        gauge("meterline_http_answer_bytes_max", "The most that they may take.",
              {{"", number(usage_.answers.bytes_max())}}),
        gauge("meterline_http_connections", "Connections that are open.",
              {{"", number(usage_.connections.load())}}),
        gauge("meterline_http_requests_waiting", "Requests that wait for a thread, by kind.",
              {{"brief", number(usage_.brief_waiting.load())},
               {"long", number(usage_.lengthy_waiting.load())},
               {"upload", number(usage_.uploads_waiting.load())}}),
    };
  }

 private:
  static double number(std::uint64_t value) { return static_cast<double>(value); }
  static MetricFamily gauge(std::string name, std::string help, const Values& values) {
    return gauges(std::move(name), std::move(help), "kind", values);
  }

  const Usage& usage_;
};

/// What is counted for one route and one status.
struct Series {
  Counter& requests;
  Histogram& seconds;  ///< Of the route, whatever the status.
};

class PrometheusMetrics : public Metrics {
 public:
  void watch(const store::Store& store) override {
    store_.emplace(store);
    if (store.traits().is_embedded) embedded_.emplace(store);
  }
  void watch_backups(std::function<std::optional<Instant>()> last) override {
    last_backup_ = std::move(last);
  }
  void watch(const Usage& usage) override { usage_.emplace(usage); }

  Handler wrap(Handler handler) override {
    return [this, inner = std::move(handler)](const api::Request& request) {
      const InFlight counted(in_flight_);
      const auto began = std::chrono::steady_clock::now();
      const bool own = is_metrics(request);
      api::Response response = own ? expose(request) : inner(request);
      if (response.status == 100) return response;
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      count(own ? "metrics" : request.target.name(), request, response, took.count());
      return response;
    };
  }

  void count_upload(const DeliveryReport& report) override {
    uploads_.Add({{"state", std::string(text_of(report.state))}}).Increment();
    if (report.state == DeliveryState::skipped) return;  // Its report is that of the first time.
    const auto add = [](Family<Counter>& family, const char* outcome, std::int64_t number) {
      family.Add({{"outcome", outcome}}).Increment(static_cast<double>(number));
    };
    add(rows_, "stored", report.rows.stored);
    add(rows_, "repeated", report.rows.repeated);
    add(rows_, "rejected", report.rows.rejected);
    add(readings_, "stored", report.readings.stored);
    add(readings_, "missing", report.readings.missing);
    add(readings_, "repeated", report.readings.repeated);
    add(readings_, "rejected", report.readings.rejected);
    for (std::size_t i = 0; i < report.finding_counts.size(); ++i)
      if (report.finding_counts[i] != 0)
        findings_.Add({{"code", std::string(text_of(static_cast<FindingCode>(i)))}})
            .Increment(static_cast<double>(report.finding_counts[i]));
  }

 private:
  void count(std::string_view route, const api::Request& request, const api::Response& response,
             double seconds) {
    const Series& series = series_of(route, response.status);
    series.requests.Increment();
    series.seconds.Observe(seconds);
    bytes_in_.Increment(static_cast<double>(request.body_bytes));
    bytes_out_.Increment(static_cast<double>(response.body.size()));
  }

  /// Kept, as finding a series by its labels takes longer than answering a quick request.
  const Series& series_of(std::string_view route, int status) {
    const std::pair key(route, status);
    {
      const std::shared_lock lock(series_mutex_);
      const auto found = series_.find(key);
      if (found != series_.end()) return found->second;
    }
    const std::string name(route);
    const std::unique_lock lock(series_mutex_);
    const Series made = {
        .requests = requests_.Add({{"route", name}, {"status", std::to_string(status)}}),
        .seconds = seconds_.Add({{"route", name}}, buckets_)};
    return series_.try_emplace(key, made).first->second;
  }

  api::Response expose(const api::Request& request) const {
    if (request.method != "GET" && request.method != "HEAD") {
      auto response = api::problem(405, "/metrics takes GET, HEAD");
      response.headers["Allow"] = "GET, HEAD";
      return response;
    }
    auto families = registry_.Collect();
    if (store_) std::ranges::move(store_->Collect(), std::back_inserter(families));
    if (embedded_) std::ranges::move(embedded_->Collect(), std::back_inserter(families));
    if (usage_) std::ranges::move(usage_->Collect(), std::back_inserter(families));
    if (const auto last = last_backup_ ? last_backup_() : std::nullopt)
      families.push_back(time_gauge("meterline_last_backup_timestamp_seconds",
                                    "When the last backup of the store was made.", *last));
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = prometheus::TextSerializer().Serialize(families),
            .headers = {}};
  }

  const Histogram::BucketBoundaries buckets_ = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100};
  std::optional<StoreMetrics> store_;
  std::optional<EmbeddedStoreMetrics> embedded_;
  std::function<std::optional<Instant>()> last_backup_;
  std::optional<UsageMetrics> usage_;
  prometheus::Registry registry_;
  Family<Counter>& requests_ = counters(registry_, "meterline_http_requests_total",
                                        "Requests answered, by route and status.");
  Family<Histogram>& seconds_ = prometheus::BuildHistogram()
                                    .Name("meterline_http_request_duration_seconds")
                                    .Help("From the complete request to its answer, by route.")
                                    .Register(registry_);
  std::shared_mutex series_mutex_;
  std::map<std::pair<std::string_view, int>, Series> series_;  ///< The names live for ever.
  Gauge& in_flight_ = prometheus::BuildGauge()
                          .Name("meterline_http_requests_in_flight")
                          .Help("Requests being answered now.")
                          .Register(registry_)
                          .Add({});
  Counter& bytes_in_ =
      counters(registry_, "meterline_http_request_body_bytes_total", "Bytes of request bodies.")
          .Add({});
  Counter& bytes_out_ = counters(registry_, "meterline_http_response_body_bytes_total",
                                 "Bytes of answers before compression.")
                            .Add({});
  Family<Counter>& uploads_ =
      counters(registry_, "meterline_uploads_total", "Files uploaded, by what became of them.");
  Family<Counter>& rows_ =
      counters(registry_, "meterline_upload_rows_total", "Rows of uploads, by outcome.");
  Family<Counter>& readings_ =
      counters(registry_, "meterline_upload_readings_total", "Readings of uploads, by outcome.");
  Family<Counter>& findings_ =
      counters(registry_, "meterline_upload_findings_total", "Findings in uploads, by code.");
};

}  // namespace

bool is_metrics(const api::Request& request) {
  return api::split_target(request.target.text()).path == metrics_path;
}

std::unique_ptr<Metrics> make_metrics() { return std::make_unique<PrometheusMetrics>(); }

}  // namespace meterline::http
