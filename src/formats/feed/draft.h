#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace meterline::formats {

/// What a draft says of a key of a feed, and by what evidence.
struct DraftDecision {
  std::string key;  ///< `long.start`
  std::string why;
};

/// What only people can say. In the draft it stands as a comment, `#? key: why`, with lines to
/// choose from below it, `# start = ...`.
struct DraftQuestion {
  std::string key;
  std::string why;
  std::vector<std::string> choices;  ///< Each of one line or several, without the `# `.
};

/// A feed for a file whose layout nobody described yet.
struct FeedDraft {
  std::string toml;  ///< Always TOML; a feed only once what it has to say is decided.
  std::vector<DraftDecision> decided;
  std::vector<DraftQuestion> open;
  std::vector<std::string> shipped;  ///< Names of shipped feeds that have the file's columns.
};

struct DraftOptions {
  std::string_view source = {};  ///< The file's name, for people.
  bool is_whole_file = true;     ///< Not only its start.
};

/// Writes a feed for a file that begins with `bytes` (draft_bytes_max of them are looked at, and
/// the limits of draft_sample.h hold). Nothing is guessed: a key is decided by the file's texts, or
/// by names that are documented (docs/formats/long-csv.md), and is a question otherwise.
///
/// Errors: `refused`, where the file is no CSV, has no rows with a date, or needs no feed.
Result<FeedDraft> draft_feed(std::string_view bytes, const DraftOptions& options);

}  // namespace meterline::formats
