#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/meter_id.h"
#include "core/stop.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// A page looks at so many meters at most, whether their days changed or not.
inline constexpr std::size_t changes_meters_max = 10'000;

struct ChangesQuestion {
  Instant since;
  std::optional<MeterId> meter;        ///< Only days of this one.
  std::optional<DateRange> dates;      ///< Only days of these.
  std::optional<std::string> channel;  ///< Only channels of that name.
  std::optional<Flow> flow;            ///< Only of that flow.
  MeterId after;                       ///< Only meters behind this one: `next` of the page before.
  std::size_t limit = 100;             ///< A page ends with the meter that brings it to so many.
};

/// A day of which a reading, its quality or its note is another than it was.
struct ChangedDay {
  MeterId meter;
  Channel channel;
  Date date;
  std::int64_t slots = 0;       ///< That changed; where the interval did, all that have a reading.
  std::optional<Total> before;  ///< As of `since`; empty when nothing was stored of the day.
  std::optional<Total> after;   ///< Now.
};

struct Changes {
  ChangesQuestion question;
  std::vector<ChangedDay> days;  ///< Ascending by meter, date and channel.
  /// Where the next page begins; empty on the last one. A page may be short and have more behind
  /// it.
  std::optional<MeterId> next;
};

/// The days whose answer now differs from the answer as of `since`. Reads the records of what was
/// received, withdrawn or brought back later, and of each meter that those deliveries name the days
/// from their first to their last; where one is of more than store::delivered_meters_max meters,
/// those days of every meter. An unknown meter has no changes. Errors: `invalid_argument` when `to`
/// is before `from`, and those of the store.
Result<Changes> changes(const store::Store& store, const ChangesQuestion& question,
                        StopFlag stop = nullptr);

}  // namespace meterline::query
