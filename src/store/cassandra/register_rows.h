#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/register_read.h"
#include "store/cassandra/event_rows.h"
#include "store/cassandra/tables.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Store::read_registers.
Result<void> read_register_rows(const Tables& tables, const ReadsQuery& query,
                                const ReadVisitor& visit);

/// A row as it stands in the table. Views: valid during the call only.
struct ReadRow {
  Instant at;
  std::string_view of;       ///< See register_text().
  std::string_view version;  ///< A version key.
};
/// Visits all rows of the meter. An error from the visitor ends the reading and is returned.
Result<void> each_read_row(const Tables& tables, const MeterId& meter,
                           const std::function<Result<void>(const ReadRow&)>& visit);

/// Whether a register read of the meter counts.
Result<bool> counts_any_read(const Tables& tables, const MeterId& meter, EventsRead& events);

/// `11/consumption/kWh`, the register's id and the serial number, each behind a line end, as in the
/// table.
std::string register_text(const MeterRegister& of);

}  // namespace meterline::store::cassandra
