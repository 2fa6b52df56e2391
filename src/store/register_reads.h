#pragma once

#include <functional>

#include "core/result.h"
#include "store/store.h"

namespace meterline::store {

/// All times that a register read may have.
ReadsQuery all_reads_of(const MeterId& meter);

/// The newest version of each register read asked for that counts, by (time, register) ascending.
Result<void> read_newest_registers(const Store& store, const ReadsQuery& query,
                                   const ReadVisitor& visit);

}  // namespace meterline::store
