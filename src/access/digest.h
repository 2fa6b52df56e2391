#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::access {

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256. Throws std::bad_alloc where OpenSSL has no memory for it.
Digest sha256(std::string_view bytes);
/// HMAC with SHA-256 (RFC 2104).
Digest hmac_sha256(std::string_view key, std::string_view bytes);

/// In a time that does not depend on where they differ.
bool is_same(const Digest& a, const Digest& b);

/// Hexadecimal digits, lower case.
std::string hex_of(const Digest& digest);
/// Of 64 hexadecimal digits, lower case.
std::optional<Digest> parse_digest(std::string_view hex);

/// From the system's generator for keys.
Result<std::string> random_hex(std::size_t bytes);

/// Base64url without padding (RFC 4648, 5; RFC 7515, 2): nothing but its alphabet, and no bits
/// beyond the last byte.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace meterline::access
