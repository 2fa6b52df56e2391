#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/delivery.h"
#include "core/result.h"

namespace meterline::source {

/// What some sources tell of their bytes only once they are opened.
struct Origin {
  Instant delivered_at;        ///< Of these very bytes.
  std::string object_version;  ///< See Delivery::object_version.
  std::string content_tag;     ///< See Delivery::content_tag.
};

/// A stream of bytes, read once from start to end.
///
/// Threads: one at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Where it is known, it stands in for what Incoming says.
  virtual std::optional<Origin> origin() const { return std::nullopt; }

  /// Fills the start of `into` and returns how many bytes; 0 at the end, and only there.
  /// `into` must not be empty. Errors: `unavailable`, `corrupt` or `too_large`.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

/// Bytes that stand in memory; `text` must outlive the source.
std::unique_ptr<ByteSource> make_memory_source(std::string_view text);

/// A file received, not read yet.
struct Incoming {
  std::string source;  ///< Where it comes from; see Delivery::source.
  Instant delivered_at;
  bool is_redated = false;  ///< Whether somebody gave it another delivery time than its source.
  std::optional<std::uint64_t> bytes;  ///< Its size, where it is known before it is read.
  std::string content_tag = {};  ///< See Delivery::content_tag; where known before it is read.
  /// Opens the bytes anew from the start; may be called once only if `bytes` is empty.
  std::function<Result<std::unique_ptr<ByteSource>>()> open;
};

/// The same, but delivered at `at`, whatever its source says.
Incoming redated(Incoming incoming, Instant at);

}  // namespace meterline::source
