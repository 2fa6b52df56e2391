#pragma once

#include <span>
#include <string_view>

namespace meterline::formats {

struct FeedSource {
  std::string_view name;
  std::string_view toml;
};

/// What feeds/*.toml say, ascending by name: CMake writes the source of it (cmake/Feeds.cmake).
std::span<const FeedSource> feed_sources();

}  // namespace meterline::formats
