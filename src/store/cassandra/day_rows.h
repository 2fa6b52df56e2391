#pragma once

#include <map>
#include <optional>
#include <vector>

#include "store/cassandra/event_rows.h"
#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Store::read_days.
Result<void> read_day_rows(const Tables& tables, const DaysQuery& query, const DayVisitor& visit);

/// Days of a meter, all of one year, that are asked for among many.
struct MeterDates {
  MeterId meter;
  DateRange dates;
};
using MeterDayVisitor = std::function<Result<void>(std::size_t which, const StoredDay&)>;

/// Every version of the days, up to `as_of`, in the order of `dates` and then as read_days gives
/// them; many at once.
Result<void> read_meter_dates(const Tables& tables, const std::vector<MeterDates>& dates,
                              Instant as_of, EventsRead& events, const MeterDayVisitor& visit);

/// In which years a meter has which channel; empty for an unknown meter.
using YearsByChannel = std::map<Channel, std::vector<int>>;
Result<YearsByChannel> read_years(const Tables& tables, const MeterId& meter);

/// What is noted of a meter.
struct NotedMeter {
  YearsByChannel years;
  bool has_reads = false;  ///< Of registers.
};
Result<NotedMeter> read_noted(const Tables& tables, const MeterId& meter);
/// Takes channel and year off the row. False when they are none.
bool take_noted(CqlRow& row, NotedMeter& meter);

}  // namespace meterline::store::cassandra
