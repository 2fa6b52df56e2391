#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// A delivery, its report, which days it brought and its events as bytes, for backends that keep
/// them in one value. The first byte is a format number; docs/store.md has the layout. Backends
/// keep events apart, so that writing a record again loses none: they leave them out here.
std::string encode_delivery(const Delivery& delivery, const DeliveryReport& report,
                            const DeliveredDays& days, std::span<const DeliveryEvent> events = {});

/// Errors: `corrupt`. Never reads past the end, whatever the bytes are.
Result<DeliveryRecord> decode_delivery(std::string_view bytes);

}  // namespace meterline::store
