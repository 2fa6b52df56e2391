#include "access/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <memory>
#include <new>

#include "core/delivery.h"

namespace meterline::access {
namespace {

constexpr int bits_of_hex = 4;
constexpr int bits_of_base64 = 6;
constexpr int bits_of_byte = 8;

int place_in(std::string_view alphabet, char c) {
  const auto place = alphabet.find(c);
  return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

}  // namespace

/// Each thread keeps what OpenSSL needs: to find and make it costs more than the hash of a key.
Digest sha256(std::string_view bytes) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Digest digest{};
  if (algorithm == nullptr || context == nullptr ||
      EVP_DigestInit_ex(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    throw std::bad_alloc();
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest digest{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(),
           &length) == nullptr)
    throw std::bad_alloc();
  return digest;
}

bool is_same(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hex_of(const Digest& digest) { return hex(digest.data(), digest.size()); }

std::optional<Digest> parse_digest(std::string_view text) {
  Digest digest{};
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = place_in("0123456789abcdef", text[2 * i]);
    const int low = place_in("0123456789abcdef", text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.at(i) = static_cast<std::uint8_t>(high << bits_of_hex | low);
  }
  return digest;
}

Result<std::string> random_hex(std::size_t bytes) {
  std::string random(bytes, '\0');
  auto* const data = reinterpret_cast<unsigned char*>(random.data());
  if (RAND_bytes(data, static_cast<int>(bytes)) != 1)
    return fail(Errc::unavailable, "the system has no random numbers for a key now");
  return hex(data, bytes);
}

std::optional<std::string> from_base64url(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  bytes.reserve(text.size());
  std::uint32_t kept = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = place_in(alphabet, c);
    if (value < 0) return std::nullopt;
    kept = kept << bits_of_base64 | static_cast<std::uint32_t>(value);
    bits += bits_of_base64;
    if (bits < bits_of_byte) continue;
    bits -= bits_of_byte;
    bytes += static_cast<char>(kept >> bits & 0xFF);
    kept &= (std::uint32_t{1} << bits) - 1;
  }
  if (bits >= bits_of_base64 || kept != 0) return std::nullopt;
  return bytes;
}

}  // namespace meterline::access
