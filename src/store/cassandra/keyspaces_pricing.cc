#include "store/cassandra/keyspaces_pricing.h"

#include <functional>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>

#include "core/try.h"
#include "store/cassandra/cassandra_writer.h"
#include "store/cassandra/counting_session.h"
#include "store/cassandra/tables.h"
#include "store/cassandra/write_units.h"

namespace meterline::store::cassandra {
namespace {

constexpr std::string_view no_keyspace = "counted";

/// Rows that were written, by all writers.
///
/// Threads: all methods may be called from many threads at once.
class Ledger {
 public:
  Result<void> add(Statement statement, std::string_view rows, std::size_t count) {
    const auto shape = row_shape_of(statement);
    const std::scoped_lock lock(mutex_);
    CqlRow cells(rows);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t left = cells.left();
      const auto units = write_units_of(shape, cells);
      if (!cells.ok()) return fail(Errc::corrupt, "a row without all its values was written");
      const auto row = rows.substr(rows.size() - left, left - cells.left());
      if (is_asked_for_first(statement) &&
          !noted_.insert(std::hash<std::string_view>()(row)).second)
        continue;
      ++cost_.rows;
      cost_.units += units;
    }
    return {};
  }

  WriteCost cost() const {
    const std::scoped_lock lock(mutex_);
    return cost_;
  }

 private:
  /// The registry leaves out what the store has already (registry.h).
  static bool is_asked_for_first(Statement statement) {
    return statement == Statement::insert_meter || statement == Statement::insert_name;
  }

  mutable std::mutex mutex_;
  WriteCost cost_;
  std::unordered_set<std::size_t> noted_;  ///< By a hash: of so few, none are taken for another.
};

class KeyspacesPricing final : public Pricing {
 public:
  Result<void> open(int buckets) {
    const auto count = [this](Statement statement, std::string_view rows, std::size_t rows_count) {
      return ledger_.add(statement, rows, rows_count);
    };
    METERLINE_TRY(tables_, Tables::open(make_counting_session(count, buckets), no_keyspace,
                                        Dialect::keyspaces));
    return tables_->prepare_writes();
  }
  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    return make_cassandra_writer(deliveries, *tables_);
  }
  WriteCost cost() const override { return ledger_.cost(); }

 private:
  Ledger ledger_;
  std::unique_ptr<Tables> tables_;
};

}  // namespace

Result<std::unique_ptr<Pricing>> make_keyspaces_pricing(int buckets) {
  auto pricing = std::make_unique<KeyspacesPricing>();
  METERLINE_CHECK(pricing->open(buckets));
  return pricing;
}

}  // namespace meterline::store::cassandra
