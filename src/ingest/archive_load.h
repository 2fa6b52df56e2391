#pragma once

#include <string>

#include "ingest/archive.h"
#include "ingest/ingest.h"
#include "source/byte_source.h"

namespace meterline::ingest {

/// An archive's expanded bytes: what was read already, and the rest.
struct ArchiveBytes {
  std::string head;
  source::ByteSource& rest;
};

/// Reads a whole archive and stores nothing. Errors as for ArchiveReader::read.
Result<void> verify_archive(ArchiveBytes archive);

/// Stores the deliveries of an archive that the store does not have yet, in one commit, and counts
/// them in `report`. Whoever can read the archive twice should verify it before: of one that turns
/// out to be damaged nothing is acknowledged, but a store may keep days of it.
Result<void> restore_archive(ArchiveBytes archive, store::Store& store, ArchiveReport& report);

}  // namespace meterline::ingest
