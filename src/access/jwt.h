#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "access/jwks.h"
#include "access/published.h"

namespace meterline::access {

inline constexpr std::size_t token_bytes_max = 12 << 10;
/// Clocks differ: a token counts so long before its time and after it.
inline constexpr std::int64_t token_leeway_s = 60;
/// Public keys that could not be confirmed for so long are forgotten.
inline constexpr std::int64_t jwks_age_s_max = 24 * 3600;

struct TokenRules {
  std::string issuer;    ///< `iss` is this.
  std::string audience;  ///< `aud` is this, or has it.
  /// Names what the token may do: a text of words or a list, of `read` or `meterline:read`, and so
  /// on; others are for somebody else.
  std::string scope_claim = "scope";
  /// Names the meters that it may see, see Caller::see(); a token without it sees none.
  /// Empty: tokens see all meters.
  std::string meters_claim;
};

/// Whose a token is: a JWT (RFC 7519) signed by one of the keys. `kid` only chooses among them, and
/// nothing else of its header is heeded but `alg`, which must be that of the key.
Admission check_token(std::string_view token, const std::vector<PublicKey>& keys,
                      const TokenRules& rules, Instant now);

/// Lets in those who have such a token, and follows the set of keys where it changes.
///
/// Threads: admit() on any, refresh() on one.
class TokenKeeper {
 public:
  struct Options {
    TokenRules rules;
    std::function<Result<std::string>()> read;  ///< The set of keys, JWKS. May take seconds.
    std::function<void(std::string_view)> on_fault;
  };
  /// Errors: those of reading the set.
  static Result<std::unique_ptr<TokenKeeper>> open(Options options, Instant now);

  Admission admit(std::string_view authorization, Instant now) const;

  /// Reads the set again every five minutes, and sooner, but at most twice a minute, where a token
  /// was refused: its key may be a new one. A set that cannot be read leaves the last one as it
  /// was, up to jwks_age_s_max.
  void refresh(Instant now);

 private:
  explicit TokenKeeper(Options options) : options_(std::move(options)) {}
  Result<void> read(Instant now);

  const Options options_;
  Published<std::vector<PublicKey>> keys_{std::make_shared<const std::vector<PublicKey>>()};
  mutable std::atomic<bool> is_missed_ = false;  ///< A token was refused.
  Instant tried_at_;
  Instant read_at_;
  std::string fault_;
};

}  // namespace meterline::access
