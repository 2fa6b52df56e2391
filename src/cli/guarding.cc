#include "cli/guarding.h"

#include <fmt/core.h>

#include <utility>

#include "access/small_file.h"
#include "cli/clock.h"
#include "cli/keys.h"
#include "core/try.h"
#include "http/fetch.h"

namespace meterline::cli {
namespace {

constexpr std::string_view parameter_scheme = "ssm:";
constexpr std::chrono::seconds refresh_step{60};

/// An origin as browsers write it (RFC 6454, 6.2): no path, no end slash.
Result<void> check_origin(std::string_view origin) {
  const auto scheme = origin.find("://");
  const bool is_web = origin.starts_with("https://") || origin.starts_with("http://");
  const bool has_host = is_web && origin.size() > scheme + 3;
  if (has_host && origin.find_first_of("/*? ,", scheme + 3) == std::string_view::npos) return {};
  return fail(Errc::invalid_argument,
              fmt::format("--cors-origin: want an origin like https://app.example.com, got \"{}\"",
                          origin));
}

Result<void> check_given(std::string_view option, const std::string& text) {
  if (!text.empty()) return {};
  return fail(Errc::invalid_argument, fmt::format("--auth jwt: {} is missing", option));
}

}  // namespace

Result<std::unique_ptr<Guard>> Guard::open(const GuardOptions& options,
                                           std::function<void(std::string_view)> on_fault,
                                           const ParameterReader& read_parameter) {
  std::unique_ptr<Guard> guard(new Guard);
  guard->on_fault_ = std::move(on_fault);
  guard->door_.origins = split_list(options.cors_origins);
  for (const auto& origin : guard->door_.origins) METERLINE_CHECK(check_origin(origin));
  if (options.auth == "keys") METERLINE_CHECK(guard->open_keys(options, read_parameter));
  if (options.auth == "jwt") METERLINE_CHECK(guard->open_tokens(options));
  if (options.rate_limit > 0) {
    if (options.is_open())
      return fail(Errc::invalid_argument,
                  "--rate-limit is for each key: with --auth none nobody has one");
    guard->rate_ = std::make_unique<access::RateLimit>(options.rate_limit);
    guard->door_.rate = guard->rate_.get();
  }
  if (!options.audit_log.empty()) {
    METERLINE_TRY(guard->audit_, access::AuditLog::open(options.audit_log));
    guard->door_.audit = guard->audit_.get();
    guard->door_.audited = options.audit_reads ? api::Audited::everything : api::Audited::changes;
  }
  guard->refreshed_at_ = std::chrono::steady_clock::now();
  return guard;
}

Result<void> Guard::open_keys(const GuardOptions& options, const ParameterReader& read_parameter) {
  access::KeySource source;
  if (options.keys.starts_with(parameter_scheme)) {
    if (!read_parameter)
      return fail(Errc::invalid_argument,
                  "--keys ssm:NAME: parameters on AWS are for `meterline lambda api`; give a file");
    const auto name = options.keys.substr(parameter_scheme.size());
    source.read = [name, read_parameter]() -> Result<std::vector<access::KeyRecord>> {
      METERLINE_TRY(const auto text, read_parameter(name));
      return access::parse_keys(text);
    };
  } else {
    source = access::source_of_file(options.keys);
  }
  source.on_fault = on_fault_;
  auto keeper = access::KeyKeeper::open(std::move(source));
  if (!keeper && keeper.error().code == Errc::not_found)
    return fail(Errc::not_found,
                fmt::format("{}; `meterline keys create` makes one", keeper.error().message));
  METERLINE_TRY(keys_, std::move(keeper));
  door_.admit = [keys = keys_.get()](std::string_view authorization, Instant at) {
    return keys->admit(authorization, at);
  };
  return {};
}

Result<void> Guard::open_tokens(const GuardOptions& options) {
  METERLINE_CHECK(check_given("--jwt-issuer", options.jwt_issuer));
  METERLINE_CHECK(check_given("--jwt-audience", options.jwt_audience));
  METERLINE_CHECK(check_given("--jwt-keys", options.jwt_keys));
  access::TokenKeeper::Options tokens{.rules = {.issuer = options.jwt_issuer,
                                                .audience = options.jwt_audience,
                                                .scope_claim = options.jwt_scope_claim,
                                                .meters_claim = options.jwt_meters_claim},
                                      .read = {},
                                      .on_fault = on_fault_};
  const std::string& place = options.jwt_keys;
  if (place.find("://") != std::string::npos) {
    METERLINE_CHECK(http::check_fetch_url(place));
    tokens.read = [place] { return http::fetch(place, {.bytes_max = access::jwks_bytes_max}); };
  } else {
    tokens.read = [place] { return access::read_small_file(place, access::jwks_bytes_max); };
  }
  METERLINE_TRY(tokens_, access::TokenKeeper::open(std::move(tokens), now()));
  door_.admit = [keeper = tokens_.get()](std::string_view authorization, Instant at) {
    return keeper->admit(authorization, at);
  };
  return {};
}

void Guard::refresh() {
  if (keys_) keys_->refresh(now());
  if (tokens_) tokens_->refresh(now());
}

void Guard::refresh_if_old() {
  const auto at = std::chrono::steady_clock::now();
  if (at - refreshed_at_ < refresh_step) return;
  refreshed_at_ = at;
  refresh();
}

}  // namespace meterline::cli
