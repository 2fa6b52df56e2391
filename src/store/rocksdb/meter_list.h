#pragma once

#include <string>
#include <vector>

#include "core/channel.h"
#include "core/meter_id.h"
#include "store/rocksdb/entry_buffer.h"
#include "store/rocksdb/known_meters.h"
#include "store/rocksdb/sorted_files.h"

namespace meterline::store {

/// What one writer adds to the list of meters and their channels, on its way into the database.
class MeterList {
 public:
  MeterList(const Database& database, KnownMeters& known, const std::filesystem::path& incoming)
      : known_(known), files_(database, Family::meters, incoming) {}

  /// Meters ascending; a channel of a meter any number of times.
  Result<void> add(const MeterId& meter, const Channel& channel);
  /// Behind the last add().
  Result<void> finish();
  /// Whether there was too much for a batch; then everything is in files().
  bool uses_files() const { return uses_files_; }
  const EntryBuffer& entries() const { return entries_; }
  SortedFiles& files() { return files_; }
  Result<void> move_to_files();
  /// After all of it is durable.
  void committed();

 private:
  Result<void> flush_meter();
  void note_channels();
  Result<void> emit(std::string_view key, std::span<const Channel> channels);

  KnownMeters& known_;
  MeterId meter_;  ///< Whose channels are pending; empty before the first.
  std::vector<Channel> channels_;
  EntryBuffer entries_;
  std::vector<std::string> new_;  ///< For known_, once they are durable.
  std::vector<Channel> new_channels_;
  bool uses_files_ = false;
  SortedFiles files_;
};

}  // namespace meterline::store
