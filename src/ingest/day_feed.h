#pragma once

#include <string>
#include <vector>

#include "ingest/file_reader.h"
#include "ingest/row_record.h"
#include "store/store.h"

namespace meterline::ingest {

/// Takes records in ascending order of their keys, finds those that a later line of the same file
/// replaces, and gives the rest to a store's writer in the order that it wants.
class DayFeed {
 public:
  /// What becomes of the records of one file.
  struct File {
    FileContent* content = nullptr;  ///< Repeats are counted and told there; null: drop them.
    std::size_t delivery = 0;        ///< Of the writer.
  };

  /// `files` by the records' file number. All must outlive the feed.
  DayFeed(const std::vector<Channel>& channels, const std::vector<File>& files,
          store::DeliveryWriter& writer);

  Result<void> add(const char* record);
  /// Gives the last records to the writer. Call once, last.
  Result<void> finish();

 private:
  void note_repeat(const RowRecord& earlier, std::int64_t later_line);
  Result<void> keep(const RowRecord& record);
  Result<void> write_day();
  Result<void> write(const RowRecord& record);

  const std::vector<Channel>& channels_;
  const std::vector<File>& files_;
  store::DeliveryWriter& writer_;
  std::string last_;  ///< The record not yet written: the next may replace it.
  MeterId meter_;     ///< Of the record written last.

  /// Records of several channels of one meter and day, with their bytes.
  struct Held {
    std::string bytes;
    Channel channel;
  };
  std::vector<Held> held_;
};

}  // namespace meterline::ingest
