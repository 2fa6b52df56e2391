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
#include "store/store.h"

namespace meterline::ingest {

/// Takes rows in the sorter's order, finds those that a later line of the same file replaces and
/// those that differ in their labels, so that none can replace another, and gives the rest to a
/// store's writer in the order that it wants.
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
  void note_earlier(const SortedRow& earlier, const SortedRow& later);
  void tell_repeats();
  void reject_all();
  void reject(std::int64_t line, const std::string& reason);
  std::string excerpt() const;
  Result<void> write_held();
  Result<void> write(const RowHead& head, std::string_view packed);

  const std::vector<Channel>& channels_;
  const std::vector<File>& files_;
  store::DeliveryWriter& writer_;
  const OnRejected& on_rejected_;
  std::optional<SortedRow> last_;  ///< Not yet written: the next may replace it.

  /// Rows of one file of the meter and day of last_, all before it.
  struct Earlier {
    std::vector<std::int64_t> lines;  ///< The first of them: earlier_lines_max.
    std::int64_t rows = 0;
    std::int64_t slots = 0;
    std::string difference;  ///< Which two lines differ in what; empty when none do.
  };
  Earlier earlier_;
  MeterId meter_;  ///< Of the row written last, and of those held.

  /// Rows of several channels of one meter and day.
  struct Held {
    RowHead head;
    std::string packed;
  };
  std::vector<Held> held_;
};

}  // namespace meterline::ingest
