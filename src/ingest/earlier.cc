#include "ingest/earlier.h"

#include "core/try.h"

namespace meterline::ingest {

Result<std::optional<store::DeliveryRecord>> latest_delivery(const source::Incoming& incoming,
                                                             const store::Store& store) {
  METERLINE_TRY(auto records, store.deliveries({.source = incoming.source, .limit = 1}));
  if (records.empty()) return std::optional<store::DeliveryRecord>();
  return std::optional(std::move(records.front()));
}

bool is_tagged_alike(const source::Incoming& incoming, const Delivery& delivery) {
  return !incoming.content_tag.empty() && incoming.content_tag == delivery.content_tag &&
         incoming.bytes == delivery.bytes;
}

}  // namespace meterline::ingest
