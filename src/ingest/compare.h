#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/channel.h"
#include "core/decimal.h"
#include "ingest/ingest.h"

namespace meterline::ingest {

/// What one file would change in a store. A day is one of a meter and channel that the file gives;
/// each counts once.
struct Comparison {
  struct Days {
    std::int64_t added = 0;         ///< Nothing of the day is stored.
    std::int64_t replacing = 0;     ///< Its answer would change.
    std::int64_t not_counting = 0;  ///< The file says something else, but what is stored counts.
    std::int64_t equal = 0;         ///< All that the file gives is the answer already.
    bool operator==(const Days&) const = default;
  };
  /// Of all the days that the file gives, together.
  struct SumChange {
    Flow flow = Flow::consumption;
    Unit unit = Unit::unknown;
    Sum before;
    Sum after;
    bool operator==(const SumChange&) const = default;
  };
  Days days;
  Days register_reads;          ///< The same of register reads, of which there are no sums.
  std::vector<SumChange> sums;  ///< Ascending by flow and unit.
};

/// As load_all(), but nothing is stored: each file is compared with what the store holds now, and
/// not with the others. A record says what would become of the file; the comparison of one that
/// would not be stored is empty. Archives are refused. Reads the store once for each meter of a
/// file, for its days and for its register reads, and holds those of one meter in memory.
IngestTotals compare_all(
    const std::vector<source::Incoming>& incoming, const store::Store& store,
    const IngestOptions& options, const IngestHooks& hooks,
    const std::function<void(const store::DeliveryRecord&, const Comparison&)>& on_done);

}  // namespace meterline::ingest
