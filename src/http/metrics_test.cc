#include "http/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterline::http {
namespace {

using ::testing::HasSubstr;

api::Request request_of(std::string method, std::string target) {
  return {.method = std::move(method),
          .target = std::move(target),
          .headers = {},
          .body = {},
          .body_bytes = 5};
}

TEST(Metrics, CountsRequestsByRouteAndStatus) {
  const auto metrics = make_metrics();
  const Handler handler = metrics->wrap([](const api::Request& request) {
    return api::Response{.status = request.target == "/v1/meters" ? 200 : 404,
                         .content_type = "text/plain",
                         .body = "four",
                         .headers = {}};
  });
  handler(request_of("GET", "/v1/meters"));
  handler(request_of("GET", "/v1/meters"));
  handler(request_of("GET", "/nothing/here"));
  const std::string text = handler(request_of("GET", "/metrics?x")).body;
  EXPECT_THAT(text, HasSubstr(R"(meterline_http_requests_total{route="meters",status="200"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(meterline_http_requests_total{route="unknown",status="404"} 1)"));
  EXPECT_THAT(text,
              HasSubstr(R"(meterline_http_request_duration_seconds_count{route="meters"} 2)"));
  EXPECT_THAT(text, HasSubstr("meterline_http_requests_in_flight 1\n"));
  EXPECT_THAT(text, HasSubstr("meterline_http_request_body_bytes_total 15\n"));
  EXPECT_THAT(text, HasSubstr("meterline_http_response_body_bytes_total 12\n"));
  EXPECT_EQ(handler(request_of("POST", "/metrics")).status, 405);
}

TEST(Metrics, CountsWhatUploadsBring) {
  const auto metrics = make_metrics();
  DeliveryReport report;
  report.rows = {.read = 3, .stored = 2, .repeated = 0, .rejected = 1};
  report.readings = {.read = 144, .stored = 95, .missing = 1, .repeated = 0, .rejected = 48};
  report.finding_counts.at(static_cast<std::size_t>(FindingCode::bad_date)) = 1;
  metrics->count_upload(report);
  report.state = DeliveryState::skipped;
  metrics->count_upload(report);
  const Handler handler = metrics->wrap({});
  const std::string text = handler(request_of("GET", "/metrics")).body;
  EXPECT_THAT(text, HasSubstr(R"(meterline_uploads_total{state="stored"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(meterline_uploads_total{state="skipped"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(meterline_upload_rows_total{outcome="stored"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(meterline_upload_readings_total{outcome="rejected"} 48)"));
  EXPECT_THAT(text, HasSubstr(R"(meterline_upload_findings_total{code="bad_date"} 1)"));
}

}  // namespace
}  // namespace meterline::http
