#pragma once

#include <string>

#include "cli/session.h"
#include "core/delivery_event.h"

namespace meterline::cli {

struct WithdrawVerb {
  std::string what;  ///< The id of a delivery, or a source.
  DeliveryEventKind kind = DeliveryEventKind::withdrawn;
  std::string reason;
  std::string who;  ///< Empty: the user's name.
};
/// `meterline withdraw ID|SOURCE`: what a delivery said does not count any more, or counts again.
/// Exit 1 for an unknown delivery.
int withdraw(const WithdrawVerb& verb, const Session& session);

}  // namespace meterline::cli
