#pragma once

#include <optional>
#include <semaphore>
#include <span>
#include <vector>

#include "ingest/ingest.h"

namespace meterline::ingest {

/// What became of one file.
struct FileResult {
  store::DeliveryRecord record;  ///< Unless it is an archive.
  std::optional<ArchiveReport> archive;
};

/// Loads files together: reads one after the other, sorts their rows as one, and stores them in
/// one commit; archives among them are stored by themselves. `options.threads` parse each file.
/// Returns the result of each file, in order; after a stop the files that were not begun are left
/// out. `readers`: of groups that are loaded at once, so many read at a time while others write.
std::vector<FileResult> load_group(std::span<const source::Incoming> files, store::Store& store,
                                   const IngestOptions& options, const IngestHooks& hooks,
                                   std::counting_semaphore<>& readers);

}  // namespace meterline::ingest
