#pragma once

#include <string>
#include <vector>

#include "cli/parser.h"
#include "cli/session.h"

namespace meterline::cli {

struct ExportVerb {
  /// `-`: standard output; a folder with `by_month`. Else `readings`, `days` or `months`: a table
  /// of them, to `out`.
  std::string path;
  bool force = false;               ///< Replace a file that is there.
  std::string from;                 ///< Empty: not given; so is `to`.
  std::string to;                   ///< Inclusive.
  std::vector<std::string> meters;  ///< Ids, and `@FILE` of read_meter_list(); none: all.
  std::string group;                ///< Whose meters as well; empty: none's.
  bool by_month = false;            ///< A file for each month; those that are there stay.
  std::string out = "-";            ///< Of a table, as `path`.
  std::string format;               ///< Of a table; empty: by the end of `out`, or CSV.
  std::string as_of;                ///< Of a table; empty: now.
  bool wide = false;                ///< Of readings: a row for each day.
  std::string compress;             ///< Of CSV; empty: by the end of `out`, or none.
};

/// Its options. `verb` must outlive the app.
void add_export(CLI::App& app, ExportVerb& verb);

/// `meterline export FILE`: the whole store as one file, or a part of it, for `meterline ingest` to
/// restore. `meterline export readings`: a table for other programs.
int export_store(const ExportVerb& verb, const Session& session);

}  // namespace meterline::cli
