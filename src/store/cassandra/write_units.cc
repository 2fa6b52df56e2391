#include "store/cassandra/write_units.h"

namespace meterline::store::cassandra {
namespace {

constexpr std::size_t row_overhead_bytes = 100;
constexpr std::size_t partition_column_overhead_bytes = 3;
constexpr std::size_t other_column_overhead_bytes = 1;
constexpr std::size_t unit_bytes = 1024;

}  // namespace

RowShape row_shape_of(Statement statement) {
  switch (statement) {
    case Statement::insert_day:
    case Statement::insert_totals:
      return {.partition = 2, .clustering = 3, .others = 1};
    case Statement::insert_read:
      return {.partition = 1, .clustering = 3, .others = 1};
    case Statement::insert_meter:
      return {.partition = 1, .clustering = 3, .others = 0};
    case Statement::insert_delivery:
      return {.partition = 1, .clustering = 2, .others = 1};
    case Statement::insert_delivery_by_time:
    case Statement::insert_delivery_by_receipt:
    case Statement::insert_delivery_by_source:
      return {.partition = 1, .clustering = 2, .others = 0};
    case Statement::insert_event:
      return {.partition = 1, .clustering = 4, .others = 1};
    case Statement::insert_name:
      return {.partition = 1, .clustering = 1, .others = 0};
    default:
      return {};
  }
}

/// Columns of a key are counted twice; those of the clustering key have a fifth on top.
std::int64_t write_units_of(const RowShape& shape, CqlRow& row) {
  std::size_t bytes = row_overhead_bytes;
  for (int i = 0; i < shape.partition; ++i)
    bytes += 2 * row.blob().size() + partition_column_overhead_bytes;
  for (int i = 0; i < shape.clustering; ++i) {
    const auto size = row.blob().size();
    bytes += 2 * size + (size + 4) / 5;
  }
  for (int i = 0; i < shape.others; ++i) bytes += row.blob().size() + other_column_overhead_bytes;
  return static_cast<std::int64_t>((bytes + unit_bytes - 1) / unit_bytes);
}

}  // namespace meterline::store::cassandra
