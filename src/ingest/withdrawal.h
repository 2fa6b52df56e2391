#pragma once

#include <string>
#include <string_view>

#include "core/delivery_event.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::ingest {

struct WithdrawalRequest {
  DeliveryId delivery;
  DeliveryEventKind kind = DeliveryEventKind::withdrawn;  ///< What is to become of it.
  Instant now;                                            ///< By the caller's clock.
  std::string who;                                        ///< On one line, and so is the reason.
  std::string reason;                                     ///< Needed to withdraw.
};

struct WithdrawalAnswer {
  store::DeliveryRecord record;  ///< As it is now.
  bool changed = false;          ///< false: it was so already, and nothing was done.
};

/// Withdraws a delivery, or brings a withdrawn one back. The event is later than all that the
/// delivery has, whatever the clocks of the machines are that they come from.
/// Errors: `not_found` for an unknown delivery; `invalid_argument` for texts beyond their limits,
/// and for a delivery that was refused, of which nothing is stored; those of Store::add_event.
Result<WithdrawalAnswer> withdraw(store::Store& store, const WithdrawalRequest& request);

/// The delivery that is meant by its source alone: the latest of those stored that can still be
/// withdrawn, or brought back. Errors: `not_found`, and those of the store.
Result<DeliveryId> delivery_of_source(const store::Store& store, std::string_view source,
                                      DeliveryEventKind kind);

/// Why a file is not loaded that was sent again: when, by whom and why it was withdrawn, and what
/// brings it back.
std::string withdrawn_text(const store::DeliveryRecord& record);

}  // namespace meterline::ingest
