#include "store/visible/visible_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/try.h"

namespace meterline::store::visible {
namespace {

class VisibleWriter final : public DeliveryWriter {
 public:
  VisibleWriter(std::unique_ptr<DeliveryWriter> inner, const MeterFilter& filter,
                std::atomic<bool>& has_refused)
      : inner_(std::move(inner)), filter_(filter), has_refused_(has_refused) {}

  Result<void> add(const DayToStore& day) override {
    METERLINE_CHECK(check(day.meter));
    return inner_->add(day);
  }
  Result<void> add(const RegisterRead& read, std::size_t delivery) override {
    METERLINE_CHECK(check(read.meter));
    return inner_->add(read, delivery);
  }
  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override {
    return inner_->commit(reports);
  }

 private:
  /// Whether the meter is known makes no difference: it is not asked.
  Result<void> check(const MeterId& meter) {
    if (filter_.admits(meter)) return {};
    has_refused_ = true;
    return fail(Errc::refused, fmt::format("meter {} is not yours to write: nothing of this file "
                                           "was stored; leave out the rows of such meters",
                                           meter.text()));
  }

  const std::unique_ptr<DeliveryWriter> inner_;
  const MeterFilter& filter_;
  std::atomic<bool>& has_refused_;
};

/// What of a delivery tells of other meters is left out: the name of its file may name a meter, and
/// so may the reason why it was withdrawn.
void leave_out_others(DeliveryRecord& record) {
  record.delivery.source = "withheld";
  record.delivery.content = {};
  record.delivery.bytes = 0;
  record.delivery.object_version.clear();
  record.delivery.content_tag.clear();
  record.report = {.state = record.report.state, .format = record.report.format};
  for (auto& event : record.events) {
    event.who = "withheld";
    event.reason = "withheld";
  }
}

}  // namespace

Result<std::unique_ptr<DeliveryWriter>> VisibleStore::write(std::span<const Delivery> deliveries) {
  METERLINE_TRY(auto writer, inner_.write(deliveries));
  return std::make_unique<VisibleWriter>(std::move(writer), filter_, has_refused_);
}

Result<void> VisibleStore::read_days(const DaysQuery& query, const DayVisitor& visit) const {
  if (!filter_.admits(query.meter)) return {};
  return inner_.read_days(query, visit);
}

Result<void> VisibleStore::read_registers(const ReadsQuery& query, const ReadVisitor& visit) const {
  if (!filter_.admits(query.meter)) return {};
  return inner_.read_registers(query, visit);
}

Result<void> VisibleStore::read_months(const TotalsQuery& query, const MonthsVisitor& visit) const {
  TotalsQuery visible = query;
  std::vector<MeterId> named;
  if (query.meters) {
    named.reserve(query.meters->size());
    std::copy_if(query.meters->begin(), query.meters->end(), std::back_inserter(named),
                 [&](const MeterId& meter) { return filter_.admits(meter); });
    visible.meters = named;
  } else {
    visible.meters = filter_.names();
  }
  if (visible.meters && visible.meters->empty()) return {};
  // A month as a whole is that of all meters.
  return inner_.read_months(visible, {.days = [&](const MeterDays& days) -> Result<void> {
                              if (!filter_.admits(days.meter)) return {};
                              return visit.days(days);
                            }});
}

Result<void> VisibleStore::read_part(const MeterFilter::Part& part, const MetersQuery& query,
                                     std::vector<MeterInfo>& found) const {
  assert(found.size() < query.limit);
  MetersQuery own = query;
  own.limit = query.limit - found.size();
  if (part.is_prefix) {
    if (part.text.starts_with(query.prefix))
      own.prefix = part.text;
    else if (!query.prefix.starts_with(part.text))
      return {};
  } else {
    if (!part.text.starts_with(query.prefix) || part.text <= query.after.text()) return {};
    own.only = MeterId::parse(part.text);
  }
  METERLINE_TRY(auto more, inner_.meters(own));
  std::move(more.begin(), more.end(), std::back_inserter(found));
  return {};
}

Result<std::vector<MeterInfo>> VisibleStore::meters(const MetersQuery& query) const {
  if (query.only) {
    if (!filter_.admits(*query.only)) return std::vector<MeterInfo>();
    return inner_.meters(query);
  }
  std::vector<MeterInfo> found;
  for (const auto& part : filter_.parts()) {
    if (found.size() >= query.limit) break;
    METERLINE_CHECK(read_part(part, query, found));
  }
  return found;
}

/// Empty where it has none of the meters. Whose register reads it has is not told by any store.
std::optional<DeliveryRecord> VisibleStore::seen(DeliveryRecord record) const {
  if (!record.days.dates) return std::nullopt;
  auto& ids = record.days.meter_ids;
  const bool is_named = !ids.empty();
  const auto before = ids.size();
  std::erase_if(ids, [&](const MeterId& meter) { return !filter_.admits(meter); });
  const bool is_own = is_named && ids.size() == before && record.report.register_reads.read == 0;
  if (is_own) return record;
  if (is_named && ids.empty()) return std::nullopt;
  record.days.meters = static_cast<std::int64_t>(ids.size());
  leave_out_others(record);
  return record;
}

Result<std::vector<DeliveryRecord>> VisibleStore::deliveries(const DeliveriesQuery& query) const {
  std::vector<DeliveryRecord> found;
  DeliveriesQuery step = query;
  while (found.size() < query.limit) {
    METERLINE_TRY(auto page, inner_.deliveries(step));
    if (!page.empty()) step.after = page.back().delivery.id;
    const bool is_last = query.id || page.size() < step.limit;
    for (auto& record : page) {
      if (found.size() == query.limit) break;
      if (auto visible = seen(std::move(record))) found.push_back(*std::move(visible));
    }
    if (is_last) break;
  }
  return found;
}

Result<void> VisibleStore::add_event(const DeliveryId& /*delivery*/,
                                     const DeliveryEvent& /*event*/) {
  return fail(Errc::refused,
              "a delivery may have meters of others: who sees some meters only withdraws none");
}

/// Not of his own meters either: totals and records of deliveries are those of others, too.
Result<void> VisibleStore::amend(const Amendment& /*amendment*/) {
  return fail(Errc::refused,
              "what is taken out of a store is gone for all: who sees some meters only takes "
              "nothing out");
}

StoreTraits VisibleStore::traits() const {
  StoreTraits traits = inner_.traits();
  traits.few_channels = nullptr;
  return traits;
}

}  // namespace meterline::store::visible
