#include "ingest/earlier.h"

#include <algorithm>

#include "core/try.h"
#include "formats/recognise.h"

namespace meterline::ingest {
namespace {

/// S3 tells whole seconds: so many deliveries of one source and one time are told apart by receipt.
constexpr std::size_t compared_max = 20;

}  // namespace

Result<std::optional<store::DeliveryRecord>> latest_delivery(const source::Incoming& incoming,
                                                             const store::Store& store) {
  METERLINE_TRY(auto records, store.deliveries({.source = incoming.source, .limit = compared_max}));
  std::erase_if(records, [](const auto& record) { return record.is_withdrawn(); });
  if (records.empty()) return std::optional<store::DeliveryRecord>();
  auto latest = records.begin();
  for (auto at = records.begin(); at != records.end(); ++at)
    if (at->delivery.version() > latest->delivery.version()) latest = at;
  return std::optional(std::move(*latest));
}

Result<std::optional<store::DeliveryRecord>> find_withdrawn(
    const source::Incoming& incoming, const store::Store& store,
    const std::function<Result<bool>(const Delivery&)>& is_wanted) {
  store::DeliveriesQuery query{
      .source = incoming.source, .limit = compared_max, .only = store::DeliveriesOf::withdrawn};
  for (;;) {
    METERLINE_TRY(auto page, store.deliveries(query));
    for (auto& record : page) {
      METERLINE_TRY(const bool is_that, is_wanted(record.delivery));
      if (is_that) return std::optional(std::move(record));
    }
    if (page.size() < query.limit) return std::optional<store::DeliveryRecord>();
    query.after = page.back().delivery.id;
  }
}

bool may_read_more(const store::DeliveryRecord& earlier) {
  const auto& delivery = earlier.delivery;
  const auto& report = earlier.report;
  if (delivery.reader >= formats::reader_number(report.format)) return false;
  const auto& counts = report.finding_counts;
  return report.state != DeliveryState::stored ||
         std::any_of(counts.begin(), counts.end(), [](auto count) { return count > 0; });
}

bool is_tagged_alike(const source::Incoming& incoming, const Delivery& delivery) {
  return !incoming.content_tag.empty() && incoming.content_tag == delivery.content_tag &&
         incoming.bytes == delivery.bytes;
}

}  // namespace meterline::ingest
