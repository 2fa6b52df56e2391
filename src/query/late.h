#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/date.h"
#include "core/instant.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "core/stop.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// A page looks at so many meters at most, whether they are late or not.
inline constexpr std::size_t late_meters_max = 10'000;

/// What a meter has to have had lately.
enum class LateBy : std::uint8_t {
  day,      ///< A reading day of `since` or later.
  receipt,  ///< Something received later than `since`, of whatever day.
};
std::optional<LateBy> parse_late_by(std::string_view text);
std::string_view text_of(LateBy by);

struct LateQuestion {
  std::variant<Date, Instant> since;   ///< Of LateBy::day, and of LateBy::receipt.
  std::optional<std::string> channel;  ///< Only channels of this name count.
  std::optional<Flow> flow;            ///< Only channels of this flow.
  MeterId after;                       ///< Lists meters greater than this; default: all.
  std::size_t limit = 100;

  LateBy by() const { return since.index() == 0 ? LateBy::day : LateBy::receipt; }
};

struct Late {
  LateQuestion question;
  std::vector<store::MeterInfo> meters;  ///< With the channels that count, ascending.
  /// Where the next page begins; empty on the last one. A page may be short, or empty, and have
  /// more behind it.
  std::optional<MeterId> next;
};

/// Which meters have been silent: of the meters that are known and have a channel that counts,
/// those that have none of a reading day as late as asked for, or of which nothing was received
/// since, what was withdrawn left out. A meter of which nothing ever came is not known, and one
/// that has register reads only has no days to be late.
///
/// LateBy::receipt reads the records of what was received since; where a delivery is of more than
/// store::delivered_meters_max meters, also its days of each meter that is otherwise late.
/// Errors: those of the store.
Result<Late> late(const store::Store& store, const LateQuestion& question, StopFlag stop = nullptr);

}  // namespace meterline::query
