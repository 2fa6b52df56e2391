#include "ingest/earlier.h"

#include "core/try.h"

namespace meterline::ingest {
namespace {

/// Of the same source, compared before a file is read.
constexpr std::size_t compared_max = 20;

}  // namespace

Result<std::vector<store::DeliveryRecord>> earlier_deliveries(const source::Incoming& incoming,
                                                              const store::Store& store) {
  if (!incoming.bytes) return std::vector<store::DeliveryRecord>();
  METERLINE_TRY(auto earlier, store.deliveries({.source = incoming.source, .limit = compared_max}));
  std::erase_if(earlier, [&](const store::DeliveryRecord& record) {
    return record.delivery.bytes != *incoming.bytes;
  });
  return earlier;
}

bool is_tagged_alike(const source::Incoming& incoming, const Delivery& delivery) {
  return !incoming.content_tag.empty() && incoming.content_tag == delivery.content_tag;
}

}  // namespace meterline::ingest
