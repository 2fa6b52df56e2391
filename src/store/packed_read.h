#pragma once

#include <string>
#include <string_view>

#include "core/register_read.h"
#include "core/result.h"

namespace meterline::store {

/// The bytes of a register read: everything but its meter, its register and its time. docs/store.md
/// has the layout with a worked example. The first byte is the format number.
inline constexpr unsigned char packed_read_format = 1;
/// No packed read is longer.
inline constexpr std::size_t packed_read_bytes_max = 4096;

/// Appends the packed read to `out`. `fault_of(read)` is empty. Equal reads give equal bytes.
void pack_read(const RegisterRead& read, std::string& out);

/// Fills in the rest of `read`, whose meter, register and time are set.
/// Errors: `corrupt` when the bytes are no packed read, or are of a newer format; never reads past
/// the end, whatever the bytes are.
Result<void> unpack_read(std::string_view packed, RegisterRead& read);

}  // namespace meterline::store
