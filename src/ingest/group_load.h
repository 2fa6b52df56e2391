#pragma once

#include <optional>
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
/// Returns the result of each file, in order; after
/// a stop the files that were not begun are left out.
std::vector<FileResult> load_group(std::span<const source::Incoming> files, store::Store& store,
                                   const IngestOptions& options, const IngestHooks& hooks);

}  // namespace meterline::ingest
