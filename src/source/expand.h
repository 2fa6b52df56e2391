#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "source/byte_source.h"

namespace meterline::source {

/// A limit against files that expand without end: 64 GiB.
inline constexpr std::uint64_t expanded_bytes_max_default = std::uint64_t{64} << 30;

struct ExpandOptions {
  std::uint64_t expanded_bytes_max = expanded_bytes_max_default;
};

/// A zip has no more files than this.
inline constexpr int zip_files_max = 600;

/// The files in a zip, one after the other.
class ZipFiles {
 public:
  virtual ~ZipFiles() = default;
  /// Of the file that is read: as the zip has it, without control characters, and up to 255 bytes.
  /// It is no path. Another file may have the same.
  virtual const std::string& name() const = 0;
  /// Goes on to the next file, once this one was read to its end; false when there is none. Errors:
  /// `corrupt` for what is between them, `refused` for one that is encrypted or one too many.
  virtual Result<bool> next() = 0;
};

struct Content {
  std::unique_ptr<ByteSource> bytes;  ///< Of a zip: those of one file, up to its end.
  ZipFiles* zip = nullptr;            ///< Where it is one; lives as long as `bytes`.
};

/// The content of `packed`: expanded when its first bytes say that it is gzip (RFC 1952: all
/// members, length and CRC checked), zstd (RFC 8878: all frames, checksum checked where there
/// is one) or a zip; else as it is.
///
/// Reads of it give `corrupt` for damaged or cut compressed data, `too_large` beyond the limit,
/// which the files of a zip share, `refused` for a zip with no file. What is wrong behind the first
/// file of a zip is wrong with that one; behind the others next() tells.
Result<Content> expand(std::unique_ptr<ByteSource> packed, ExpandOptions options = {});

}  // namespace meterline::source
