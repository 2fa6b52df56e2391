#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "formats/feed/feed_layout.h"

namespace meterline::formats {

/// The feeds of feeds/*.toml, which the program carries, by name. Never ends: each lives as long as
/// the program. Threads: any.
const std::vector<FeedLayout>& shipped_feeds();

/// Null when there is none of that name.
const FeedLayout* find_shipped_feed(std::string_view name);

/// Of a name that is none: the names there are.
std::string shipped_feed_names();

/// The shipped feeds to which a file that begins with `head` belongs: each column of its header is
/// one that the feed reads or knows.
std::vector<const FeedLayout*> matching_feeds(std::string_view head);

}  // namespace meterline::formats
