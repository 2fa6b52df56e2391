#pragma once

#include <memory>
#include <span>

#include "core/result.h"
#include "tables/table.h"

namespace meterline::tables {

/// open_table() for Parquet and Arrow, which the crate in drivers/ writes.
Result<std::unique_ptr<TableWriter>> open_columnar(TableFormat format,
                                                   std::span<const Column> columns, BytesSink sink);

}  // namespace meterline::tables
