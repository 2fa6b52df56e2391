#include "store/cassandra/cql_session.h"

#include <meterline_drivers.h>

#include <algorithm>
#include <utility>

#include "core/guarded.h"
#include "core/try.h"

namespace meterline::store::cassandra {
namespace {

rust::Str str(std::string_view text) { return {text.data(), text.size()}; }

rust::Slice<const std::uint8_t> slice(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

std::string_view view(rust::Slice<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t millis(std::chrono::milliseconds time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
}

drivers::Options flat(const CqlOptions& options) {
  drivers::Options flat;
  for (const auto& node : options.nodes) flat.nodes.push_back(rust::String::lossy(node));
  flat.port = options.port;
  flat.data_centre = rust::String::lossy(options.data_centre);
  flat.user = rust::String::lossy(options.user);
  flat.password = rust::String::lossy(options.password);
  flat.aws_region = rust::String::lossy(options.aws_region);
  flat.tls = options.tls.on;
  flat.tls_ca_file = rust::String::lossy(options.tls.ca_file);
  flat.tls_server_name = rust::String::lossy(options.tls.server_name);
  flat.connections_per_node = static_cast<std::size_t>(std::max(options.connections_per_node, 0));
  flat.writes_per_connection = static_cast<std::size_t>(std::max(options.writes_per_connection, 0));
  flat.connect_timeout_ms = millis(options.connect_timeout);
  flat.keepalive_interval_ms = millis(options.keepalive_interval);
  flat.keepalive_timeout_ms = millis(options.keepalive_timeout);
  flat.tries_max = static_cast<std::uint32_t>(std::max(options.retry.tries_max, 1));
  flat.first_wait_ms = millis(options.retry.first_wait);
  flat.longest_wait_ms = millis(options.retry.longest_wait);
  flat.try_timeout_ms = millis(options.retry.try_timeout);
  flat.deadline_ms = millis(options.retry.deadline);
  for (const auto bound : latency_bounds_us) flat.latency_bounds_us.push_back(bound);
  return flat;
}

RequestMetrics metrics_of(const drivers::StatementMetrics& from) {
  RequestMetrics metrics{
      .statement = std::string(from.statement),
      .requests = from.requests,
      .retries = from.retries,
      .failures = from.failures,
      .connections_lost = from.connections_lost,
      .in_flight = from.in_flight,
      .micros = from.micros,
  };
  std::copy(from.latency.begin(), from.latency.end(), metrics.latency.begin());
  return metrics;
}

/// Visits all pages of a reader.
Result<void> visit_pages(drivers::Reader& reader, const CqlPageVisitor& visit) {
  while (true) {
    METERLINE_TRY(const auto page, guarded([&] { return reader.next(); }));
    if (page.end) return {};
    METERLINE_CHECK(
        visit(page.key, {.cells = view(reader.cells()), .rows = page.rows, .last = page.last}));
  }
}

class Writer : public CqlWriter {
 public:
  explicit Writer(rust::Box<drivers::Writer> driver) : driver_(std::move(driver)) {}

  Result<void> write(CqlStatement statement, std::string_view rows, std::size_t count) override {
    return guarded([&] { driver_->write(statement.number, slice(rows), count); });
  }

  Result<void> finish() override {
    return guarded([&] { driver_->finish(); });
  }

 private:
  rust::Box<drivers::Writer> driver_;
};

class Session : public CqlSession {
 public:
  explicit Session(rust::Box<drivers::Session> driver) : driver_(std::move(driver)) {}

  Result<void> execute(std::string_view cql) override {
    return guarded([&] { driver_->execute(str(cql)); });
  }

  Result<void> query(std::string_view cql, const CqlPageVisitor& visit) override {
    METERLINE_TRY(auto reader, guarded([&] { return driver_->query(str(cql)); }));
    return visit_pages(*reader, visit);
  }

  Result<void> query_each_node(std::string_view cql, const CqlPageVisitor& visit) override {
    METERLINE_TRY(auto reader, guarded([&] { return driver_->query_each_node(str(cql)); }));
    return visit_pages(*reader, visit);
  }

  Result<std::vector<CqlStatement>> prepare(std::span<const Text> texts) override {
    std::vector<drivers::StatementText> flat;
    for (const auto& [name, cql, page_rows] : texts)
      flat.push_back({.name = rust::String::lossy(name),
                      .cql = rust::String::lossy(cql),
                      .page_rows = page_rows});
    METERLINE_TRY(const auto first, guarded([&] {
                    return driver_->prepare(
                        rust::Slice<const drivers::StatementText>(flat.data(), flat.size()));
                  }));
    std::vector<CqlStatement> prepared;
    prepared.reserve(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) prepared.push_back({.number = first + i});
    return prepared;
  }

  std::unique_ptr<CqlWriter> writer(const WriteLimits& limits) override {
    return std::make_unique<Writer>(driver_->writer(limits.requests, limits.bytes));
  }

  Result<void> read(CqlStatement statement, std::string_view keys, std::size_t count,
                    const ReadLimits& limits, const CqlPageVisitor& visit) override {
    METERLINE_TRY(auto reader, guarded([&] {
                    return driver_->read(statement.number, slice(keys), count, limits.in_flight,
                                         millis(limits.deadline));
                  }));
    return visit_pages(*reader, visit);
  }

  void answer_within(std::chrono::milliseconds time) override {
    driver_->answer_within(millis(time));
  }

  std::vector<RequestMetrics> metrics() const override {
    std::vector<RequestMetrics> metrics;
    for (const auto& statement : driver_->metrics()) metrics.push_back(metrics_of(statement));
    return metrics;
  }

 private:
  rust::Box<drivers::Session> driver_;
};

}  // namespace

Result<std::unique_ptr<CqlSession>> connect_cql(const CqlOptions& options) {
  auto driver = guarded([&] { return drivers::connect(flat(options)); });
  if (driver) return std::make_unique<Session>(*std::move(driver));
  Error error = std::move(driver).error();
  // A node that wants TLS just hangs up on a greeting in plain text.
  const bool hung_up = error.message.find("Connection reset") != std::string::npos ||
                       error.message.find("Broken pipe") != std::string::npos;
  if (!options.tls.on && hung_up) error.message += "; if the node wants TLS, say so: tls=on";
  return tl::unexpected(std::move(error));
}

std::string_view cql_driver_name() {
  static const std::string name(drivers::driver_name());
  return name;
}

}  // namespace meterline::store::cassandra
