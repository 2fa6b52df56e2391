#include "formats/feed/draft.h"

#include <fmt/format.h>

#include <utility>

#include "core/finding.h"
#include "core/try.h"
#include "formats/feed/draft_text.h"
#include "formats/feed/feed_csv.h"
#include "formats/feed/feed_layout.h"
#include "formats/feed/feed_plan.h"
#include "formats/feed/shipped_feeds.h"
#include "formats/recognise.h"

namespace meterline::formats {
namespace {

/// Formats that are read as they are, and never by a feed.
Result<void> check_format(const Sample& sample) {
  const auto recognised = recognise(sample.text);
  if (!recognised) return {};
  const auto name = recognised->format->name;
  if (name == "wide-csv" || name == "long-csv") return {};
  return fail(Errc::refused, fmt::format("this is {}, which is read without a feed", name));
}

/// The name of a format that reads the file without a feed, if there is one.
std::string read_anyway(const Sample& sample) {
  const auto recognised = recognise(sample.text);
  if (!recognised) return "";
  const Piece first{.text = sample.text, .is_last = sample.is_whole};
  const auto opened = recognised->format->open(first, {});
  return opened ? std::string(recognised->format->name) : "";
}

/// The shipped feeds that have the file's columns, and read it once they are told what it does not
/// say.
std::vector<std::string> shipped_for(const Sample& sample, std::string_view bytes,
                                     std::string_view source) {
  std::vector<std::string> names;
  for (const auto* const feed : matching_feeds(bytes.substr(0, recognise_bytes))) {
    ReadOptions options{.unit = Unit::kWh, .zone = TimeZone::of_offset(0), .source = source};
    if (!feed->meter.column.is_given()) options.hints.meter = "any";
    const Piece first{.text = sample.text, .is_last = true};
    if (open_feed(*feed, first, options)) names.push_back(feed->name);
  }
  return names;
}

}  // namespace

Result<FeedDraft> draft_feed(std::string_view bytes, const DraftOptions& options) {
  METERLINE_TRY(const auto sample, read_draft_sample(bytes, options.is_whole_file));
  METERLINE_CHECK(check_format(sample));
  DraftText text;
  DraftColumns columns(sample);
  const DraftParts parts{
      .sample = sample, .columns = columns, .text = text, .source = options.source};
  const auto file = options.source.substr(options.source.rfind('/') + 1);
  text.say(DraftText::Section::top,
           fmt::format("title = {}", toml_text("Files like " + excerpt_of(file))));
  draft_file(parts);
  if (const auto format = read_anyway(sample); !format.empty())
    text.note("format", format + " reads this file without a feed, too");
  if (!draft_wide(parts)) draft_long(parts);
  draft_rest(parts);
  return text.take(file, shipped_for(sample, bytes, file));
}

}  // namespace meterline::formats
