#pragma once

#include <optional>
#include <semaphore>
#include <span>
#include <vector>

#include "ingest/ingest.h"
#include "ingest/row_sorter.h"

namespace meterline::ingest {

/// What became of one file.
struct FileResult {
  store::DeliveryRecord record;  ///< Unless it is an archive.
  std::optional<ArchiveReport> archive;
  bool lacks_unit = false;  ///< It was refused for want of a unit.
};

/// What the loading of a group shares with that of others.
struct GroupResources {
  std::counting_semaphore<>& readers;  ///< So many read at a time while others write.
  RowMemory& memory;                   ///< Of one group after another.
};

/// Loads files together: reads one after the other, sorts their rows as one, and stores them in
/// one commit; archives among them are stored by themselves. `options.threads` parse each file.
/// Returns the result of each file, in order, and of a zip with several files that of each of them;
/// after a stop, or a file that lacks a unit, the files
/// that were not begun are left out.
std::vector<FileResult> load_group(std::span<const source::Incoming> files, store::Store& store,
                                   const IngestOptions& options, const IngestHooks& hooks,
                                   GroupResources resources);

}  // namespace meterline::ingest
