#include "store/cassandra/cassandra_writer.h"

#include <string>
#include <vector>

#include "core/try.h"
#include "store/cassandra/delivery_rows.h"
#include "store/cassandra/registry.h"
#include "store/cassandra/totals_buffer.h"
#include "store/write_order.h"

namespace meterline::store {
namespace {

/// Of meters and names that may be new, held until they are asked for.
constexpr std::size_t noted_max = 100'000;

class CassandraWriter final : public DeliveryWriter {
 public:
  CassandraWriter(std::span<const Delivery> deliveries, const Tables& tables)
      : deliveries_(deliveries.begin(), deliveries.end()),
        order_(deliveries.size()),
        tables_(tables),
        writer_(tables.session().writer({})),
        registry_(tables),
        totals_(tables, deliveries_, registry_) {
    for (const auto& delivery : deliveries_)
      append_version_key(delivery.version(), delivery.id, version_keys_.emplace_back());
  }

  Result<void> add(const DayToStore& day) override;
  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override;

 private:
  Result<void> begin_meter(const MeterId& meter);
  void begin_year(int year);
  const std::string& text_of_channel(const Channel& channel);
  Result<void> send_days();
  Result<void> send_totals();

  const std::vector<Delivery> deliveries_;
  std::vector<std::string> version_keys_;  ///< One a delivery.
  WriteOrder order_;
  const Tables& tables_;
  std::unique_ptr<CqlWriter> writer_;
  Registry registry_;
  TotalsBuffer totals_;

  CqlCells days_;  ///< Rows of one partition, to be sent together.
  std::size_t days_count_ = 0;
  MeterId meter_;
  int year_ = 0;  ///< 0: no day of the meter yet.
  struct NamedChannel {
    Channel channel;
    std::string text;
    bool noted = false;  ///< For this meter and year.
  };
  std::vector<NamedChannel> channels_;
};

Result<void> CassandraWriter::add(const DayToStore& day) {
  METERLINE_CHECK(order_.check(day));
  const int year = day.date.civil().year;
  if (meter_ != day.meter) METERLINE_CHECK(begin_meter(day.meter));
  if (year_ != year || days_count_ == batch_rows_max(tables_.dialect()) ||
      days_.bytes().size() >= batch_bytes_max)
    METERLINE_CHECK(send_days());
  if (year_ != year) begin_year(year);
  METERLINE_CHECK(totals_.add(day));
  days_.text(meter_.text());
  days_.integer(year_);
  days_.date(day.date);
  days_.text(text_of_channel(day.channel));
  days_.blob(version_keys_[day.delivery]);
  days_.blob(day.packed);
  ++days_count_;
  return {};
}

Result<void> CassandraWriter::begin_meter(const MeterId& meter) {
  METERLINE_CHECK(send_days());
  if (totals_.is_full() || registry_.noted() >= noted_max) METERLINE_CHECK(send_totals());
  meter_ = meter;
  year_ = 0;
  return {};
}

void CassandraWriter::begin_year(int year) {
  year_ = year;
  for (auto& known : channels_) known.noted = false;
}

const std::string& CassandraWriter::text_of_channel(const Channel& channel) {
  for (auto& known : channels_) {
    if (known.channel != channel) continue;
    if (!known.noted) registry_.note_meter(meter_, channel, year_);
    known.noted = true;
    return known.text;
  }
  registry_.note_meter(meter_, channel, year_);
  channels_.push_back({.channel = channel, .text = channel_text(channel), .noted = true});
  return channels_.back().text;
}

Result<void> CassandraWriter::send_days() {
  if (days_count_ == 0) return {};
  auto sent = writer_->write(tables_[Statement::insert_day], days_.bytes(), days_count_);
  days_.clear();
  days_count_ = 0;
  return sent;
}

/// Totals, meters and names go only where the days that they speak of are acknowledged: were the
/// load given up here, they would tell of days that nobody can read.
Result<void> CassandraWriter::send_totals() {
  METERLINE_CHECK(writer_->finish());
  writer_ = tables_.session().writer({});
  METERLINE_CHECK(totals_.flush(*writer_));
  return registry_.flush(*writer_);
}

Result<void> CassandraWriter::commit(std::span<const DeliveryReport> reports) {
  METERLINE_CHECK(order_.check(reports));
  METERLINE_CHECK(send_days());
  for (const auto& delivery : deliveries_)
    registry_.note_name(months_kind, month_of(delivery.delivered_at));
  METERLINE_CHECK(send_totals());
  METERLINE_CHECK(writer_->finish());
  return write_deliveries(tables_, deliveries_, reports);
}

}  // namespace

std::unique_ptr<DeliveryWriter> make_cassandra_writer(std::span<const Delivery> deliveries,
                                                      const Tables& tables) {
  return std::make_unique<CassandraWriter>(deliveries, tables);
}

}  // namespace meterline::store
