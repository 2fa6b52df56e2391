#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/instant.h"
#include "core/meter_filter.h"
#include "core/result.h"

namespace meterline::access {

/// What somebody may do. `admin` may do what the others may, and take deliveries back.
enum class Scope : std::uint8_t { read = 1, upload = 2, admin = 4 };
std::string_view text_of(Scope scope);
std::optional<Scope> parse_scope(std::string_view text);
inline constexpr std::string_view scope_names = "read, upload or admin";
inline constexpr std::initializer_list<Scope> all_scopes = {Scope::read, Scope::upload,
                                                            Scope::admin};

class Scopes {
 public:
  Scopes() = default;
  void add(Scope scope) { bits_ |= static_cast<std::uint8_t>(scope); }
  /// Whether it was added.
  bool has(Scope scope) const { return (bits_ & static_cast<std::uint8_t>(scope)) != 0; }
  bool operator==(const Scopes&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

/// Somebody who was let in.
struct Caller {
  std::string who;  ///< For logs: `key:1f00c0ffee00`, `jwt:SUBJECT`. No secret.
  Scopes scopes;
  MeterFilter meters;  ///< That he may see; none where a group says it.
  std::string group;   ///< Whose meters he may see, as it is when he asks; empty: none's.

  bool sees_all() const { return group.empty() && meters.is_all(); }
  /// Says which meters he may see: patterns as MeterFilter::parse() takes them, or `@NAME` alone
  /// for those of a group. Errors: those of parse(); `invalid_argument`.
  Result<void> see(std::span<const std::string> patterns);
  /// Nobody who sees some meters only is an admin.
  bool may(Scope scope) const {
    return (scopes.has(Scope::admin) && sees_all()) || (scope != Scope::admin && scopes.has(scope));
  }
};

/// Why somebody was not let in.
struct Denial {
  enum class Reason {
    missing,  ///< He did not say who he is.
    invalid,  ///< What he said is not so, or not any more.
  };
  Reason reason = Reason::invalid;
  std::string detail;  ///< For him: what to do, and nothing that helps to guess.
};
using Admission = tl::expected<std::shared_ptr<const Caller>, Denial>;

/// Tells who sends an Authorization header, which may be empty. It may be called from many threads
/// at once, and takes neither a lock nor a file.
using Admit = std::function<Admission(std::string_view authorization, Instant now)>;

/// The token of `Bearer TOKEN` (RFC 6750, 2.1); else why there is none.
tl::expected<std::string_view, Denial> bearer_token(std::string_view authorization);

}  // namespace meterline::access
