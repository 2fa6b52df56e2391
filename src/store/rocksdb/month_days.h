#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "store/packed_day.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/month_totals.h"
#include "store/store.h"

namespace meterline::store {

inline bool is_in(std::uint32_t days, std::uint32_t day) { return (days >> day & 1) != 0; }

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
  /// Errors: `corrupt` for a number that the table does not have.
  Result<FoundDelivery> find(std::uint32_t number);

 private:
  const DeliveryTable& table_;
  const DeliveryTable::Events events_;
  const Instant as_of_;
  std::uint32_t number_ = 0;
  std::optional<FoundDelivery> last_;
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

}  // namespace meterline::store
