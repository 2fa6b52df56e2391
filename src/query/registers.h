#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/instant.h"
#include "core/meter_id.h"
#include "core/register_read.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// A meter of which more registers than these were read at one time is `too_large` to be told.
inline constexpr std::size_t registers_at_once_max = 10'000;

struct RegistersQuestion {
  MeterId meter;
  std::optional<DateRange> dates;      ///< Only reads of these days, each on its own clock.
  std::optional<std::string> channel;  ///< Only channels of that name.
  std::optional<Flow> flow;            ///< Only of that flow.
  std::optional<Instant> as_of;        ///< What was known then.
  std::optional<Instant> after;        ///< Only reads later than this: `next` of the page before.
  std::size_t limit = 100;             ///< A page ends with the time that brings it to so many.
};

/// A register read with where it is from: its newest version that counts.
struct KnownRead {
  RegisterRead read;
  Version version;
  DeliveryId delivery;
};

struct Registers {
  RegistersQuestion question;
  std::vector<KnownRead> reads;  ///< By (time, register) ascending.
  /// Where the next page begins; empty on the last one.
  std::optional<Instant> next;
};

/// What the registers of a meter showed when they were read. Nothing is added up, or spread over
/// days. Reads of one time come on one page, which may be longer by them.
/// Errors: `not_found` for an unknown meter, `invalid_argument` when `to` is before `from`,
/// `too_large` above registers_at_once_max, and those of the store.
Result<Registers> registers(const store::Store& store, const RegistersQuestion& question);

}  // namespace meterline::query
