#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::source {

/// How bytes are packed that are sent or written.
enum class Packing : std::uint8_t {
  gzip,  ///< RFC 1952, one member
  zstd,  ///< RFC 8878, one frame with a checksum, a window of 8 MiB at most
};
inline constexpr std::string_view packing_names = "gzip or zstd";

/// As HTTP names it, too.
std::string_view text_of(Packing packing);
std::optional<Packing> parse_packing(std::string_view text);

/// So many bytes are packed at a time. What comes of them can be unpacked without what follows, so
/// that who reads along waits for no more.
inline constexpr std::size_t pack_step_bytes = 256 << 10;

/// Packs a stream of bytes into a sink. Memory does not grow with the stream: it takes what a step
/// is packed to, and at most 4 MB for the packing itself.
///
/// Threads: one at a time.
class Packer {
 public:
  /// Called once for each step.
  using Sink = std::function<Result<void>(std::string_view packed)>;

  /// Errors: `unavailable` where there is no memory for it.
  static Result<std::unique_ptr<Packer>> make(Packing packing, Sink sink);
  virtual ~Packer() = default;
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  /// Any number of bytes. Errors: those of the sink; `unavailable`. Nothing is added after one.
  Result<void> add(std::string_view bytes);
  /// What is left goes to the sink, with the end. Nothing is added afterwards.
  Result<void> finish();

 protected:
  enum class Then { more, flush, end };

  explicit Packer(Sink sink) : sink_(std::move(sink)) {}
  /// Appends to `out` what comes of the bytes; all of it unless more is to come.
  virtual Result<void> pack(std::string_view bytes, Then then, std::string& out) = 0;

 private:
  Result<void> hand_over();

  const Sink sink_;
  std::string out_;
  std::size_t in_step_ = 0;  ///< Bytes that were added to it.
};

/// The whole of a text, packed. Errors: as Packer.
Result<std::string> packed(Packing packing, std::string_view text);

}  // namespace meterline::source
