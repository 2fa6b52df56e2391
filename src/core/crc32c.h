#pragma once

#include <cstdint>
#include <string_view>

namespace meterline {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of all that came before, of which it is `crc`, and
/// `bytes`; of nothing it is 0. By the processor's own instruction, where has_crc32c_instruction().
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

/// Without it crc32c() goes byte by byte.
bool has_crc32c_instruction();

}  // namespace meterline
