#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/delivery.h"
#include "core/delivery_event.h"
#include "core/reading_day.h"
#include "core/result.h"
#include "store/store.h"

namespace meterline::testing {

/// A reading day from one line: `METER DATE [CHANNEL/FLOW/UNIT] MINUTES VALUE...`, one value a
/// slot. `-` is missing, `1.5s` substituted, `1.5e` estimated; `1.5x20` stands for twenty
/// slots; behind them may stand `stated:SECONDS`, `estimate`, and notes of slots FIRST up to before
/// END as `note:FIRST-END:FLAG/METHOD/CODE/TEXT`, with `_` for a blank in the text. The channel is
/// consumption/consumption/kWh when none is given. Throws when the line is wrong.
ReadingDay day_of(std::string_view line);

/// A delivery with all it brings.
struct TestDelivery {
  Delivery delivery;
  DeliveryReport report;
  std::vector<ReadingDay> days;
  std::vector<DeliveryEvent> events = {};  ///< Ascending.

  friend std::ostream& operator<<(std::ostream& out, const TestDelivery& delivery) {
    out << "delivery " << delivery.delivery.version();
    for (const ReadingDay& day : delivery.days) out << "\n  " << day;
    for (const DeliveryEvent& event : delivery.events) out << "\n  " << event;
    return out << '\n';
  }
};

Instant second(std::int64_t seconds);

/// Of a day that came with the delivery.
Version version_of(const Delivery& delivery, const ReadingDay& day);

/// Delivered at that second; deliveries of one second are ordered by number, and a number is
/// used once in a test. Days in any order.
TestDelivery delivery_of_days(std::int64_t seconds, std::uint8_t number,
                              std::vector<ReadingDay> days);
/// The same, of lines as for day_of.
TestDelivery delivery_of(std::int64_t seconds, std::uint8_t number,
                         const std::vector<std::string>& lines);

/// Writes the days, sorted, and commits; the events are up to the test.
Result<void> load(store::Store& store, const TestDelivery& delivery);
/// Writes all of them by one writer.
Result<void> load_together(store::Store& store, const std::vector<TestDelivery>& deliveries);
/// Writes the first `count` of the days and drops the writer.
Result<void> load_piece(store::Store& store, const TestDelivery& delivery, std::size_t count);

/// All that a store knows, as sorted lines: meters, totals, every version of every day,
/// deliveries. What was known at a time where a question takes one.
std::string answers_of(const store::Store& store, Instant as_of = Instant::end_of_time());
/// `A 2019-01-01 consumption/consumption/kWh 3.5 of 2/24 a1 s1 e0 @1#2`
std::string line_of(const store::DayTotal& total);
std::string totals_of(const store::Store& store, Instant as_of = Instant::end_of_time());

/// Up to 6 deliveries that overlap in few meters, days and channels, and some of them once more
/// from another source; days with holes, of mixed exponents, signs, qualities, intervals, lengths
/// and zones, some with notes, a stated time or the origin of an estimate, and some without any
/// reading. Many are of equal stated times.
rc::Gen<std::vector<TestDelivery>> any_deliveries();

/// A delivery is loaded, or somebody withdraws it or brings it back.
struct Step {
  std::size_t delivery;
  std::optional<DeliveryEvent> event;  ///< Empty: it is loaded.
};

/// Gives some of the deliveries events, from second 0 to 7, and plays all in a random order: an
/// event may come before the delivery. To be called from a property.
std::vector<Step> any_steps(std::vector<TestDelivery>& deliveries);

/// What DESIGN.md says of versions, read slowly: each slot looks for its own newest reading.
struct NaiveReading {
  Decimal value;
  Quality quality;
  Version version;
};
struct NaiveDay {
  MeterId meter;
  Channel channel;
  Date date;
  IntervalLength interval;
  TimeZone zone;
  IntervalLength newest_interval;  ///< Of the newest version, which may have no reading; so are
  TimeZone newest_zone;            ///< its zone,
  std::optional<ChannelFacts> newest_facts;  ///< and its facts.
  std::vector<std::optional<NaiveReading>> slots;
  std::vector<std::optional<Note>> notes;  ///< One a slot.
  Version version;                         ///< As in DayTotal.
};

/// By meter, date and channel.
std::vector<NaiveDay> naive_days(const std::vector<TestDelivery>& deliveries,
                                 Instant as_of = Instant::end_of_time());
store::DayTotal naive_total(const NaiveDay& day);

}  // namespace meterline::testing
