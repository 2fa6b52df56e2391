// Any bytes at all: an event is read or refused, and what is read keeps the limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "events/s3_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto event = meterline::events::parse_s3_event(text);
  if (!event) return 0;
  if (event->created.size() > meterline::events::event_objects_max) std::abort();
  for (const auto& [name, bytes, etag] : event->created)
    if (name.bucket.empty() || name.key.empty() || name.key.size() > 1024) std::abort();
  return 0;
}
