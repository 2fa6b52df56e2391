#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/objects.h"
#include "core/result.h"

namespace meterline::events {

/// An object that came into being, as far as the event tells.
struct CreatedObject {
  aws::ObjectName name;                ///< The key is decoded.
  std::optional<std::uint64_t> bytes;  ///< Its size.
  std::string etag;                    ///< With quotes, as in aws::ObjectFacts; may be empty.
};

/// What a message says of objects in S3.
struct S3Event {
  std::vector<CreatedObject> created;  ///< Each once.
  /// What it says beside, one line each: a test event, a removal.
  std::vector<std::string> ignored;
};

inline constexpr std::size_t event_bytes_max = 1 << 20;  ///< SQS and Lambda carry less.
inline constexpr std::size_t event_objects_max = 1000;

/// Reads a notification of S3 (`{"Records": [...]}`, keys form-encoded), an event of EventBridge
/// (`"source": "aws.s3"`, keys raw), `s3:TestEvent`, or one of these in an envelope of SNS.
/// `refused` for anything else; the message says what was wanted.
/// Source: Amazon S3 User Guide, "Event message structure" 2.x and "Using EventBridge".
Result<S3Event> parse_s3_event(std::string_view json);

}  // namespace meterline::events
