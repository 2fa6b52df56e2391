#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ingest/ingest.h"

namespace meterline::ingest {

/// Loads files together: reads one after the other, sorts their rows as one, and stores them in
/// one commit. `options.threads` parse each file. Returns a record for each file, in order; after
/// a stop the files that were not begun are left out.
std::vector<store::DeliveryRecord> load_group(std::span<const source::Incoming> files,
                                              store::Store& store, const IngestOptions& options,
                                              const IngestHooks& hooks);

}  // namespace meterline::ingest
