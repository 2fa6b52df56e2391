#pragma once

#include <memory>
#include <string_view>

#include "source/byte_source.h"
#include "source/expand.h"
#include "source/packed_input.h"

/// The decoders that expand() chooses from. Each yields the whole expanded content without a
/// limit, and says how many bytes into the packed input it met what it could not take.
namespace meterline::source {

bool is_gzip(std::string_view head);
bool is_zstd(std::string_view head);
bool is_zip(std::string_view head);

/// RFC 1952, every member. After the last one only zero bytes may follow.
Result<std::unique_ptr<ByteSource>> gunzip(PackedInput input);

/// RFC 8878, every frame, skippable ones included. Windows up to 8 MiB.
Result<std::unique_ptr<ByteSource>> unzstd(PackedInput input);

/// The regular files of a zip; each is checked by its CRC.
Result<Content> unzip(PackedInput input);

}  // namespace meterline::source
