#pragma once

#include <string>
#include <vector>

#include "cli/export_file.h"
#include "cli/session.h"

namespace meterline::cli {

struct ExportVerb {
  std::string path;  ///< `-`: standard output; a folder with `by_month`.
  ExistingFile existing = ExistingFile::refuse;
  std::string from;                 ///< Empty: not given; so is `to`.
  std::string to;                   ///< Inclusive.
  std::vector<std::string> meters;  ///< Ids, and `@FILE` with one on each line; none: all.
  bool by_month = false;            ///< A file for each month; those that are there stay.
};

/// `meterline export FILE`: the whole store as one file, or a part of it, for `meterline ingest` to
/// restore.
int export_store(const ExportVerb& verb, const Session& session);

}  // namespace meterline::cli
