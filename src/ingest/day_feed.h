#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/file_reader.h"
#include "ingest/ingest.h"
#include "ingest/row_sorter.h"
#include "ingest/united_day.h"
#include "store/store.h"

namespace meterline::ingest {

/// Takes rows in the sorter's order, unites those of one file that give the same day (UnitedDay),
/// unless they differ in their labels, so that they are different things, and gives the days to a
/// store's writer in the order that it wants.
///
/// A row that gave some slot of its day counts as stored, another one as repeated. A slot of the
/// day counts once, as what it became: stored, missing, or rejected (as many of the empty ones as
/// one row had rejected); what all rows have beyond that counts as repeated.
class DayFeed {
 public:
  /// What becomes of the rows of one file.
  struct File {
    FileContent* content = nullptr;  ///< Repeats are counted and told there; null: drop them.
    std::string_view source;
    std::size_t delivery = 0;  ///< Of the writer.
  };
  using OnRejected = std::function<void(const RejectedRow&)>;

  /// `files` by the rows' file number. All must outlive the feed.
  DayFeed(const std::vector<Channel>& channels, const std::vector<File>& files,
          store::DeliveryWriter& writer, const OnRejected& on_rejected);

  /// What the row points to must stay valid until the next one was added.
  Result<void> add(const SortedRow& row);
  /// Gives the last rows to the writer. Call once, last.
  Result<void> finish();

 private:
  Result<void> end_day();
  Result<void> keep_last();
  void note_difference(const SortedRow& earlier, const SortedRow& later);
  Result<void> unite(const SortedRow& row);
  Result<ReadingDay> day_of(const SortedRow& row) const;
  void forget(const SortedRow& row);
  void take_united();
  void tell(const RowOutcome& outcome);
  void reject_all();
  void reject(std::int64_t line, const std::string& reason);
  std::string excerpt() const;
  Result<void> write_held();
  Result<void> write(const RowHead& head, std::string_view packed);

  const std::vector<Channel>& channels_;
  const std::vector<File>& files_;
  store::DeliveryWriter& writer_;
  const OnRejected& on_rejected_;
  std::optional<SortedRow> last_;  ///< Not yet written: the next may be of its day.

  /// Rows of one file of one meter and day, last_ among them, if there is more than one.
  struct Rows {
    std::vector<std::int64_t> lines;  ///< The first of them: UnitedDay::outcomes_max.
    std::int64_t count = 0;
    std::int64_t slots = 0;
    std::int64_t rejected_max = 0;  ///< Slots of one row.
    std::string difference;         ///< Which two lines differ in what; empty when none do.
    UnitedDay day;                  ///< Of them, as long as none differ.
    std::string packed;             ///< The united day.
  };
  Rows rows_;
  MeterId meter_;  ///< Of the row written last, and of those held.

  /// Rows of several channels of one meter and day.
  struct Held {
    RowHead head;
    std::string packed;
  };
  std::vector<Held> held_;
};

}  // namespace meterline::ingest
