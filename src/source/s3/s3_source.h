#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/objects.h"
#include "core/result.h"
#include "source/byte_source.h"

namespace meterline::source {

/// `s3://bucket/prefix` taken apart; the prefix may be empty. It stands as keys do: nothing in it
/// is decoded.
struct S3Url {
  std::string bucket;
  std::string prefix;
  bool operator==(const S3Url&) const = default;
};
/// Empty when `text` does not begin with `s3://`; an error when it does and is none.
Result<std::optional<S3Url>> parse_s3_url(std::string_view text);

/// An object as a delivery: its source is `s3://bucket/key`, and the time of its delivery is the
/// Last-Modified of the response that brings its bytes (ByteSource::origin).
/// The object is not asked for before it is opened, and every opening after the first gets the
/// same bytes or fails `unavailable`. `objects` is shared with what is opened.
///
/// Threads: opened by one at a time.
Incoming object_delivery(std::shared_ptr<aws::Objects> objects, aws::ObjectName name);

/// Objects of one listing, with their sizes and ETags.
inline constexpr std::size_t objects_max = 1'000'000;

/// Everything below `url`, as deliveries in the order of their keys; what names a folder (ends in
/// `/`) or is empty is left out. Some 500 bytes of memory each.
/// Errors: `invalid_argument` when there is none, `too_large` above objects_max, those of S3.
Result<std::vector<Incoming>> list_objects(const std::shared_ptr<aws::Objects>& objects,
                                           const S3Url& url);

using BatchVisitor = std::function<Result<void>(std::vector<Incoming> batch)>;

/// The same, any number of them, a batch of at most `batch_max` at a time. None is no error. An
/// error from the visitor ends the listing and is returned.
Result<void> visit_objects(const std::shared_ptr<aws::Objects>& objects, const S3Url& url,
                           std::size_t batch_max, const BatchVisitor& visit);

}  // namespace meterline::source
