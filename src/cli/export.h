#pragma once

#include <string>

#include "cli/export_file.h"
#include "cli/session.h"

namespace meterline::cli {

struct ExportVerb {
  std::string path;  ///< `-`: standard output.
  ExistingFile existing = ExistingFile::refuse;
};

/// `meterline export FILE`: the whole store as one file, for `meterline ingest` to restore.
int export_store(const ExportVerb& verb, const Session& session);

}  // namespace meterline::cli
