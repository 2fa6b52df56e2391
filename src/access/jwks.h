#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace meterline::access {

inline constexpr std::size_t jwks_bytes_max = 1 << 20;
inline constexpr std::size_t jwks_keys_max = 100;

/// How a token is signed (RFC 7518, 3.1; RFC 8037, 3.1); nothing else is taken.
enum class SignedBy { rs256, es256, eddsa };
/// Of an `alg`; empty for all others, `none` and `HS256` among them.
std::optional<SignedBy> parse_algorithm(std::string_view name);

/// A public key that signs tokens.
struct PublicKey {
  std::string id;  ///< `kid`; may be empty.
  SignedBy algorithm = SignedBy::rs256;
  std::shared_ptr<EVP_PKEY> key;
};

/// A set of public keys: JWKS (RFC 7517). Keys that sign by no algorithm of SignedBy are left out:
/// what encrypts, secrets, and RSA below 2048 bits. Errors: `corrupt` where it is no set, or one of
/// its keys is none.
Result<std::vector<PublicKey>> parse_jwks(std::string_view json);

/// Whether `signature` is that of `signed_text`, as RFC 7515 (5.2) has it.
bool is_signature(const PublicKey& key, std::string_view signed_text, std::string_view signature);

}  // namespace meterline::access
