#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "ingest/row_record.h"

namespace meterline::ingest {

/// Brings the records of a delivery, of any number and in any order, into ascending order of
/// their keys. Up to bytes_max of them are held in memory; more go into a temporary file, which is
/// gone when the process is, however it ends.
class RowSorter {
 public:
  struct Options {
    std::size_t bytes_max = 48 << 20;
    std::filesystem::path folder;  ///< For the temporary file; empty: the system's.
  };
  explicit RowSorter(Options options);
  ~RowSorter();
  RowSorter(const RowSorter&) = delete;
  RowSorter& operator=(const RowSorter&) = delete;

  /// Takes in records (see row_record.h), one after another.
  Result<void> add(std::string records);

  /// Visits every record in ascending order of its key; it is valid during the visit. Call once,
  /// last.
  using Visitor = std::function<Result<void>(const char* record)>;
  Result<void> visit(const Visitor& visit);

 private:
  class Spool;
  class Run;

  Result<void> spill();
  void sort();
  Result<void> merge(const Visitor& visit);

  const Options options_;
  std::vector<std::string> batches_;
  std::vector<const char*> records_;  ///< Into batches_.
  std::size_t bytes_ = 0;
  std::vector<std::size_t> rises_;  ///< Where in records_ an ascending stretch begins.
  std::unique_ptr<Spool> spool_;
};

}  // namespace meterline::ingest
