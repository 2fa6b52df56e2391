#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "formats/feed/feed_plan.h"
#include "formats/parser.h"

namespace meterline::formats {

/// Reads rows as a feed describes them: of a column for each interval, or of a reading each. Of the
/// latter, those of a meter, channel and day that stand together make one reading day, which is a
/// row to the sink; a row that is rejected counts for itself, with one slot.
class FeedCsv final : public Parser {
 public:
  explicit FeedCsv(FeedPlan plan) : plan_(std::move(plan)) {}

  std::int64_t parse(const Piece& piece, DaySink& sink) const override;

 private:
  const FeedPlan plan_;
};

/// What is read by a feed, in reports.
inline constexpr std::string_view feed_format_name = "feed";
inline constexpr std::uint32_t feed_reader = 1;

/// How the text of such a file may be cut, where days that name no zone are of `zone`.
Cut feed_cut(const FeedLayout& layout, TimeZone zone);

/// Opens a file by a feed. See Format::open.
Result<Opened> open_feed(const FeedLayout& layout, const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
