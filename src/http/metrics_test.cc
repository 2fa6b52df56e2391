#include "http/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::http {
namespace {

using meterline::testing::must;
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
    return api::Response{.status = request.target.text() == "/v1/meters" ? 200 : 404,
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

TEST(Metrics, CountsNoBodyThatIsWanted) {
  const auto metrics = make_metrics();
  const Handler handler = metrics->wrap([](const api::Request& request) {
    return api::Response{.status = request.body_is_to_come ? 100 : 201};
  });
  auto request = request_of("POST", "/v1/deliveries");
  request.body_is_to_come = true;
  EXPECT_EQ(handler(request).status, 100);
  request.body_is_to_come = false;
  EXPECT_EQ(handler(request).status, 201);
  const std::string text = handler(request_of("GET", "/metrics")).body;
  EXPECT_THAT(text, ::testing::Not(HasSubstr(R"(status="100")")));
  EXPECT_THAT(text,
              HasSubstr(R"(meterline_http_requests_total{route="deliveries",status="201"} 1)"));
}

TEST(Metrics, ShowsWhatAServerHasInHand) {
  Usage usage(1000, 200);
  const auto metrics = make_metrics();
  metrics->watch(usage);
  const Handler handler = metrics->wrap({});
  BudgetShare temporary(&usage.temporary);
  BudgetShare answer(&usage.answers);
  ASSERT_TRUE(temporary.grow(10) && answer.grow(20));
  usage.connections = 3;
  usage.lengthy_waiting = 4;
  const std::string text = handler(request_of("GET", "/metrics")).body;
  for (const std::string line :
       {"meterline_temporary_bytes 10", "meterline_temporary_bytes_max 1000",
        "meterline_http_answer_bytes 20", "meterline_http_answer_bytes_max 200",
        "meterline_http_connections 3", R"(meterline_http_requests_waiting{kind="brief"} 0)",
        R"(meterline_http_requests_waiting{kind="long"} 4)",
        R"(meterline_http_requests_waiting{kind="upload"} 0)"})
    EXPECT_THAT(text, HasSubstr(line + '\n'));
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

/// A store with servers, as far as metrics go.
class Asking final : public store::Store {
 public:
  std::vector<store::RequestMetrics> asked;

  Result<store::StoreStatus> status(store::StatusOf) const override {
    return store::StoreStatus{.requests = asked};
  }

  Result<std::unique_ptr<store::DeliveryWriter>> write(std::span<const Delivery>) override {
    return none();
  }
  Result<void> read_registers(const store::ReadsQuery&, const store::ReadVisitor&) const override {
    return {};
  }
  Result<void> read_days(const store::DaysQuery&, const store::DayVisitor&) const override {
    return none();
  }
  Result<void> read_months(const store::TotalsQuery&, const store::MonthsVisitor&) const override {
    return none();
  }
  Result<std::vector<store::MeterInfo>> meters(const store::MetersQuery&) const override {
    return none();
  }
  Result<void> add_event(const DeliveryId&, const DeliveryEvent&) override { return none(); }
  Result<std::vector<store::DeliveryRecord>> deliveries(
      const store::DeliveriesQuery&) const override {
    return none();
  }
  Result<void> amend(const store::Amendment&) override { return none(); }
  Result<Unit> remember_unit(Unit) override { return none(); }

 private:
  static tl::unexpected<Error> none() { return fail(Errc::unavailable, "only for metrics"); }
};

TEST(Metrics, ShowsWhatTheStoreAsksOfItsServers) {
  Asking store;
  const auto metrics = make_metrics();
  metrics->watch(store);
  const Handler handler = metrics->wrap({});
  const auto shown = [&] { return handler(request_of("GET", "/metrics")).body; };
  EXPECT_THAT(shown(), ::testing::Not(HasSubstr("meterline_store")));

  store::RequestMetrics days{.statement = "read_days",
                             .requests = 7,
                             .retries = 2,
                             .failures = 1,
                             .connections_lost = 5,
                             .in_flight = 3,
                             .micros = 2'500'000};
  days.latency.front() = 4;
  days.latency.at(2) = 2;
  days.latency.back() = 1;
  store.asked = {days, {.statement = "insert_day"}};
  const std::string text = shown();
  for (const std::string line :
       {"# TYPE meterline_store_requests_total counter",
        R"(meterline_store_requests_total{statement="read_days"} 7)",
        R"(meterline_store_requests_total{statement="insert_day"} 0)",
        R"(meterline_store_retries_total{statement="read_days"} 2)",
        R"(meterline_store_failures_total{statement="read_days"} 1)",
        "# TYPE meterline_store_connections_lost_total counter",
        R"(meterline_store_connections_lost_total{statement="read_days"} 5)",
        "# TYPE meterline_store_in_flight gauge",
        R"(meterline_store_in_flight{statement="read_days"} 3)",
        "# TYPE meterline_store_request_duration_seconds histogram",
        R"(meterline_store_request_duration_seconds_count{statement="read_days"} 7)",
        R"(meterline_store_request_duration_seconds_sum{statement="read_days"} 2.5)",
        R"(meterline_store_request_duration_seconds_bucket{statement="read_days",le="0.00025"} 4)",
        R"(meterline_store_request_duration_seconds_bucket{statement="read_days",le="0.0005"} 4)",
        R"(meterline_store_request_duration_seconds_bucket{statement="read_days",le="0.001"} 6)",
        R"(meterline_store_request_duration_seconds_bucket{statement="read_days",le="30"} 6)",
        R"(meterline_store_request_duration_seconds_bucket{statement="read_days",le="+Inf"} 7)"})
    EXPECT_THAT(text, HasSubstr(line + '\n'));
}

TEST(Metrics, ShowsTheSizeOfAnEmbeddedStoreAndWhenItReceivedSomething) {
  const meterline::testing::TempFolder folder;
  const auto store = must(store::open_rocksdb_store({.folder = folder.path() / "store"}));
  const auto metrics = make_metrics();
  metrics->watch(*store);
  const Handler handler = metrics->wrap({});
  const auto shown = [&] { return handler(request_of("GET", "/metrics")).body; };
  EXPECT_THAT(shown(), ::testing::Not(HasSubstr("meterline_last_delivery")));
  for (const int second : {20, 10})
    must(load(*store, meterline::testing::delivery_of(second, static_cast<std::uint8_t>(second),
                                                      {"A 2019-01-01 60 1x24"})));
  EXPECT_THAT(shown(), HasSubstr("\nmeterline_last_delivery_timestamp_seconds 20\n"));
  EXPECT_THAT(shown(), HasSubstr("\nmeterline_store_bytes{part=\"days\"} "));
  EXPECT_THAT(shown(), HasSubstr("\nmeterline_store_bytes{part=\"recent\"} "));
}

TEST(Metrics, ShowsTheLastBackupWhereOneIsKnown) {
  std::optional<Instant> last;
  const auto metrics = make_metrics();
  metrics->watch_backups([&] { return last; });
  const Handler handler = metrics->wrap({});
  const auto shown = [&] { return handler(request_of("GET", "/metrics")).body; };
  EXPECT_THAT(shown(), ::testing::Not(HasSubstr("meterline_last_backup")));
  last = Instant{.micros = 1'500'000};
  EXPECT_THAT(shown(), HasSubstr("\nmeterline_last_backup_timestamp_seconds 1.5\n"));
}

}  // namespace
}  // namespace meterline::http
