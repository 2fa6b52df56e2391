#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "source/byte_source.h"

namespace meterline::source {

/// Packed bytes on their way into a decoder: a buffer that knows how far into the input it is.
class PackedInput {
 public:
  explicit PackedInput(std::unique_ptr<ByteSource> source);

  /// Bytes read and not consumed yet; valid until the next call of a member that is not const.
  std::string_view pending() const { return {buffer_.data() + begin_, end_ - begin_}; }

  /// Reads more behind what is pending, which must leave room for it. False at the end.
  Result<bool> refill();

  /// Reads until `count` bytes are pending, or fewer if the input is shorter.
  Result<void> want(std::size_t count);

  void consume(std::size_t count);

  std::uint64_t offset() const { return offset_; }  ///< Bytes consumed so far.

  /// The rest, as it is: first what is pending, then straight from below.
  Result<std::size_t> read(std::span<char> into);

 private:
  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace meterline::source
