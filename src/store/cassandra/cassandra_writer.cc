#include "store/cassandra/cassandra_writer.h"

#include <string>
#include <vector>

#include "core/try.h"
#include "store/cassandra/delivery_rows.h"
#include "store/cassandra/partition_batch.h"
#include "store/cassandra/register_rows.h"
#include "store/cassandra/registry.h"
#include "store/cassandra/totals_buffer.h"
#include "store/packed_day.h"
#include "store/packed_read.h"
#include "store/write_order.h"

namespace meterline::store::cassandra {
namespace {

/// Of meters and names that may be new, held until they are asked for.
constexpr std::size_t noted_max = 100'000;

std::string version_key(const Version& version, const DeliveryId& delivery) {
  std::string key;
  append_version_key(version, delivery, key);
  return key;
}

class CassandraWriter final : public DeliveryWriter {
 public:
  CassandraWriter(std::span<const Delivery> deliveries, const Tables& tables, const Layout& layout)
      : deliveries_(deliveries.begin(), deliveries.end()),
        order_(deliveries.size()),
        tables_(tables),
        writer_(tables.session().writer({})),
        days_(tables, Statement::insert_day),
        reads_(tables, Statement::insert_read),
        registry_(tables, layout),
        totals_(tables, layout, deliveries_, registry_) {
    for (const auto& delivery : deliveries_)
      versions_.emplace_back().blob(version_key(delivery.version(), delivery.id));
  }

  Result<void> add(const DayToStore& day) override;
  Result<void> add(const RegisterRead& read, std::size_t delivery) override;
  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override;

 private:
  Result<void> add_version(const DayToStore& day, CqlCells& cells) const;
  Result<void> begin_meter(const MeterId& meter);
  void begin_year(int year);
  const CqlCells& cell_of_channel(const Channel& channel);
  Result<void> send_totals();

  const std::vector<Delivery> deliveries_;
  std::vector<CqlCells> versions_;  ///< The key of each delivery's days that state no time.
  WriteOrder order_;
  const Tables& tables_;
  std::unique_ptr<CqlWriter> writer_;
  PartitionBatch days_;
  PartitionBatch reads_;
  Registry registry_;
  TotalsBuffer totals_;

  MeterId read_meter_;  ///< Of reads_.
  MeterId meter_;
  int year_ = 0;  ///< 0: no day of the meter yet.
  DateRange year_days_;
  CqlCells partition_;  ///< The meter and the year.
  struct NamedChannel {
    Channel channel;
    CqlCells cell;
    bool noted = false;  ///< For this meter and year.
  };
  std::vector<NamedChannel> channels_;
};

Result<void> CassandraWriter::add(const DayToStore& day) {
  METERLINE_CHECK(order_.check(day));
  if (meter_ != day.meter) METERLINE_CHECK(begin_meter(day.meter));
  const bool is_same_year = year_ != 0 && year_days_.contains(day.date);
  if (!is_same_year || days_.is_full()) METERLINE_CHECK(days_.send(*writer_));
  if (!is_same_year) begin_year(day.date.civil().year);
  METERLINE_CHECK(totals_.add(day));
  auto& cells = days_.add_row();
  cells.add(partition_);
  cells.date(day.date);
  cells.add(cell_of_channel(day.channel));
  METERLINE_CHECK(add_version(day, cells));
  cells.blob(day.packed);
  return {};
}

Result<void> CassandraWriter::add(const RegisterRead& read, std::size_t delivery) {
  METERLINE_CHECK(order_.check(read, delivery));
  if (read_meter_ != read.meter || reads_.is_full()) METERLINE_CHECK(reads_.send(*writer_));
  if (read_meter_ != read.meter) {
    if (registry_.noted() >= noted_max) METERLINE_CHECK(send_totals());
    read_meter_ = read.meter;
    registry_.note_reads(read.meter);
  }
  const Delivery& from = deliveries_[delivery];
  std::string packed;
  pack_read(read, packed);
  auto& cells = reads_.add_row();
  cells.text(read.meter.text());
  cells.bigint(read.current.time.at.micros);
  cells.text(register_text(read.of));
  cells.blob(version_key(read.version(from.version()), from.id));
  cells.blob(packed);
  return {};
}

Result<void> CassandraWriter::add_version(const DayToStore& day, CqlCells& cells) const {
  const Delivery& delivery = deliveries_[day.delivery];
  const Version delivered = delivery.version();
  METERLINE_TRY(const auto parts, split_packed_day(day.packed));
  METERLINE_TRY(const auto version, version_of(parts.grid, delivered));
  if (version == delivered)
    cells.add(versions_[day.delivery]);
  else
    cells.blob(version_key(version, delivery.id));
  return {};
}

Result<void> CassandraWriter::begin_meter(const MeterId& meter) {
  METERLINE_CHECK(days_.send(*writer_));
  if (totals_.is_full() || registry_.noted() >= noted_max) METERLINE_CHECK(send_totals());
  meter_ = meter;
  year_ = 0;
  return {};
}

void CassandraWriter::begin_year(int year) {
  year_ = year;
  year_days_ = {.from = *Date::from_civil({year, 1, 1}), .to = *Date::from_civil({year, 12, 31})};
  partition_.clear();
  partition_.text(meter_.text());
  partition_.integer(year_);
  for (auto& known : channels_) known.noted = false;
}

const CqlCells& CassandraWriter::cell_of_channel(const Channel& channel) {
  for (auto& known : channels_) {
    if (known.channel != channel) continue;
    if (!known.noted) registry_.note_meter(meter_, channel, year_);
    known.noted = true;
    return known.cell;
  }
  registry_.note_meter(meter_, channel, year_);
  auto& added = channels_.emplace_back(NamedChannel{.channel = channel, .cell = {}, .noted = true});
  added.cell.text(channel_text(channel));
  return added.cell;
}

/// Totals, meters and names go only where the days that they speak of are acknowledged: were the
/// load given up here, they would tell of days that nobody can read.
Result<void> CassandraWriter::send_totals() {
  METERLINE_CHECK(reads_.send(*writer_));
  METERLINE_CHECK(writer_->finish());
  writer_ = tables_.session().writer({});
  METERLINE_CHECK(totals_.flush(*writer_));
  return registry_.flush(*writer_);
}

Result<void> CassandraWriter::commit(std::span<const DeliveryReport> reports) {
  METERLINE_CHECK(order_.check(reports));
  METERLINE_CHECK(days_.send(*writer_));
  for (const auto& delivery : deliveries_)
    for (const auto at : {delivery.delivered_at, delivery.received_at})
      registry_.note_name(months_kind, month_of(at));
  METERLINE_CHECK(send_totals());
  METERLINE_CHECK(writer_->finish());
  return write_deliveries(tables_, deliveries_, reports, order_);
}

}  // namespace

Result<std::unique_ptr<DeliveryWriter>> make_cassandra_writer(std::span<const Delivery> deliveries,
                                                              const Tables& tables) {
  METERLINE_CHECK(tables.prepare_writes());
  METERLINE_TRY(const auto layout, tables.layout());
  return std::make_unique<CassandraWriter>(deliveries, tables, layout);
}

}  // namespace meterline::store::cassandra
