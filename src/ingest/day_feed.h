#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/file_reader.h"
#include "ingest/row_sorter.h"
#include "store/store.h"

namespace meterline::ingest {

/// Takes rows in the sorter's order, finds those that a later line of the same file replaces, and
/// gives the rest to a store's writer in the order that it wants.
class DayFeed {
 public:
  /// What becomes of the rows of one file.
  struct File {
    FileContent* content = nullptr;  ///< Repeats are counted and told there; null: drop them.
    std::size_t delivery = 0;        ///< Of the writer.
  };

  /// `files` by the rows' file number. All must outlive the feed.
  DayFeed(const std::vector<Channel>& channels, const std::vector<File>& files,
          store::DeliveryWriter& writer);

  /// What the row points to must stay valid until the next one was added.
  Result<void> add(const SortedRow& row);
  /// Gives the last rows to the writer. Call once, last.
  Result<void> finish();

 private:
  Result<void> keep_last();
  void note_repeat(const SortedRow& earlier, std::int64_t later_line);
  Result<void> write_held();
  Result<void> write(const RowHead& head, std::string_view packed);

  const std::vector<Channel>& channels_;
  const std::vector<File>& files_;
  store::DeliveryWriter& writer_;
  std::optional<SortedRow> last_;  ///< Not yet written: the next may replace it.
  MeterId meter_;                  ///< Of the row written last, and of those held.

  /// Rows of several channels of one meter and day.
  struct Held {
    RowHead head;
    std::string packed;
  };
  std::vector<Held> held_;
};

}  // namespace meterline::ingest
