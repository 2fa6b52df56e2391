#include "store/counting/counting_store.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "core/try.h"
#include "store/bits.h"
#include "store/packed_day.h"
#include "store/packed_read.h"
#include "store/write_order.h"

namespace meterline::store::counting {
namespace {

/// Meters by a hash of their ids, ascending: of 10,000,000 the chance that any two are taken for
/// one is one in 300,000.
using MeterHashes = std::vector<std::uint64_t>;

std::uint64_t hash_of(const MeterId& meter) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, then mixed as in SplitMix64.
  for (const char byte : meter.text())
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  return hash ^ hash >> 31;
}

struct Counts {
  std::int64_t reading_days = 0;
  std::int64_t register_reads = 0;
  std::optional<DateRange> dates;
  std::int64_t packed_bytes = 0;
  std::int64_t embedded_bytes = 0;
  MeterHashes meters;
};

void extend(std::optional<DateRange>& dates, const DateRange& by) {
  if (!dates) dates = by;
  dates->from = std::min(dates->from, by.from);
  dates->to = std::max(dates->to, by.to);
}

std::int64_t varint_bytes(std::uint64_t value) {
  std::int64_t bytes = 1;
  for (; value >= 128; value >>= 7) ++bytes;
  return bytes;
}

/// Of a month block in both families of the embedded store (docs/store.md), but for its days: keys
/// without what they share with their neighbours, and what the database keeps of each.
constexpr std::int64_t block_bytes = 56;
/// Of the table files of both families, whatever they hold.
constexpr std::int64_t files_bytes = 2000;
/// Of a register read, but for its names and its value: time, delivery, and what the database
/// keeps.
constexpr std::int64_t read_bytes = 40;

class CountingWriter final : public DeliveryWriter {
 public:
  using Taker = std::function<void(Counts)>;

  CountingWriter(std::size_t deliveries, std::unique_ptr<DeliveryWriter> priced, Taker take)
      : order_(deliveries), priced_(std::move(priced)), take_(std::move(take)) {}

  Result<void> add(const DayToStore& day) override {
    METERLINE_CHECK(order_.check(day));
    METERLINE_TRY(const auto parts, split_packed_day(day.packed));
    begin_meter(day.meter);
    begin_month(day, parts);
    ++counts_.reading_days;
    counts_.packed_bytes += static_cast<std::int64_t>(day.packed.size());
    counts_.embedded_bytes += bytes_of_day(parts, day);
    extend(counts_.dates, {.from = day.date, .to = day.date});
    return priced_ ? priced_->add(day) : Result<void>();
  }

  Result<void> add(const RegisterRead& read, std::size_t delivery) override {
    METERLINE_CHECK(order_.check(read, delivery));
    packed_read_.clear();
    pack_read(read, packed_read_);
    ++counts_.register_reads;
    counts_.packed_bytes += static_cast<std::int64_t>(packed_read_.size());
    const auto names = read.meter.text().size() + read.of.channel.name.size() + read.of.id.size() +
                       read.of.serial.size();
    counts_.embedded_bytes += read_bytes + static_cast<std::int64_t>(packed_read_.size() + names);
    return priced_ ? priced_->add(read, delivery) : Result<void>();
  }

  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override {
    METERLINE_CHECK(order_.check(reports));
    if (priced_) METERLINE_CHECK(priced_->commit(reports));
    std::sort(counts_.meters.begin(), counts_.meters.end());
    take_(std::move(counts_));
    return {};
  }

 private:
  void begin_meter(const MeterId& meter) {
    if (!counts_.meters.empty() && meter_ == meter) return;
    meter_ = meter;
    counts_.meters.push_back(hash_of(meter));
    month_.reset();
  }

  void begin_month(const DayToStore& day, const PackedParts& parts) {
    const Month month = Month::of(day.date);
    if (month_ == month) return;
    month_ = month;
    const auto names = day.meter.text().size() + day.channel.name.size();
    counts_.embedded_bytes +=
        block_bytes + static_cast<std::int64_t>(2 * parts.grid.size() + names / 2);
  }

  static std::int64_t bytes_of_day(const PackedParts& parts, const DayToStore& day) {
    const auto body = static_cast<std::int64_t>(parts.body.size());
    const std::int64_t total =
        day.plain_total ? varint_bytes(zigzag(*day.plain_total)) : std::int64_t{0};
    return body + varint_bytes(parts.body.size()) + total + 1;
  }

  WriteOrder order_;
  const std::unique_ptr<DeliveryWriter> priced_;
  const Taker take_;
  Counts counts_;
  MeterId meter_;
  std::optional<Month> month_;
  std::string packed_read_;
};

class CountingStoreImpl final : public CountingStore {
 public:
  CountingStoreImpl(std::unique_ptr<Pricing> pricing, std::vector<std::string> erased)
      : pricing_(std::move(pricing)), erased_(std::move(erased)) {}

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    std::unique_ptr<DeliveryWriter> priced;
    if (pricing_) {
      METERLINE_TRY(priced, pricing_->write(deliveries));
    }
    return std::make_unique<CountingWriter>(deliveries.size(), std::move(priced),
                                            [this](Counts counts) { take(std::move(counts)); });
  }

  StoreEstimate estimate() const override {
    const std::scoped_lock lock(mutex_);
    StoreEstimate estimate{.reading_days = counts_.reading_days,
                           .register_reads = counts_.register_reads,
                           .meters = static_cast<std::int64_t>(counts_.meters.size()),
                           .dates = counts_.dates,
                           .packed_bytes = counts_.packed_bytes,
                           .embedded_bytes = counts_.embedded_bytes};
    if (estimate.reading_days + estimate.register_reads > 0) estimate.embedded_bytes += files_bytes;
    if (pricing_) estimate.servers = pricing_->cost();
    return estimate;
  }

  Result<void> read_days(const DaysQuery&, const DayVisitor&) const override { return {}; }
  Result<void> read_registers(const ReadsQuery&, const ReadVisitor&) const override { return {}; }
  Result<void> read_months(const TotalsQuery&, const MonthsVisitor&) const override { return {}; }
  Result<std::vector<MeterInfo>> meters(const MetersQuery&) const override {
    return std::vector<MeterInfo>();
  }
  Result<void> add_event(const DeliveryId&, const DeliveryEvent&) override { return {}; }
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery&) const override {
    return std::vector<DeliveryRecord>();
  }
  Result<void> amend(const Amendment&) override { return {}; }
  Result<Unit> remember_unit(Unit unit) override { return unit; }
  /// What it takes to store a file does not depend on its unit, so that none need be named.
  Result<StoreStatus> status(StatusOf what) const override {
    StoreStatus status;
    if (what == StatusOf::settings) status.settings = {.unit = Unit::unknown, .erased = erased_};
    return status;
  }

 private:
  void take(Counts counts) {
    const std::scoped_lock lock(mutex_);
    counts_.reading_days += counts.reading_days;
    counts_.register_reads += counts.register_reads;
    counts_.packed_bytes += counts.packed_bytes;
    counts_.embedded_bytes += counts.embedded_bytes;
    if (counts.dates) extend(counts_.dates, *counts.dates);
    MeterHashes all;
    all.reserve(counts_.meters.size() + counts.meters.size());
    std::set_union(counts_.meters.begin(), counts_.meters.end(), counts.meters.begin(),
                   counts.meters.end(), std::back_inserter(all));
    counts_.meters = std::move(all);
  }

  const std::unique_ptr<Pricing> pricing_;
  const std::vector<std::string> erased_;
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace

std::unique_ptr<CountingStore> make_counting_store(std::unique_ptr<Pricing> pricing,
                                                   std::vector<std::string> erased) {
  return std::make_unique<CountingStoreImpl>(std::move(pricing), std::move(erased));
}

}  // namespace meterline::store::counting
