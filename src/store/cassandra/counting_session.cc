#include "store/cassandra/counting_session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/try.h"
#include "store/cassandra/cql_cells.h"

namespace meterline::store::cassandra {
namespace {

class CountingCqlWriter final : public CqlWriter {
 public:
  explicit CountingCqlWriter(const RowsTaker& take) : take_(take) {}
  Result<void> write(CqlStatement statement, std::string_view rows, std::size_t count) override {
    return take_(statements()[statement.number].statement, rows, count);
  }
  Result<void> finish() override { return {}; }

 private:
  const RowsTaker& take_;
};

class CountingCqlSession final : public CqlSession {
 public:
  CountingCqlSession(RowsTaker take, int buckets) : take_(std::move(take)), buckets_(buckets) {}

  Result<void> execute(std::string_view) override { return {}; }

  Result<void> query(std::string_view, const CqlPageVisitor&) override { return {}; }
  Result<void> query_each_node(std::string_view, const CqlPageVisitor&) override { return {}; }

  /// A statement's number is its place in statements().
  Result<std::vector<CqlStatement>> prepare(std::span<const Text> texts) override {
    std::vector<CqlStatement> prepared;
    prepared.reserve(texts.size());
    for (const auto& text : texts) {
      const auto known = std::find_if(statements().begin(), statements().end(),
                                      [&](const auto& one) { return one.name == text.name; });
      prepared.push_back({.number = static_cast<std::size_t>(known - statements().begin())});
    }
    return prepared;
  }

  std::unique_ptr<CqlWriter> writer(const WriteLimits&) override {
    return std::make_unique<CountingCqlWriter>(take_);
  }

  Result<void> read(CqlStatement statement, std::string_view keys, std::size_t count,
                    const ReadLimits&, const CqlPageVisitor& visit) override {
    const bool is_of_names = statements()[statement.number].statement == Statement::select_names;
    const auto kind = is_of_names ? CqlRow(keys).text() : std::string_view();
    if (kind == schema_kind || kind == buckets_kind) {
      CqlCells number;
      number.text(std::to_string(kind == schema_kind ? schema_version : buckets_));
      return visit(0, {.cells = number.bytes(), .rows = 1});
    }
    for (std::size_t key = 0; key < count; ++key) METERLINE_CHECK(visit(key, CqlPage{}));
    return {};
  }

  void answer_within(std::chrono::milliseconds /*time*/) override {}
  std::vector<RequestMetrics> metrics() const override { return {}; }

 private:
  const RowsTaker take_;
  const int buckets_;
};

}  // namespace

std::unique_ptr<CqlSession> make_counting_session(RowsTaker take, int buckets) {
  return std::make_unique<CountingCqlSession>(std::move(take), buckets);
}

}  // namespace meterline::store::cassandra
