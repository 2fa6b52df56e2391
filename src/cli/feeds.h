#pragma once

#include <string>

#include "cli/session.h"

namespace meterline::cli {

/// `meterline feed list`: the feeds that the program carries.
int list_feeds(const Session& session);

/// `meterline feed show FEED`: its description.
int show_feed(const std::string& feed);

struct FeedCheckVerb {
  FileOptions files;
  std::string path;  ///< Of a file that is not packed.
};

/// `meterline feed check FEED SAMPLE`: the first rows of a file beside what is read of them, and
/// how many days and findings its first 4 MiB have. Exit code 3 with findings that cost readings.
int check_feed(const FeedCheckVerb& verb, const Session& session);

struct FeedDraftVerb {
  std::string path;    ///< Of a file that is not packed.
  std::string output;  ///< A file that is not there yet; empty: standard output.
};

/// `meterline feed draft SAMPLE`: a feed for a file of an unknown layout, and on standard error
/// what was decided by what, and what is open.
int draft_feed(const FeedDraftVerb& verb);

}  // namespace meterline::cli
