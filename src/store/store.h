#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/date.h"
#include "core/decimal.h"
#include "core/delivery.h"
#include "core/delivery_event.h"
#include "core/meter_id.h"
#include "core/reading_day.h"
#include "core/register_read.h"
#include "core/result.h"
#include "core/time_zone.h"
#include "store/request_metrics.h"

namespace meterline::store {

/// A reading day on its way into a store. Views: valid during the call only.
struct DayToStore {
  const MeterId& meter;
  const Channel& channel;
  Date date;
  std::string_view packed;  ///< See packed_day.h.
  /// plain_total() of the day. Empty is always allowed, but costs questions over all meters time.
  std::optional<std::int64_t> plain_total = {};
  std::size_t delivery = 0;  ///< Which of the writer's deliveries it came with.
};

/// One version of a reading day, as it was stored. Views: valid during the call only.
struct StoredDay {
  const Channel& channel;
  Date date;
  Version version;
  DeliveryId delivery;
  std::string_view packed;
  bool withdrawn = false;  ///< At the time asked as of: then it is told, and does not count.
};

/// One version of a register read, as it was stored. Views: valid during the call only.
struct StoredRead {
  const RegisterRead& read;
  Version version;
  DeliveryId delivery;
  bool withdrawn = false;  ///< As in StoredDay.
};

struct QualityCounts {
  std::int64_t actual = 0;
  std::int64_t substituted = 0;
  std::int64_t estimated = 0;
  std::int64_t missing = 0;
  bool operator==(const QualityCounts&) const = default;
};

/// What is known of a meter's day after all versions (up to the asked time) are resolved.
struct DayTotal {
  MeterId meter;
  Channel channel;
  Date date;
  Sum sum;                    ///< Of `readings` readings; 0 when there are none.
  std::int64_t readings = 0;  ///< Slots that have a reading.
  std::int64_t expected = 0;  ///< Slots of the day.
  QualityCounts quality;
  Version version;  ///< The newest version that gave a reading; if none did, the newest.
  TimeZone zone;    ///< Of that version.

  bool operator==(const DayTotal&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const DayTotal& t) {
    return out << t.meter << ' ' << t.channel << ' ' << t.date << " sum " << t.sum << " of "
               << t.readings << '/' << t.expected << " @" << t.version << ' ' << t.zone;
  }
};

struct ChannelInfo {
  Channel channel;
  IntervalLength
      interval;  ///< Of the newest version of its last day that counts; so are zone and facts.
  TimeZone zone;
  Date first;
  Date last;  ///< both inclusive: days of which at least one version counts
  std::optional<ChannelFacts> facts;
  bool operator==(const ChannelInfo&) const = default;
};

struct MeterInfo {
  MeterId meter;
  std::vector<ChannelInfo> channels;  ///< By channel, ascending; none where it has reads only.
  bool has_reads = false;             ///< Whether a register read of it counts.
  bool operator==(const MeterInfo&) const = default;
};

/// A delivery of more meters than this does not name them in its record.
inline constexpr std::size_t delivered_meters_max = 1000;

/// Which days a delivery brought, as its writer counted them.
struct DeliveredDays {
  std::optional<DateRange> dates;  ///< From the first to the last; empty when there is none.
  std::int64_t meters = 0;         ///< That have a day of it.
  std::vector<MeterId> meter_ids;  ///< Those, ascending; empty above delivered_meters_max.
  bool operator==(const DeliveredDays&) const = default;
};

struct DeliveryRecord {
  Delivery delivery;
  DeliveryReport report;
  DeliveredDays days = {};
  std::vector<DeliveryEvent> events = {};  ///< In their order.

  bool is_withdrawn() const { return meterline::is_withdrawn(events); }
  bool operator==(const DeliveryRecord&) const = default;
};

struct DaysQuery {
  MeterId meter;
  DateRange dates;
  /// Versions received after it are left out; those of deliveries withdrawn then do not count.
  Instant as_of = Instant::end_of_time();
};

struct ReadsQuery {
  MeterId meter;
  Instant from;
  Instant to;                              ///< both inclusive: times of the reads
  Instant as_of = Instant::end_of_time();  ///< As in DaysQuery.
};

/// Meters by their ids: a part of all that can be asked for by itself.
struct MeterSpan {
  MeterId after;                   ///< Ids greater than this; default: from the first.
  std::optional<MeterId> to = {};  ///< Up to this one, inclusive; empty: to the last.

  bool is_all() const { return after.text().empty() && !to; }
  bool contains(std::string_view meter) const {
    return meter > after.text() && (!to || meter <= to->text());
  }
};

struct TotalsQuery {
  DateRange dates;
  Instant as_of = Instant::end_of_time();
  /// Only these, each once; default: all there are.
  std::optional<std::span<const MeterId>> meters = {};
  /// Only those in it; looked at where `meters` is empty.
  MeterSpan span = {};
};

/// The days of a month as bits, bit 0 is the first: those that are in the range.
std::uint32_t days_in(Month month, const DateRange& dates);
Date day_of(Month month, std::uint32_t day);

/// Which days of one channel of one meter are there, after all versions are resolved.
struct DayPresence {
  const MeterId& meter;
  const Channel& channel;
  Date first;                  ///< Bit 0 of what follows; bit n is n days later.
  std::uint32_t stored = 0;    ///< Days of which at least one version counts.
  std::uint32_t complete = 0;  ///< Of those, days of which no reading is missing.
};

/// Those days with what they sum up to; all are of one month. Valid during a visit only.
class MeterDays : public DayPresence {
 public:
  explicit MeterDays(const DayPresence& days) : DayPresence(days) {}
  virtual ~MeterDays() = default;

  /// Of a stored day: fills all of its total but meter, channel and date.
  virtual void fill(std::uint32_t day, DayTotal& total) const = 0;
  /// Of a stored day, where the question names its meters; a store may not know it of others.
  virtual IntervalLength interval(std::uint32_t day) const = 0;
};

/// Visits the totals of the days, which ascend, in `total`.
template <class Visit>
Result<void> each_total(const MeterDays& days, DayTotal& total, const Visit& visit) {
  total.meter = days.meter;
  total.channel = days.channel;
  for (auto left = days.stored; left != 0; left &= left - 1) {
    const auto day = static_cast<std::uint32_t>(std::countr_zero(left));
    total.date = *Date::from_days(days.first.days() + std::int64_t{day});
    days.fill(day, total);
    if (auto visited = visit(total); !visited) return visited;
  }
  return {};
}

/// One channel of all meters in one month, after all versions are resolved. Of days as bits, bit 0
/// is the first of the month.
struct ChannelMonth {
  /// All meters together on one day.
  struct Day {
    Sum sum;
    std::int64_t readings = 0;
    std::int64_t expected = 0;
    QualityCounts quality;
    std::optional<Version> version;  ///< The newest that gave a reading.
  };
  struct Meter {
    MeterId meter;
    std::uint32_t stored = 0;        ///< Days of which at least one version counts; at least one.
    std::uint32_t complete = 0;      ///< Of those, days of which no reading is missing.
    std::uint32_t with_reading = 0;  ///< Of those, days with a reading or more.
    std::uint16_t slots_min = 0;     ///< Of the stored days, the fewest slots.
    std::uint16_t slots_max = 0;
    TimeZone zone;  ///< Of the last of the stored days.
  };
  Channel channel;
  std::vector<Day> days;      ///< One for each day of the month.
  std::vector<Meter> meters;  ///< Each once.
};
struct MonthOfMeters {
  std::vector<ChannelMonth> channels;  ///< Each once.
};

/// Takes what read_months() tells. An error ends the reading and is returned.
struct MonthsVisitor {
  std::function<Result<void>(const MeterDays&)> days;
  /// Where it is given, a store that has a month of all meters in memory, or brings it there, tells
  /// it as a whole, if that is asked for as it stands now; false: it is to be told by `days`. Its
  /// days may lie outside of the question.
  std::function<Result<bool>(Month, const MonthOfMeters&)> month = {};
};

/// What becomes of days that only withdrawn deliveries brought.
enum class Withdrawn {
  left_out,  ///< They are as if they were not stored.
  counted,   ///< As if nothing had ever been withdrawn.
};

struct MetersQuery {
  std::string prefix;  ///< Of the meter id.
  MeterId after;       ///< Ids greater than this; default: from the first.
  std::size_t limit = 100;
  Withdrawn withdrawn = Withdrawn::left_out;
  /// Only this one, whatever stands above but for `withdrawn`.
  std::optional<MeterId> only = {};
  /// Which meters and channels there are need be told, and no more of them, if that is less work;
  /// those whose first days are being loaded may then be among them.
  bool names_only = false;
};

/// Which deliveries a list is of.
enum class DeliveriesOf : std::uint8_t {
  all,
  events,     ///< Those that were withdrawn or brought back.
  withdrawn,  ///< Those that are withdrawn now.
};

struct DeliveriesQuery {
  std::optional<std::string> source;  ///< Only deliveries from this source.
  /// Only what was received later than this, in the order of receipt.
  std::optional<Instant> received_after = {};
  std::optional<DeliveryId> after;  ///< Continue behind this one, in the order of the answer.
  std::size_t limit = 100;
  DeliveriesOf only = DeliveriesOf::all;
  std::optional<DeliveryId> id = {};  ///< Only this one, whatever stands above.
};

/// Events that a store takes, of all its deliveries together: they are in memory, or read with
/// every question.
inline constexpr std::size_t store_events_max = 10'000;

/// One thing that a backend knows of its own size: `disk_bytes`, `partitions`.
struct StoreFigure {
  std::string name;  ///< Lower case, words joined by `_`, the unit last.
  std::int64_t value = 0;
  bool operator==(const StoreFigure&) const = default;
};

/// What there is to know of a store beside what is stored.
enum class StatusOf : std::uint8_t {
  /// Whether it can be asked and takes deliveries now; the error says why not, and is not
  /// `unavailable` where waiting does not help. For readiness probes: they may make a store go on
  /// that had to stop.
  readiness,
  /// Whether the files that the backend keeps itself are as they were written, byte by byte, as far
  /// as it can tell: `corrupt` with the file's name otherwise. The figures tell how it is laid out.
  files,
  size,      ///< As far as the backend can tell without reading it all.
  requests,  ///< What was asked of servers; none for a store without any.
  settings,  ///< What was decided for the store as a whole.
};

/// What was decided for a store as a whole.
struct StoreSettings {
  /// The unit of readings whose file and load name none; empty until one is remembered.
  std::optional<Unit> unit = {};
  /// Marks of meters that were erased and are not to come back (ingest/erasure.h), ascending. To a
  /// store they are bytes, at most erased_mark_bytes_max each.
  std::vector<std::string> erased = {};
  /// When something was last taken out of it; empty where nothing ever was. Of deliveries received
  /// up to then, less may be stored than their reports say.
  std::optional<Instant> amended_at = {};
  bool operator==(const StoreSettings&) const = default;
};
inline constexpr std::size_t erased_mark_bytes_max = 64;
/// They are in memory during a load.
inline constexpr std::size_t erased_marks_max = 100'000;

struct StoreStatus {
  std::vector<StoreFigure> figures = {};  ///< Of its size.
  std::vector<RequestMetrics> requests = {};
  StoreSettings settings = {};
};

/// Which version of a reading day is meant.
struct DayPlace {
  MeterId meter;
  Channel channel;
  Date date;
  Version version;
  DeliveryId delivery;
};

/// Which version of a register read is meant.
struct ReadPlace {
  MeterId meter;
  Instant at;
  MeterRegister of;
  Version version;
  DeliveryId delivery;
};

/// What becomes of bytes that were removed, in a store that has files of its own.
enum class Traces : std::uint8_t {
  in_time,  ///< They go when the store tidies up by itself.
  now,      ///< None is left in the files. Takes as long as writing a large part of them anew.
};

/// What is to go out of a store, or to stand otherwise in it: the only thing that takes anything
/// away. Parts are done in the order of the members; repeated, it changes nothing more.
struct Amendment {
  Instant at;  ///< When, by the caller's clock: see StoreSettings::amended_at.
  std::span<const std::string> erased = {};   ///< Marks to be noted.
  std::span<const std::string> allowed = {};  ///< Marks that are taken away.
  /// Versions that go, with their share of all totals; those of a meter are neighbours.
  std::span<const DayPlace> days = {};
  std::span<const ReadPlace> reads = {};
  /// Of the meters in `days`, all that stands before this date is among them. Where no days are
  /// named, none before it is left of any meter, so that what sums them up goes, too.
  std::optional<Date> before = {};
  /// Meters of which nothing is left: they are taken off every list.
  std::span<const MeterId> meters = {};
  /// Records that take the place of those of the same id, where there is one: the source, the
  /// report, the days and the reasons of events may differ.
  std::span<const DeliveryRecord> records = {};
  Traces traces = Traces::in_time;  ///< Of the meters, and of records.
  /// Called with the number of requests before they are sent to servers; may wait.
  std::function<void(std::size_t requests)> pace = {};

  bool takes_away() const { return !days.empty() || !reads.empty() || before.has_value(); }
};

/// What a store is, whatever is stored in it.
struct StoreTraits {
  /// Whether it is inside of this process, and reads a day of a meter in microseconds.
  bool is_embedded = false;
  /// Writers that bring most into it: more than one for each core where a writer mostly waits for
  /// servers.
  std::size_t writers_per_core = 1;
  /// All channels that any meter has, ascending, from a store that knows them without reading and
  /// has few; null from others. A day may then be looked for without asking for the meter's
  /// channels first. A channel whose first days are being loaded may be left out.
  std::shared_ptr<const std::vector<Channel>> few_channels = nullptr;
  /// Of a store that asks servers: from its call on, requests get `time` in all, and fail as
  /// `unavailable` after it, until another time is told: for one who is ended himself. Null from a
  /// store inside of this process.
  std::function<void(std::chrono::milliseconds time)> answer_within = nullptr;
};

using DayVisitor = std::function<Result<void>(const StoredDay&)>;
using ReadVisitor = std::function<Result<void>(const StoredRead&)>;
using TotalVisitor = std::function<Result<void>(const DayTotal&)>;
/// The IntervalLength is that of the day.
using MeterTotalVisitor = std::function<Result<void>(const DayTotal&, IntervalLength)>;
using PresenceVisitor = std::function<Result<void>(const DayPresence&)>;

/// What an amendment makes of settings. Errors: `too_large`; nothing is changed then.
Result<void> change_settings(const Amendment& amendment, StoreSettings& settings);

/// Takes in the days of one delivery, or of several that are stored together: a folder of daily
/// files costs a store less as months than day by day.
///
/// Threads: one at a time.
class DeliveryWriter {
 public:
  /// Without commit() nothing need have been kept. A store may keep whole days and register reads,
  /// never a part of one; loading the deliveries again then completes them.
  virtual ~DeliveryWriter() = default;

  /// Days in strictly ascending (meter, date, channel, delivery) order: `invalid_argument`
  /// otherwise.
  virtual Result<void> add(const DayToStore& day) = 0;

  /// Register reads in strictly ascending order of meter, time, register and delivery:
  /// `invalid_argument` otherwise. They may come between the days of one meter and the next, and
  /// behind all days. `fault_of(read)` is empty; `delivery` is as in DayToStore.
  virtual Result<void> add(const RegisterRead& read, std::size_t delivery) = 0;

  /// When it returns without error, all added days, reads and the reports, one for each delivery in
  /// their order, are durable (fsynced) and every question sees them. Called at most once, and
  /// the last call. A report's state must be `stored` or `refused`; it replaces the report of an
  /// earlier commit of the same delivery, whose events stay.
  virtual Result<void> commit(std::span<const DeliveryReport> reports) = 0;
  Result<void> commit(const DeliveryReport& report) { return commit(std::span(&report, 1)); }
};

/// Keeps reading days in all their versions, and the deliveries they came from. Knows nothing
/// of files, HTTP or clocks. Every backend passes the contract suite, contract_test.cc.
///
/// The same delivery once, twice, in pieces or from two threads at once, and deliveries in any
/// order, end in the same answers. A day of a delivery is kept under the delivery's version.
///
/// Threads: every method may be called from many threads at once.
/// Errors: `unavailable` may be retried as it is; `corrupt` never.
class Store {
 public:
  virtual ~Store() = default;

  /// Begins to write deliveries, at least one. The store must outlive the writer.
  virtual Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) = 0;

  /// Every version of every day asked for, by (date, channel) ascending, then by version
  /// descending. An unknown meter has none. An error from the visitor ends the reading and is
  /// returned.
  virtual Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const = 0;

  /// Every version of every register read asked for, by (time, register) ascending, then by version
  /// descending. An unknown meter has none. An error from the visitor ends the reading and is
  /// returned.
  virtual Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const = 0;

  /// The resolved total of every meter, channel and day asked for that is stored, each once. In no
  /// particular order where all meters are asked for; of those that the question names, one after
  /// the other, the days of a channel ascending.
  virtual Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const = 0;

  /// Ascending by meter id; those of which a day or a register read counts.
  virtual Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const = 0;

  /// The latest delivered first, or the latest received where `received_after` is given; at equal
  /// times the greater id first.
  virtual Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const = 0;

  /// Adds an event to a delivery. When it returns without error, the event is durable, is in the
  /// delivery's record for good, and every question that begins then sees what it means: what was
  /// said by a delivery counts as of a time unless it was withdrawn at that time, and days of which
  /// nothing counts are as if they were not stored. Events are a set: one that is added again, from
  /// two processes at once, or before its delivery is committed, ends in the same.
  /// Errors: `invalid_argument` for what is_event() refuses; `too_large` where the delivery would
  /// have more than delivery_events_max, or the store more than store_events_max.
  virtual Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) = 0;

  /// Takes something out of the store, or changes it, durably; ended in between, a part of it is
  /// done, each version whole or not at all. What is loaded at the same time may stay, but for
  /// `unavailable` from its writer: then it is to be loaded again.
  /// Errors: `too_large` above erased_marks_max.
  virtual Result<void> amend(const Amendment& amendment) = 0;

  /// Remembers a default unit for good, unless there is one, and returns the one that there is.
  /// Where several programs remember different units in the same moment, all come to know one of
  /// them from then on, though each may be told its own first.
  virtual Result<Unit> remember_unit(Unit unit) = 0;

  virtual Result<StoreStatus> status(StatusOf what) const = 0;
  virtual StoreTraits traits() const { return {}; }

  // What follows asks the above.

  Result<std::unique_ptr<DeliveryWriter>> write(const Delivery& delivery) {
    return write(std::span(&delivery, 1));
  }
  /// Of every day asked for: read_months() day by day.
  Result<void> read_day_totals(const TotalsQuery& query, const TotalVisitor& visit) const;
  /// Of one meter's days, those of a channel ascending.
  Result<void> read_meter_totals(const DaysQuery& query, const MeterTotalVisitor& visit) const;
  /// Which of the days asked for are stored and complete, of every meter and channel that has any
  /// of them; in no particular order, a meter's channel perhaps in several parts, each day once.
  Result<void> read_day_presence(const TotalsQuery& query, const PresenceVisitor& visit) const;
  Result<std::optional<MeterInfo>> meter(const MeterId& meter) const;
  /// The channels that the meter has days of, whether they count or not, ascending; none for an
  /// unknown one. Perhaps one, too, whose first days are being loaded.
  Result<std::vector<Channel>> channels(const MeterId& meter) const;
  Result<std::optional<DeliveryRecord>> delivery(const DeliveryId& id) const;
  /// Its trait, where it has that one.
  void answer_within(std::chrono::milliseconds time) const {
    if (const auto within = traits().answer_within) within(time);
  }
  Result<StoreSettings> settings() const;
  /// The unit of readings whose file and load name none; empty until one is remembered.
  Result<std::optional<Unit>> default_unit() const;
  Result<void> ready() const { return status_error(StatusOf::readiness); }
  Result<void> verify_files() const { return status_error(StatusOf::files); }

 private:
  Result<void> status_error(StatusOf what) const;
};

}  // namespace meterline::store
