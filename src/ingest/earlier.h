#pragma once

#include <vector>

#include "core/result.h"
#include "source/byte_source.h"
#include "store/store.h"

namespace meterline::ingest {

/// Deliveries of the same source and size as `incoming`, the latest first: of many, the latest.
/// None when the size is not known.
Result<std::vector<store::DeliveryRecord>> earlier_deliveries(const source::Incoming& incoming,
                                                              const store::Store& store);

/// Whether they are the same bytes by the name that their source has for them.
bool is_tagged_alike(const source::Incoming& incoming, const Delivery& delivery);

}  // namespace meterline::ingest
