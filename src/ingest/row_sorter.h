#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/budget.h"
#include "core/result.h"
#include "ingest/meter_table.h"
#include "ingest/row_record.h"

namespace meterline::ingest {

/// A row as it comes out of the sorter.
struct SortedRow {
  std::string_view meter;
  RowHead head;  ///< Its number of the meter says nothing.
  std::string_view packed;
  std::string_view labels;  ///< Hashes of label_bytes each; see formats::Row::labels.
};

/// Memory for rows, to be used by one sorter after another.
struct RowMemory {
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;
};

/// Brings the rows of a delivery, of any number and in any order, into ascending order of (meter,
/// date, channel, file, line). About bytes_max of them are held in memory; more go into a temporary
/// file, which is gone when the process is, however it ends.
///
/// Threads: one at a time.
class RowSorter {
 public:
  struct Options {
    std::size_t bytes_max = 40 << 20;
    std::filesystem::path folder;  ///< For the temporary file; empty: the system's.
    Budget* temporary = nullptr;   ///< What the file may take; null: no limit.
  };
  /// `memory` must outlive the sorter, and grows to bytes_max if it is smaller.
  RowSorter(Options options, RowMemory& memory);
  ~RowSorter();
  RowSorter(const RowSorter&) = delete;
  RowSorter& operator=(const RowSorter&) = delete;

  /// Takes in rows, their lines moved down by `lines`.
  Result<void> add(const PackedRows& rows, std::int64_t lines);

  /// Visits every row in ascending order. What a row points to is valid until the visit after the
  /// next begins, or as long as the sorter if there is none. Call once, last.
  using Visitor = std::function<Result<void>(const SortedRow& row)>;
  Result<void> visit(const Visitor& visit);

 private:
  class Spool;
  class Cursor;
  class Memory;
  class Run;

  Result<void> make_room(std::size_t bytes);
  void take(const RowHead& head);
  bool is_full() const;
  Result<void> spill();
  void sort();
  Result<void> merge(const Visitor& visit);

  const Options options_;
  MeterTable meters_;
  RowMemory& memory_;                         ///< The rows one after another, as they came.
  std::size_t bytes_ = 0;                     ///< Of memory_ that are used.
  std::vector<std::uint32_t> rows_of_meter_;  ///< How many, by number.
  std::size_t rows_count_ = 0;
  RowHead last_;                     ///< That was added.
  bool is_ascending_ = true;         ///< The rows came in order.
  std::vector<const char*> sorted_;  ///< The rows in order, once sorted; empty if they came so.
  std::unique_ptr<Spool> spool_;
  std::vector<std::unique_ptr<Cursor>> cursors_;  ///< Of merge().
};

/// Where the rows of files that are loaded together go.
struct GroupRows {
  ChannelTable& channels;
  RowSorter& days;
  RowSorter& register_reads;
};

}  // namespace meterline::ingest
