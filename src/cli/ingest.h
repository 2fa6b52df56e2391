#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/logging.h"
#include "cli/session.h"
#include "cli/watch.h"

namespace meterline::cli {

enum class IngestMode {
  load,
  sweep,    ///< Load objects of S3 that the store has no answer for, and open no other.
  dry_run,  ///< Read and report everything, and store nothing.
  compare,  ///< The same, with what each file would change in the store.
  watch,    ///< Load the files of a folder as they come, until a signal does.
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
  WatchOptions watch;
  bool once = false;  ///< Of what is watched: end when all that is there is loaded.
  LogOptions log;     ///< Of what is watched.
};

/// `meterline ingest`: loads files into the store and reports what became of each.
int ingest(const IngestVerb& verb, const Session& session);

}  // namespace meterline::cli
