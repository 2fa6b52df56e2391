#include "http/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <string>

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

bool is_metrics(const api::Request& request) {
  return std::string_view(request.target).substr(0, request.target.find('?')) == metrics_path;
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

class PrometheusMetrics : public Metrics {
 public:
  Handler wrap(Handler handler) override {
    return [this, inner = std::move(handler)](const api::Request& request) {
      const InFlight counted(in_flight_);
      const auto began = std::chrono::steady_clock::now();
      const bool own = is_metrics(request);
      api::Response response = own ? expose(request) : inner(request);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      count(own ? "metrics" : api::route_of(request), request, response, took.count());
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
    const std::string name(route);
    requests_.Add({{"route", name}, {"status", std::to_string(response.status)}}).Increment();
    seconds_.Add({{"route", name}}, buckets_).Observe(seconds);
    bytes_in_.Increment(static_cast<double>(request.body_bytes));
    bytes_out_.Increment(static_cast<double>(response.body.size()));
  }

  api::Response expose(const api::Request& request) const {
    if (request.method != "GET" && request.method != "HEAD") {
      auto response = api::problem(405, "/metrics takes GET, HEAD");
      response.headers["Allow"] = "GET, HEAD";
      return response;
    }
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = prometheus::TextSerializer().Serialize(registry_.Collect()),
            .headers = {}};
  }

  const Histogram::BucketBoundaries buckets_ = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100};
  prometheus::Registry registry_;
  Family<Counter>& requests_ = counters(registry_, "meterline_http_requests_total",
                                        "Requests answered, by route and status.");
  Family<Histogram>& seconds_ = prometheus::BuildHistogram()
                                    .Name("meterline_http_request_duration_seconds")
                                    .Help("From the complete request to its answer, by route.")
                                    .Register(registry_);
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

std::unique_ptr<Metrics> make_metrics() { return std::make_unique<PrometheusMetrics>(); }

}  // namespace meterline::http
