#include "formats/feed/shipped_feeds.h"

#include <algorithm>
#include <cassert>
#include <span>

#include "formats/feed/feed_plan.h"
#include "formats/feed/feed_sources.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

std::vector<FeedLayout> read_all() {
  std::vector<FeedLayout> feeds;
  for (const auto& [name, text] : feed_sources()) {
    auto feed = parse_feed(text, name);
    assert(feed);
    if (feed) feeds.push_back(*std::move(feed));
  }
  return feeds;
}

bool is_match(const FeedLayout& feed, std::string_view text) {
  if (!feed.starts_with.empty()) {
    const auto line = first_row(text).text;
    if (!fits(feed.starts_with, line.substr(0, std::min<std::size_t>(line.size(), 1024))))
      return false;
  }
  if (!feed.has_header) return !feed.starts_with.empty();
  ReadOptions options;
  if (!feed.meter.column.is_given()) options.hints.meter = "any";
  const auto opened = plan_feed(feed, {.text = text, .first_line = 1, .is_last = true}, options);
  return opened && opened->is_whole_header_known;
}

}  // namespace

const std::vector<FeedLayout>& shipped_feeds() {
  static const auto* const feeds = new std::vector<FeedLayout>(read_all());
  return *feeds;
}

const FeedLayout* find_shipped_feed(std::string_view name) {
  const auto& feeds = shipped_feeds();
  const auto found = std::find_if(feeds.begin(), feeds.end(),
                                  [&](const FeedLayout& feed) { return feed.name == name; });
  return found == feeds.end() ? nullptr : &*found;
}

std::string shipped_feed_names() {
  std::string names;
  for (const auto& feed : shipped_feeds()) names += (names.empty() ? "" : ", ") + feed.name;
  return names;
}

std::vector<const FeedLayout*> matching_feeds(std::string_view head) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (head.starts_with(mark)) head.remove_prefix(mark.size());
  std::vector<const FeedLayout*> matching;
  for (const auto& feed : shipped_feeds()) {
    std::string text;
    Utf8Maker(feed.encoding.value_or(Encoding::utf8)).add(head, text);
    const auto row_at = std::min(text.find_first_not_of("\r\n"), text.size());
    if (row_at < text.size() && is_match(feed, std::string_view(text).substr(row_at)))
      matching.push_back(&feed);
  }
  return matching;
}

}  // namespace meterline::formats
