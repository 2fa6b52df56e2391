#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "ingest/compare.h"
#include "ingest/ingest.h"
#include "ingest/sweep.h"
#include "store/estimate.h"

namespace meterline::cli {

/// Collects the report of an ingest, and prints it.
class IngestReport {
 public:
  explicit IngestReport(Output output);

  void add(const store::DeliveryRecord& record, Progress& progress);
  void add(const ingest::ArchiveReport& archive, Progress& progress);
  /// Of a file that was compared with the store; then all are.
  void add(const store::DeliveryRecord& record, const ingest::Comparison& comparison,
           Progress& progress);

  /// What some ingests have beside.
  struct Extras {
    std::optional<ingest::SweepCounts> sweep;
    std::optional<store::StoreEstimate> estimate;  ///< Nothing was stored.
  };
  void print(const ingest::IngestTotals& totals, const Extras& extras);

 private:
  void print_table(const ingest::IngestTotals& totals, const Extras& extras);
  void print_compared(const ingest::IngestTotals& totals);
  void add_row(const store::DeliveryRecord& record);

  const Output output_;
  std::vector<store::DeliveryRecord> records_;
  std::vector<ingest::Comparison> comparisons_;
  std::vector<ingest::ArchiveReport> archives_;
  Table table_;
};

}  // namespace meterline::cli
