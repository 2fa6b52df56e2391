#pragma once

#include <cstdint>
#include <memory>

#include "source/byte_source.h"

namespace meterline::source {

/// A limit against files that expand without end: 64 GiB.
inline constexpr std::uint64_t expanded_bytes_max_default = std::uint64_t{64} << 30;

struct ExpandOptions {
  std::uint64_t expanded_bytes_max = expanded_bytes_max_default;
};

/// The content of `packed`: expanded when its first bytes say that it is gzip (RFC 1952: all
/// members, length and CRC checked), zstd (RFC 8878: all frames, checksum checked where there
/// is one) or a zip with one file in it; else as it is.
///
/// Reads of it give `corrupt` for damaged or cut compressed data, `too_large` beyond the
/// limit, `refused` for a zip with no file or several.
Result<std::unique_ptr<ByteSource>> expand(std::unique_ptr<ByteSource> packed,
                                           ExpandOptions options = {});

}  // namespace meterline::source
