#pragma once

#include <cstdint>

#include "store/cassandra/cql_cells.h"
#include "store/cassandra/schema.h"

namespace meterline::store::cassandra {

/// The columns of a row, in this order.
struct RowShape {
  int partition = 0;   ///< Of the partition key.
  int clustering = 0;  ///< Of the clustering key.
  int others = 0;
};

/// Of what an INSERT writes; nothing for a statement that reads.
RowShape row_shape_of(Statement statement);

/// Takes the values of one row off `row`. What Amazon Keyspaces charges for writing it at
/// LOCAL_QUORUM: a unit for each KB of the row, or a part of one.
/// Source: its developer guide, "Estimate row size in Amazon Keyspaces".
std::int64_t write_units_of(const RowShape& shape, CqlRow& row);

}  // namespace meterline::store::cassandra
