#pragma once

#include <atomic>

#include "core/meter_filter.h"
#include "store/store.h"

namespace meterline::store::visible {

/// A store as somebody sees it who may see some of its meters only: every other meter is as if it
/// had never been stored, for every question that is asked of a Store. Deliveries that have none
/// of his meters are not there. Of one with others beside his, or of more than
/// delivered_meters_max, he sees when it was received and how it counts, and not what its file is
/// called or has in it.
///
/// What is written of another meter is `refused`, and nothing may be withdrawn or taken out.
///
/// Store and filter must outlive it.
class VisibleStore final : public Store {
 public:
  VisibleStore(Store& inner, const MeterFilter& filter) : inner_(inner), filter_(filter) {}

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override;
  using Store::write;
  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override;
  Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const override;
  Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const override;
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override;
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override;
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override;
  Result<void> amend(const Amendment& amendment) override;
  Result<Unit> remember_unit(Unit unit) override { return inner_.remember_unit(unit); }
  Result<StoreStatus> status(StatusOf what) const override { return inner_.status(what); }
  /// Without the channels that only other meters may have.
  StoreTraits traits() const override;

  /// Whether it was asked to write of another meter.
  bool has_refused() const { return has_refused_; }

 private:
  Result<void> read_part(const MeterFilter::Part& part, const MetersQuery& query,
                         std::vector<MeterInfo>& found) const;
  std::optional<DeliveryRecord> seen(DeliveryRecord record) const;

  Store& inner_;
  const MeterFilter& filter_;
  std::atomic<bool> has_refused_ = false;
};

}  // namespace meterline::store::visible

namespace meterline::store {
using visible::VisibleStore;
}  // namespace meterline::store
