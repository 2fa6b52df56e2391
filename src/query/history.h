#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/decimal.h"
#include "core/delivery.h"
#include "core/meter_id.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// A day of a meter with more versions than this is `too_large` to be told.
inline constexpr std::size_t history_versions_max = 1000;

struct HistoryQuestion {
  MeterId meter;
  Date date;
  std::optional<std::string> channel;  ///< Only channels of that name.
  std::optional<Flow> flow;            ///< Only of that flow.
};

/// How the answer of one slot changed: its reading, its quality, or what is said of it.
struct SlotChange {
  int minute = 0;  ///< Where the slot begins, after local midnight.
  std::optional<Decimal> before;
  std::optional<Decimal> after;  ///< Empty: missing.
  Quality quality_before = Quality::missing;
  Quality quality_after = Quality::missing;
  bool operator==(const SlotChange&) const = default;
};

/// What one delivery said of the day.
struct DayVersion {
  Version version;
  DeliveryId delivery;
  /// Empty for a load that never finished.
  std::optional<store::DeliveryRecord> record;
  IntervalLength interval;
  TimeZone zone;
  std::optional<ChannelFacts> facts;
  Total total;             ///< Of this version alone.
  Notes notes;             ///< Of its slots, as its source says them.
  bool counts = false;     ///< Whether a reading of today's answer is its own.
  bool withdrawn = false;  ///< Its delivery is withdrawn now.
  /// What the answer became when this version was received, with what was withdrawn by then: none
  /// where an older one counts. Where the interval changed with it, all slots of the new one of
  /// which anything is said, as if nothing had been known.
  std::vector<SlotChange> changes;
  Notes notes_before;  ///< By place in `changes`.
  Notes notes_after;   ///< By place in `changes`.
};

struct ChannelHistory {
  Channel channel;
  std::vector<DayVersion> versions;  ///< The one received last first.
};

struct History {
  HistoryQuestion question;
  std::vector<ChannelHistory> channels;  ///< Ascending; of those that have a version of the day.
};

/// Every version of one day of a meter, in the order in which they were received, and what each
/// changed. Errors: `not_found` for an unknown meter, `too_large` above history_versions_max, and
/// those of the store.
Result<History> history(const store::Store& store, const HistoryQuestion& question);

}  // namespace meterline::query
