#pragma once

#include <map>
#include <optional>
#include <vector>

#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store {

/// Store::read_days.
Result<void> read_day_rows(const Tables& tables, const DaysQuery& query, const DayVisitor& visit);

/// A day of a meter that is asked for among many.
struct MeterDate {
  MeterId meter;
  Date date;
};
using MeterDayVisitor = std::function<Result<void>(std::size_t which, const StoredDay&)>;

/// Every version of each of the days, up to `as_of`, in their order and then as read_days gives
/// them; many at once.
Result<void> read_meter_dates(const Tables& tables, const std::vector<MeterDate>& dates,
                              Instant as_of, const MeterDayVisitor& visit);

/// In which years a meter has which channel; empty for an unknown meter.
using YearsByChannel = std::map<Channel, std::vector<int>>;
Result<YearsByChannel> read_years(const Tables& tables, const MeterId& meter);

}  // namespace meterline::store
