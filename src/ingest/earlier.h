#pragma once

#include <functional>
#include <optional>

#include "core/result.h"
#include "source/byte_source.h"
#include "store/store.h"

namespace meterline::ingest {

/// The latest delivery of the source that `incoming` comes from, where there is one; of those that
/// are not withdrawn.
Result<std::optional<store::DeliveryRecord>> latest_delivery(const source::Incoming& incoming,
                                                             const store::Store& store);

/// The first of the source's deliveries, withdrawn now, that `is_wanted` takes.
Result<std::optional<store::DeliveryRecord>> find_withdrawn(
    const source::Incoming& incoming, const store::Store& store,
    const std::function<Result<bool>(const Delivery&)>& is_wanted);
/// Whether this program's reader is newer than the one that read the delivery, and may find more in
/// it: not all of it was stored as it stood in the file.
bool may_read_more(const store::DeliveryRecord& earlier);

/// Whether they are the same bytes by their number and by the name that their source has for them.
bool is_tagged_alike(const source::Incoming& incoming, const Delivery& delivery);

}  // namespace meterline::ingest
