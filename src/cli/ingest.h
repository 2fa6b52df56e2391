#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/session.h"

namespace meterline::cli {

enum class IngestMode {
  load,
  sweep,    ///< Load objects of S3 that the store has no answer for, and open no other.
  dry_run,  ///< Read and report everything, and store nothing.
  compare,  ///< The same, with what each file would change in the store.
};

struct IngestVerb {
  std::vector<std::string> paths;  ///< Files, folders, `-`, `s3://BUCKET/PREFIX`.
  IngestMode mode = IngestMode::load;
  FileOptions files;
  std::string delivered_at;  ///< Empty: each file's modification time.
  std::string rejects;       ///< A file for rejected rows; empty: none.
  std::size_t findings_max = 1000;
  std::uint64_t expanded_bytes_max = 0;  ///< 0: the default limit.
  int threads = 0;                       ///< 0: one for each core.
};

/// `meterline ingest`: loads files into the store and reports what became of each.
int ingest(const IngestVerb& verb, const Session& session);

}  // namespace meterline::cli
