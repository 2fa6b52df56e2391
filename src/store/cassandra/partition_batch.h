#pragma once

#include <cstddef>

#include "core/result.h"
#include "store/cassandra/tables.h"

namespace meterline::store::cassandra {

/// Rows of one partition that go out together, within the limits of a batch.
class PartitionBatch {
 public:
  PartitionBatch(const Tables& tables, Statement statement)
      : statement_(tables[statement]), rows_max_(batch_rows_max(tables.dialect())) {}

  /// Whether it is to be sent before another row is added.
  bool is_full() const { return count_ >= rows_max_ || cells_.bytes().size() >= batch_bytes_max; }

  /// Takes the cells of one more row.
  CqlCells& add_row() {
    ++count_;
    return cells_;
  }

  /// Of no rows, it does nothing.
  Result<void> send(CqlWriter& writer) {
    if (count_ == 0) return {};
    auto sent = writer.write(statement_, cells_.bytes(), count_);
    cells_.clear();
    count_ = 0;
    return sent;
  }

 private:
  CqlStatement statement_;
  std::size_t rows_max_;
  CqlCells cells_;
  std::size_t count_ = 0;
};

}  // namespace meterline::store::cassandra
