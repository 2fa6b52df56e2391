#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/feed/draft.h"
#include "formats/feed/draft_sample.h"

namespace meterline::formats {

/// Longer names and texts of a file do not stand in a draft, so that it is no larger than a feed
/// may be: columns are then named by their places.
inline constexpr std::size_t draft_name_max = 200;
inline constexpr std::size_t draft_flags_max = 32;
inline constexpr std::size_t draft_questions_max = 16;  ///< Of one kind.

/// A text in quotes, as TOML has it.
std::string toml_text(std::string_view text);
std::string toml_texts(const std::vector<std::string>& texts);

/// A feed in the making: keys that are said, and questions where one is open.
class DraftText {
 public:
  /// In the order in which they are written.
  enum class Section {
    top,
    file,
    numbers,
    meter,
    channel,
    totals,
    wide,
    rows,
    quality,
    flags,
    end
  };

  /// A line of a section.
  void say(Section section, std::string line);
  /// The same, and why; `key` is what people read of it.
  void decide(Section section, std::string_view key, std::string line, std::string why);
  void note(std::string_view key, std::string why);
  void ask(Section section, DraftQuestion question);

  FeedDraft take(std::string_view source, std::vector<std::string> shipped);

 private:
  std::map<Section, std::vector<std::string>> lines_;
  std::vector<DraftDecision> decided_;
  std::vector<DraftQuestion> open_;
};

/// The columns of a sample, which of them have been said to be something, and how they are named in
/// a feed.
class DraftColumns {
 public:
  explicit DraftColumns(const Sample& sample)
      : sample_(sample), used_(sample.columns.size(), false) {}

  const SampleColumn& at(int column) const {
    return sample_.columns[static_cast<std::size_t>(column)];
  }
  int size() const { return static_cast<int>(used_.size()); }
  bool is_used(int column) const { return used_[static_cast<std::size_t>(column)]; }
  void use(int column) { used_[static_cast<std::size_t>(column)] = true; }
  /// As a feed names it: `"Usage#2"`, or by its place.
  std::string toml(int column) const;
  /// For people.
  std::string text(int column) const;

 private:
  const Sample& sample_;
  std::vector<bool> used_;
};

/// The patterns that the dates of a column may have, one of them where it is decided.
struct PatternChoice {
  std::vector<StampPattern> patterns;
  std::string why;
};
PatternChoice choose_pattern(const Sample& sample, int column);

/// What a draft is made from, and what is known of it so far.
struct DraftParts {
  const Sample& sample;
  DraftColumns& columns;
  DraftText& text;
  std::string_view source;  ///< The file's name.
};

/// Finds out what rows with a column for each interval hold: false where there are no such columns.
bool draft_wide(const DraftParts& parts);
/// The same of rows with a reading each.
void draft_long(const DraftParts& parts);

// What both of them have. Each marks the columns that it says something of as used.

/// How the file is written, and which line its header is.
void draft_file(const DraftParts& parts);
void draft_meter(const DraftParts& parts);
/// A unit may stand in a column, in a title, or in `names`: those of columns with readings or
/// totals.
void draft_unit(const DraftParts& parts, const std::vector<std::string>& names);
/// How these texts, the readings, are written, and which of them stand for none.
void draft_numbers(const DraftParts& parts, const std::vector<std::string_view>& readings);
/// A column that tells rows apart which are of one meter and time: `keys` has both of each row.
/// Returns its place, or no_column.
int draft_channel(const DraftParts& parts, const std::vector<std::string>& keys);
/// A title that is named for a total, where the readings add up to it.
void draft_title_total(const DraftParts& parts, const std::vector<std::string_view>& readings);
/// What these texts of flags mean.
void draft_flags(const DraftParts& parts, const std::vector<std::string>& flags);
/// A column that is named for the flags of rows.
void draft_flag_column(const DraftParts& parts);
/// Rows that are like no other, and columns that nothing was said of.
void draft_rest(const DraftParts& parts);

}  // namespace meterline::formats
