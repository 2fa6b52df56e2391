#include "access/jwks.h"

#include <fmt/core.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "access/digest.h"
#include "core/json.h"
#include "core/try.h"

namespace meterline::access {
namespace {

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;
constexpr std::size_t coordinate_bytes = 32;  // Of P-256.
constexpr std::size_t ed25519_bytes = 32;
constexpr char uncompressed_point = 0x04;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* owned) const {
    Free(owned);
  }
};
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using Key = std::shared_ptr<EVP_PKEY>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::optional<std::string> member_bytes(const boost::json::value& key, std::string_view name) {
  const auto text = find_text(key, {name});
  return text ? from_base64url(*text) : std::nullopt;
}

/// Null where they make no key.
Key key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  Key key(made, EVP_PKEY_free);
  const KeyContext checked(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
  if (checked == nullptr || EVP_PKEY_public_check(checked.get()) != 1) return nullptr;
  return key;
}

Key rsa_key(const boost::json::value& json) {
  const auto modulus = member_bytes(json, "n");
  const auto exponent = member_bytes(json, "e");
  if (!modulus || !exponent || modulus->size() > rsa_bits_max / 8 || exponent->size() > 8)
    return nullptr;
  const Number n = number_of(*modulus);
  const Number e = number_of(*exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return key_from("RSA", builder.get());
}

Key p256_key(const boost::json::value& json) {
  const auto x = member_bytes(json, "x");
  const auto y = member_bytes(json, "y");
  if (!x || !y || x->size() != coordinate_bytes || y->size() != coordinate_bytes) return nullptr;
  const std::string point = uncompressed_point + *x + *y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1)
    return nullptr;
  return key_from("EC", builder.get());
}

Key ed25519_key(const boost::json::value& json) {
  const auto x = member_bytes(json, "x");
  if (!x || x->size() != ed25519_bytes) return nullptr;
  return {EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(*x), x->size()),
          EVP_PKEY_free};
}

/// By what a key signs; empty where that is nothing that is taken.
std::optional<SignedBy> algorithm_of(const boost::json::value& json) {
  const auto type = find_text(json, {"kty"}).value_or("");
  const auto curve = find_text(json, {"crv"}).value_or("");
  if (find_text(json, {"use"}).value_or("sig") != "sig") return std::nullopt;
  std::optional<SignedBy> algorithm;
  if (type == "RSA") algorithm = SignedBy::rs256;
  if (type == "EC" && curve == "P-256") algorithm = SignedBy::es256;
  if (type == "OKP" && curve == "Ed25519") algorithm = SignedBy::eddsa;
  const auto named = find_text(json, {"alg"});
  if (named && parse_algorithm(*named) != algorithm) return std::nullopt;
  return algorithm;
}

Key key_of(const boost::json::value& json, SignedBy algorithm) {
  switch (algorithm) {
    case SignedBy::rs256:
      return rsa_key(json);
    case SignedBy::es256:
      return p256_key(json);
    case SignedBy::eddsa:
      return ed25519_key(json);
  }
  return nullptr;
}

/// The two numbers of a signature as OpenSSL wants them (RFC 7518, 3.4; SEC 1, C.5); empty where
/// they are none.
std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * coordinate_bytes) return {};
  Number r = number_of(signature.substr(0, coordinate_bytes));
  Number s = number_of(signature.substr(coordinate_bytes));
  const Signature pair(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || pair == nullptr) return {};
  if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // They are the pair's now.
  static_cast<void>(s.release());
  const int length = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (length <= 0) return {};
  std::string der(static_cast<std::size_t>(length), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

}  // namespace

std::optional<SignedBy> parse_algorithm(std::string_view name) {
  if (name == "RS256") return SignedBy::rs256;
  if (name == "ES256") return SignedBy::es256;
  if (name == "EdDSA") return SignedBy::eddsa;
  return std::nullopt;
}

Result<std::vector<PublicKey>> parse_jwks(std::string_view text) {
  const auto json = parse_json(text, jwks_bytes_max);
  if (!json) return fail(Errc::corrupt, "the set of public keys: " + json.error().message);
  const auto* const list = find_member(*json, {"keys"});
  if (list == nullptr || !list->is_array())
    return fail(Errc::corrupt, "the set of public keys: want a list \"keys\" (RFC 7517)");
  const auto& array = list->get_array();
  if (array.size() > jwks_keys_max)
    return fail(Errc::corrupt,
                fmt::format("the set of public keys has more than {}", jwks_keys_max));
  std::vector<PublicKey> keys;
  keys.reserve(array.size());
  for (const auto& each : array) {
    const auto algorithm = algorithm_of(each);
    if (!algorithm) continue;
    PublicKey key{.id = std::string(find_text(each, {"kid"}).value_or("")),
                  .algorithm = *algorithm,
                  .key = key_of(each, *algorithm)};
    if (key.key == nullptr)
      return fail(Errc::corrupt, "the set of public keys: one that says it signs is no key");
    if (algorithm == SignedBy::rs256 && EVP_PKEY_get_bits(key.key.get()) < rsa_bits_min) continue;
    keys.push_back(std::move(key));
  }
  return keys;
}

bool is_signature(const PublicKey& key, std::string_view signed_text, std::string_view signature) {
  const std::string der = key.algorithm == SignedBy::es256 ? der_of(signature) : std::string();
  const std::string_view given = key.algorithm == SignedBy::es256 ? der : signature;
  if (given.empty()) return false;
  const EVP_MD* const digest = key.algorithm == SignedBy::eddsa ? nullptr : EVP_sha256();
  const DigestContext context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(given), given.size(), bytes_of(signed_text),
                          signed_text.size()) == 1;
}

}  // namespace meterline::access
