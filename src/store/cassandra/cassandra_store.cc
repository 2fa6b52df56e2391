#include "store/cassandra/cassandra_store.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/try.h"
#include "store/cassandra/amend_rows.h"
#include "store/cassandra/cassandra_writer.h"
#include "store/cassandra/day_rows.h"
#include "store/cassandra/delivery_rows.h"
#include "store/cassandra/event_rows.h"
#include "store/cassandra/meter_rows.h"
#include "store/cassandra/register_rows.h"
#include "store/cassandra/tables.h"
#include "store/cassandra/totals_rows.h"
#include "store/resolve.h"

namespace meterline::store::cassandra {
namespace {

/// A probe waits no longer for a quorum.
constexpr std::chrono::milliseconds ready_deadline{2000};

class CassandraStore final : public Store {
 public:
  explicit CassandraStore(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    for (const auto& delivery : deliveries)
      if (delivery.source.size() > source_bytes_max)
        return fail(Errc::too_large, "the name of the delivery's source is too long");
    return make_cassandra_writer(deliveries, *tables_);
  }
  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override {
    return read_day_rows(*tables_, query, visit);
  }
  Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const override {
    return read_register_rows(*tables_, query, visit);
  }
  Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const override {
    if (query.meters) return read_resolved_months(*this, query, visit);
    return read_totals(*tables_, query,
                       [&](const DayTotal& total) { return visit.days(ResolvedDays(total)); });
  }
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override {
    return query.only ? read_meter(*tables_, query) : list_meters(*tables_, query);
  }
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override {
    METERLINE_CHECK(tables_->prepare_writes());
    return write_event(*tables_, delivery, event);
  }
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override {
    return list_deliveries(*tables_, query);
  }
  Result<void> amend(const Amendment& amendment) override {
    return amend_rows(*tables_, amendment);
  }
  Result<Unit> remember_unit(Unit unit) override;
  Result<StoreStatus> status(StatusOf what) const override;
  /// A writer mostly waits for a quorum.
  StoreTraits traits() const override {
    return {.writers_per_core = 2, .answer_within = [this](std::chrono::milliseconds time) {
              tables_->session().answer_within(time);
            }};
  }

 private:
  Result<void> ask() const;
  Result<std::vector<StoreFigure>> figures() const;

  std::unique_ptr<Tables> tables_;
};

Result<Unit> CassandraStore::remember_unit(Unit unit) {
  METERLINE_TRY(const auto known, default_unit());
  if (known) return *known;
  METERLINE_CHECK(tables_->prepare_writes());
  CqlCells cells;
  cells.text(unit_kind);
  cells.text(choice_text(unit));
  const auto writer = tables_->session().writer({});
  METERLINE_CHECK(writer->write((*tables_)[Statement::insert_name], cells.bytes(), 1));
  METERLINE_CHECK(writer->finish());
  METERLINE_TRY(const auto now, default_unit());
  return now.value_or(unit);
}

Result<StoreStatus> CassandraStore::status(StatusOf what) const {
  StoreStatus status;
  switch (what) {
    case StatusOf::readiness:
      METERLINE_CHECK(ask());
      break;
    case StatusOf::files: {
      METERLINE_TRY(const auto layout, tables_->layout());
      status.figures.push_back({.name = "buckets", .value = layout.buckets});
      break;
    }
    case StatusOf::size: {
      METERLINE_TRY(status.figures, figures());
      METERLINE_TRY(const auto layout, tables_->layout());
      status.figures.push_back({.name = "buckets", .value = layout.buckets});
      break;
    }
    case StatusOf::requests:
      status.requests = tables_->session().metrics();
      break;
    // Not kept in memory: another program may have changed them since.
    case StatusOf::settings: {
      METERLINE_TRY(status.settings, read_settings(*tables_));
    }
  }
  return status;
}

Result<void> CassandraStore::ask() const {
  CqlCells key;
  key.text(schema_kind);
  key.text("");
  key.text("~");
  const auto ignore = [](CqlRow& row) -> Result<void> {
    row.text();
    return {};
  };
  return tables_->read_rows(Statement::select_names, key, ignore, ready_deadline);
}

/// Figures by name, in the order in which they were first added to.
class Figures {
 public:
  void add(const std::string& name, std::int64_t value) { at(name) += value; }
  void raise(const std::string& name, std::int64_t value) { at(name) = std::max(at(name), value); }
  std::vector<StoreFigure> take() { return std::move(figures_); }

 private:
  std::int64_t& at(const std::string& name) {
    for (auto& figure : figures_)
      if (figure.name == name) return figure.value;
    return figures_.emplace_back(StoreFigure{.name = name}).value;
  }
  std::vector<StoreFigure> figures_;
};

/// Each node tells of what it holds itself, copies included. A cluster that has no such tables
/// (Keyspaces, ScyllaDB) tells nothing.
Result<std::vector<StoreFigure>> CassandraStore::figures() const {
  Figures figures;
  CqlSession& session = tables_->session();
  const std::string& keyspace = tables_->keyspace();
  const auto mebibytes = [&](const std::string& name, bool add) {
    return [&figures, &keyspace, name, add](std::size_t, const CqlPage& page) {
      return visit_rows(page, [&](CqlRow& row) -> Result<void> {
        const bool own = row.text() == keyspace;
        const std::string figure = fmt::format("{}_{}", row.text(), name);
        const std::int64_t value = row.bigint();
        if (own && add) figures.add(figure, value);
        if (own && !add) figures.raise(figure, value);
        return {};
      });
    };
  };
  const auto told = session.query_each_node(select_disk_usage, mebibytes("disk_mebibytes", true));
  if (!told && told.error().code == Errc::unavailable) return tl::unexpected(told.error());
  const auto largest = session.query_each_node(select_max_partitions,
                                               mebibytes("largest_partition_mebibytes", false));
  const auto estimated =
      session.query_each_node(fmt::format(fmt::runtime(select_size_estimates), keyspace),
                              [&](std::size_t, const CqlPage& page) {
                                return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                  const std::string table(row.text());
                                  const std::int64_t partitions = row.bigint();
                                  figures.add(table + "_partitions_estimated", partitions);
                                  row.bigint();
                                  return {};
                                });
                              });
  for (const auto& read : {largest, estimated})
    if (!read && read.error().code == Errc::unavailable) return tl::unexpected(read.error());
  return figures.take();
}

}  // namespace

Result<std::unique_ptr<Store>> open_cassandra_store(const CassandraOptions& options) {
  METERLINE_TRY(auto session, connect_cql(options.cql));
  METERLINE_TRY(auto tables, Tables::open(std::move(session), options.keyspace, options.dialect,
                                          buckets_for(options.expected_meters)));
  return std::make_unique<CassandraStore>(std::move(tables));
}

}  // namespace meterline::store::cassandra
