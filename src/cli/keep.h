#pragma once

#include <cstddef>
#include <string>

#include "cli/parser.h"
#include "cli/session.h"
#include "core/result.h"

namespace meterline::cli {

/// What verbs that take something away for good have in common.
struct ForgetOptions {
  bool dry_run = false;  ///< Tell what would go, and take nothing away.
  bool yes = false;      ///< Do not ask.
  int rate = 0;          ///< Requests a second to servers, at most; 0: as fast as it goes.
};

struct PruneVerb {
  std::string before;             ///< A date, or as below. Empty: not given; so are the next two.
  std::size_t keep_versions = 0;  ///< 0: not given.
  std::string keep_versions_for;  ///< `90d`, `12w`, `7y`.
  std::string after;              ///< A meter id.
  ForgetOptions how;
};
/// `meterline store prune`: takes out of the store what is not to be kept.
int prune_store(const PruneVerb& verb, const Session& session);

/// Its flags, below `store`. `verb` must outlive the app.
void add_prune(CLI::App& store, PruneVerb& verb);

struct EraseVerb {
  std::string meter;
  bool allow = false;  ///< Let it be loaded again.
  ForgetOptions how;
};
/// `meterline erase METER`: takes all of a meter out of the store, and keeps it out.
int erase_meter(const EraseVerb& verb, const Session& session);
/// Its flags. `verb` must outlive the app.
void add_erase(CLI::App& app, EraseVerb& verb);

/// Days of `N` and `d`, `w` (7 days) or `y` (365 days). Errors: `invalid_argument`.
Result<int> parse_days(std::string_view option, std::string_view text);

}  // namespace meterline::cli
