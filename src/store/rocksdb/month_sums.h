#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "store/packed_day.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/month.h"
#include "store/store.h"

namespace meterline::store::rocksdb {

/// A delivery as it is known as of a time.
struct FoundDelivery {
  DeliveryId id;
  Version version;         ///< Of days that state no time of their own.
  bool received = false;   ///< By that time; else nothing is known of it.
  bool withdrawn = false;  ///< At that time.

  bool counts() const { return received && !withdrawn; }
};

/// Looks deliveries up as of a time; neighbours are mostly of the same one. What is withdrawn after
/// it was made is not seen.
class DeliveryLookup {
 public:
  DeliveryLookup(const DeliveryTable& table, Instant as_of,
                 Withdrawn withdrawn = Withdrawn::left_out)
      : table_(table),
        events_(withdrawn == Withdrawn::left_out ? table.events() : nullptr),
        as_of_(as_of) {}

  /// Whether any may be withdrawn.
  bool has_events() const { return events_ != nullptr; }
  /// Valid until the next call; not null. Errors: `corrupt` for a number that the table does not
  /// have.
  Result<const FoundDelivery*> find(std::uint32_t number) {
    if (is_found_ && number_ == number) return &last_;
    return find_other(number);
  }

 private:
  Result<const FoundDelivery*> find_other(std::uint32_t number);

  const DeliveryTable& table_;
  const DeliveryTable::Events events_;
  const Instant as_of_;
  std::uint32_t number_ = 0;  ///< Of last_, if is_found_.
  bool is_found_ = false;
  FoundDelivery last_;
};

/// Of one month of one channel of one meter: the newest version of each day, and its total where
/// the day is complete in that version.
class MonthDays {
 public:
  /// Takes in a value of `totals`, which must live as long as the answers are asked for; looks at
  /// the days in `wanted` only, and at versions of deliveries that count.
  Result<void> read(Month month, std::string_view value, std::uint32_t wanted,
                    DeliveryLookup& deliveries);
  void clear() { stored_ = plain_ = 0; }

  std::uint32_t stored() const { return stored_; }  ///< Days that have a version which counts.
  std::uint32_t plain() const { return plain_; }    ///< Of those, days whose newest is complete.

  // Of a day in plain():
  const CountedGrid& counted(std::uint32_t day) const { return layers_[newest_[day].layer].grid; }
  const GridInfo& grid(std::uint32_t day) const { return counted(day).info; }
  std::int64_t mantissa(std::uint32_t day) const {
    return layers_[newest_[day].layer].bits.total(day);
  }
  Version version(std::uint32_t day) const { return newest_[day].version; }
  /// Fills all but meter, channel and date.
  void fill(std::uint32_t day, DayTotal& total) const;

 private:
  struct Layer {
    TotalsLayer bits;
    std::string grid_bytes;  ///< What `grid` was made of: mostly the same for all meters.
    CountedGrid grid;
  };
  struct Newest {
    Version version;
    std::uint32_t layer = 0;
  };
  static Result<void> read_grid(Layer& layer);
  Result<void> choose(std::uint32_t layer, std::uint32_t wanted, DeliveryLookup& deliveries);

  std::uint32_t stored_ = 0;
  std::uint32_t plain_ = 0;
  std::vector<Layer> layers_;  ///< Kept from month to month for their memory.
  std::array<Newest, month_days_max> newest_;
};

/// Totals of the stored days that are not plain.
class OtherDays {
 public:
  void clear() {
    days_ = complete_ = 0;
    totals_.clear();
  }
  /// Days ascending.
  void add(std::uint32_t day, DayTotal&& total, IntervalLength interval);

  std::uint32_t days() const { return days_; }
  std::uint32_t complete() const { return complete_; }
  // Of one of days():
  const DayTotal& total(std::uint32_t day) const { return totals_[rank_of(days_, day)].first; }
  IntervalLength interval(std::uint32_t day) const { return totals_[rank_of(days_, day)].second; }

 private:
  std::uint32_t days_ = 0;
  std::uint32_t complete_ = 0;
  std::vector<std::pair<DayTotal, IntervalLength>> totals_;
};

/// The days of one channel of one meter in one month, as a question gets them; points to what they
/// are made of.
class MeterMonth final : public MeterDays {
 public:
  MeterMonth(const MeterId& of_meter, const Channel& of_channel, Month month,
             const MonthDays& plain, const OtherDays& others)
      : MeterDays({.meter = of_meter,
                   .channel = of_channel,
                   .first = month.first_day(),
                   .stored = plain.plain() | others.days(),
                   .complete = plain.plain() | others.complete()}),
        plain_(plain),
        others_(others) {}

  void fill(std::uint32_t day, DayTotal& total) const override;
  IntervalLength interval(std::uint32_t day) const override {
    return is_in(plain_.plain(), day) ? plain_.grid(day).interval : others_.interval(day);
  }

  const MonthDays& plain() const { return plain_; }
  const OtherDays& others() const { return others_; }

 private:
  const MonthDays& plain_;
  const OtherDays& others_;
};

/// Makes a MonthOfMeters out of the months of all meters.
class MonthBuilder {
 public:
  explicit MonthBuilder(Month month) : month_(month) {}

  /// A meter's channels are neighbours.
  void add(const MeterMonth& of);
  MonthOfMeters take();
  /// Whether all totals fitted; if not, what take() gave is of no use.
  bool fits() const { return fits_; }

 private:
  /// Totals of one day that share an exponent, summed in 64 bits as long as they fit.
  struct Run {
    std::int64_t mantissa = 0;
    std::int8_t exponent = 0;
  };
  struct ChannelState {
    ChannelMonth month;
    std::array<Run, month_days_max> runs;
  };
  ChannelState& channel_of(const Channel& channel);
  void add_plain(const MonthDays& days, std::uint32_t day, ChannelState& channel,
                 ChannelMonth::Meter& meter);
  void add_total(const DayTotal& total, ChannelState& channel, ChannelMonth::Meter& meter);
  void add_to_sum(ChannelMonth::Day& day, const Sum& sum);

  const Month month_;
  std::vector<ChannelState> channels_;
  std::size_t last_ = 0;  ///< Of channels_.
  bool fits_ = true;
};

/// Months of all meters in memory, the least recently asked for given up first.
///
/// Threads: every method may be called from many threads at once.
class MonthCache {
 public:
  explicit MonthCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  using Value = std::shared_ptr<const MonthOfMeters>;  ///< Null: it is too much to keep.
  /// What is kept. Where nothing is, make it after this call and hand `ticket` to put().
  std::optional<Value> find(Month month, std::uint64_t& ticket);
  /// Returns what is kept then. Forgotten when the month changed since the ticket was given.
  Value put(Month month, std::uint64_t ticket, MonthOfMeters&& made);
  /// To be called after what changed these months can be read.
  void forget(Month first, Month last);

  std::size_t bytes_max() const { return bytes_max_; }

 private:
  struct Entry {
    Month month;
    Value value;
    std::size_t bytes;
  };
  void drop(std::list<Entry>::iterator entry);

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::uint64_t changes_ = 0;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  ///< The last asked for first.
  std::map<Month, std::list<Entry>::iterator> by_month_;
};

/// Memory that it takes.
std::size_t bytes_of(const MonthOfMeters& month);

}  // namespace meterline::store::rocksdb
