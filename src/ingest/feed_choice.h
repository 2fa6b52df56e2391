#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/delivery.h"
#include "core/result.h"
#include "formats/feed/feed_layout.h"
#include "formats/parser.h"

namespace meterline::ingest {

/// By which description of their layout files are read, and what is said of them beside it.
/// Copies share the description.
class FeedChoice {
 public:
  /// None: each file is recognised.
  FeedChoice() = default;
  /// The shipped feed whose columns a file has; where none has them, the file is recognised.
  static FeedChoice automatic();
  /// Errors: `invalid_argument`, with the names that there are.
  static Result<FeedChoice> shipped(std::string_view name);
  /// Errors: those of formats::parse_feed().
  static Result<FeedChoice> described(std::string_view toml, std::string_view name);

  bool is_automatic() const { return is_automatic_; }
  /// Null where files are recognised.
  const formats::FeedLayout* layout() const { return layout_.get(); }
  void take(formats::ReadHints hints) { hints_ = std::move(hints); }
  const formats::ReadHints& hints() const { return hints_; }

  /// The feed for a file that begins with `head`; null where it is recognised.
  const formats::FeedLayout* layout_for(std::string_view head) const;
  /// What a delivery that is read so keeps before its format is known; empty where nothing is said
  /// of it.
  std::optional<Feed> identity() const;
  /// The same, of a file that was found to be of `layout`, or else, where that is null, of the
  /// format of that name.
  std::optional<Feed> identity_by(const formats::FeedLayout* layout, std::string_view format) const;
  /// Whether a delivery was read as it would be now.
  bool reads_alike(const std::optional<Feed>& feed) const;

 private:
  std::shared_ptr<const formats::FeedLayout> layout_;
  bool is_automatic_ = false;
  formats::ReadHints hints_;
};

}  // namespace meterline::ingest
