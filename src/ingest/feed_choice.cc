#include "ingest/feed_choice.h"

#include <fmt/format.h>

#include <utility>

#include "core/finding.h"
#include "core/try.h"
#include "formats/feed/long_csv.h"
#include "formats/feed/shipped_feeds.h"
#include "ingest/content_hash.h"

namespace meterline::ingest {

FeedChoice FeedChoice::automatic() {
  FeedChoice choice;
  choice.is_automatic_ = true;
  return choice;
}

Result<FeedChoice> FeedChoice::shipped(std::string_view name) {
  const auto* const feed = formats::find_shipped_feed(name);
  if (feed == nullptr)
    return fail(Errc::invalid_argument,
                fmt::format("there is no feed `{}`: want auto, or one of {}", excerpt_of(name),
                            formats::shipped_feed_names()));
  FeedChoice choice;
  choice.layout_ = std::make_shared<formats::FeedLayout>(*feed);
  return choice;
}

Result<FeedChoice> FeedChoice::described(std::string_view toml, std::string_view name) {
  METERLINE_TRY(auto feed, formats::parse_feed(toml, name));
  FeedChoice choice;
  choice.layout_ = std::make_shared<formats::FeedLayout>(std::move(feed));
  return choice;
}

const formats::FeedLayout* FeedChoice::layout_for(std::string_view head) const {
  if (!is_automatic_) return layout_.get();
  const auto matching = formats::matching_feeds(head);
  return matching.size() == 1 ? matching.front() : nullptr;
}

std::optional<Feed> FeedChoice::identity() const {
  return identity_by(layout_.get(), formats::long_csv_name);
}

std::optional<Feed> FeedChoice::identity_by(const formats::FeedLayout* layout,
                                            std::string_view format) const {
  if (layout == nullptr && !hints_.is_given()) return std::nullopt;
  Sha256 hash;
  if (layout != nullptr) hash.add(layout->text);
  if (hints_.is_given())
    hash.add(fmt::format("{}{}{}{}{}{}{}{}", '\0', hints_.meter, '\0', hints_.stamp, '\0',
                         hints_.dates, '\0', hints_.step));
  return Feed{.name = layout != nullptr ? layout->name : std::string(format),
              .hash = hash.finish()};
}

bool FeedChoice::reads_alike(const std::optional<Feed>& feed) const {
  const std::string_view name = feed ? feed->name : std::string_view();
  return feed ==
         identity_by(is_automatic_ ? formats::find_shipped_feed(name) : layout_.get(), name);
}

}  // namespace meterline::ingest
