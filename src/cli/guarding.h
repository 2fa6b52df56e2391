#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/audit_log.h"
#include "access/jwt.h"
#include "access/key_keeper.h"
#include "access/rate_limit.h"
#include "api/door.h"
#include "core/result.h"

namespace meterline::cli {

/// Who is let in, as options say it.
struct GuardOptions {
  std::string auth = "none";                 ///< `none`, `keys` or `jwt`
  std::string keys = "meterline-keys.json";  ///< A file, or `ssm:NAME` for a parameter on AWS.
  std::string jwt_issuer;
  std::string jwt_audience;
  std::string jwt_keys;  ///< JWKS: a file or a URL.
  std::string jwt_scope_claim = "scope";
  std::string jwt_meters_claim;  ///< Empty: tokens see all meters.
  int rate_limit = 0;            ///< Requests a second of each caller; 0: no limit.
  std::string audit_log;         ///< A file; empty: none is written.
  bool audit_reads = false;
  std::string cors_origins;  ///< Joined by `,`.

  bool is_open() const { return auth == "none"; }
};

/// Reads a parameter on AWS; null where this program was built without.
using ParameterReader = std::function<Result<std::string>(const std::string& name)>;

/// All that stands behind an api::Door.
class Guard {
 public:
  /// `on_fault` is told of what goes wrong later, from any thread. Errors: `invalid_argument` names
  /// the option; and those of what the options name.
  static Result<std::unique_ptr<Guard>> open(const GuardOptions& options,
                                             std::function<void(std::string_view)> on_fault,
                                             ParameterReader read_parameter = nullptr);

  const api::Door& door() const { return door_; }

  /// Follows keys that change; to be called once a second, by one thread at a time.
  void refresh();
  /// The same for one who is asked only now and then: at most once a minute.
  void refresh_if_old();

 private:
  Guard() = default;
  Result<void> open_keys(const GuardOptions& options, const ParameterReader& read_parameter);
  Result<void> open_tokens(const GuardOptions& options);

  std::function<void(std::string_view)> on_fault_;
  std::unique_ptr<access::KeyKeeper> keys_;
  std::unique_ptr<access::TokenKeeper> tokens_;
  std::unique_ptr<access::RateLimit> rate_;
  std::unique_ptr<access::AuditLog> audit_;
  std::chrono::steady_clock::time_point refreshed_at_;
  api::Door door_;
};

}  // namespace meterline::cli
