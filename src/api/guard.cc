#include "api/guard.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "api/parameters.h"
#include "api/problem.h"
#include "api/routes.h"
#include "core/finding.h"

namespace meterline::api {
namespace {

using Passed = tl::expected<std::shared_ptr<const access::Caller>, Refusal>;

/// Source: RFC 6750 (3), RFC 9110 (11.6.1).
Refusal unauthorized(access::Denial denial) {
  const bool is_missing = denial.reason == access::Denial::Reason::missing;
  return {.status = 401,
          .detail = std::move(denial.detail),
          .headers = {{"WWW-Authenticate",
                       is_missing ? R"(Bearer realm="meterline")"
                                  : R"(Bearer realm="meterline", error="invalid_token")"}}};
}

Refusal too_often(std::int64_t wait_s) {
  return {.status = 429,
          .detail = fmt::format("more is asked with this key than it may: wait {} s", wait_s),
          .headers = {{"Retry-After", std::to_string(wait_s)}}};
}

access::Scope scope_of(Needs needs) {
  switch (needs) {
    case Needs::read:
    case Needs::read_all:
      return access::Scope::read;
    case Needs::upload:
      return access::Scope::upload;
    case Needs::admin:
    case Needs::nothing:
      return access::Scope::admin;
  }
  return access::Scope::admin;
}

std::optional<Refusal> lacking(const access::Caller& caller, Needs needs) {
  const auto scope = scope_of(needs);
  const bool is_half_admin = scope == access::Scope::admin && !caller.sees_all();
  if (!caller.may(scope))
    return Refusal{.status = 403,
                   .detail = fmt::format(
                       "this takes the scope {}, which you do not have{}", access::text_of(scope),
                       is_half_admin ? ": who sees some meters only is no admin" : "")};
  if (needs == Needs::read_all && !caller.sees_all())
    return Refusal{
        .status = 403,
        .detail = "this tells of all meters or of whole files, and you see some meters only"};
  return std::nullopt;
}

tl::unexpected<Refusal> known(std::shared_ptr<const access::Caller> caller, Refusal refusal) {
  refusal.caller = std::move(caller);
  return tl::unexpected(std::move(refusal));
}

/// A question whose meters do not fit into a target changes nothing, either.
bool is_change(const Request& request) {
  return request.target.name() != "batch" && request.method != "GET" && request.method != "HEAD" &&
         request.method != "OPTIONS";
}

/// Whether what the path names is a delivery; what it names else is a meter. The text of a target
/// may have a host before its path, and anything in it percent-encoded.
bool names_delivery(const Target& target) {
  const auto route = target.name();
  return route == "delivery" || route == "withdrawal" || route == "findings";
}

/// The meter that a request is about, as it writes it; empty where it is about none or many.
std::string meter_in(const Request& request) {
  const auto& target = request.target;
  if (target.name() == "group") return {};
  if (!target.captured().empty())
    return names_delivery(target) ? std::string() : target.captured().front();
  const auto parameters = Parameters::parse(split_target(target.text()).query);
  if (!parameters) return {};
  const auto* const name = target.name() == "legacy" ? "meterId" : "meter";
  const auto meter = parameters->find(name);
  return meter ? meter->value_or("") : std::string();
}

std::string delivery_in(const Request& request, const Response& response) {
  constexpr std::string_view place = "/v1/deliveries/";
  const auto made = response.headers.find("Location");
  if (made != response.headers.end() && made->second.starts_with(place))
    return made->second.substr(place.size());
  const auto& target = request.target;
  const bool is_named = names_delivery(target) && !target.captured().empty();
  return is_named ? std::string(excerpt_of(target.captured().front())) : std::string();
}

/// The group that is changed or shown.
std::string group_in(const Request& request) {
  const auto& target = request.target;
  return target.name() == "group" ? std::string(excerpt_of(target.captured().front()))
                                  : std::string();
}

constexpr bool is_refusal(int status) { return status == 401 || status == 403 || status == 429; }

}  // namespace

bool is_from_known_site(const Request& request, const Door* door) {
  if (door == nullptr || door->origins.empty()) return false;
  const auto origin = header_of(request, "origin");
  return !origin.empty() &&
         std::find(door->origins.begin(), door->origins.end(), origin) != door->origins.end();
}

bool is_from_other_site(const Request& request, const Door* door) {
  if (is_from_known_site(request, door)) return false;
  const std::string_view site = header_of(request, "sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string_view origin = header_of(request, "origin");
  if (origin.empty()) return false;
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ||
         origin.substr(scheme + 3) != header_of(request, "host");
}

Passed let_in(const Request& request, const Context& context, Needs needs) {
  const Door* const door = context.door;
  if (door == nullptr || door->is_open() || needs == Needs::nothing) return nullptr;
  auto caller = door->admit(header_of(request, "authorization"), context.now());
  if (!caller) return tl::unexpected(unauthorized(std::move(caller.error())));
  // A POST is asked about twice, and counts once.
  if (door->rate != nullptr && !request.body_is_to_come)
    if (const auto wait_s = door->rate->wait_s((*caller)->who, std::chrono::steady_clock::now()))
      return known(*caller, too_often(*wait_s));
  if (auto refused = lacking(**caller, needs)) return known(*caller, *std::move(refused));
  return *std::move(caller);
}

std::optional<Response> refusal(const Request& request, const Context& context, Needs needs) {
  auto passed = let_in(request, context, needs);
  if (passed) return std::nullopt;
  Response response = problem(passed.error().status, passed.error().detail);
  response.headers.merge(passed.error().headers);
  return response;
}

std::optional<Response> preflight(const Request& request, const Door* door) {
  if (request.method != "OPTIONS" || !is_from_known_site(request, door) ||
      header_of(request, "access-control-request-method").empty())
    return std::nullopt;
  Response response{.status = 204};
  response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, DELETE";
  response.headers["Access-Control-Allow-Headers"] =
      "Authorization, Accept, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id";
  response.headers["Access-Control-Max-Age"] = "600";
  return response;
}

void add_cors(const Request& request, const Door& door, Response& response) {
  if (door.origins.empty()) return;
  std::string& vary = response.headers["Vary"];
  vary += vary.empty() ? "Origin" : ", Origin";
  if (!is_from_known_site(request, &door)) return;
  response.headers["Access-Control-Allow-Origin"] = header_of(request, "origin");
  response.headers["Access-Control-Expose-Headers"] =
      "ETag, Link, Location, Retry-After, X-Request-Id";
}

void audit(const Request& request, const Context& context, const access::Caller* caller,
           Response& response) {
  const Door* const door = context.door;
  if (door == nullptr || door->audit == nullptr || response.status == 100) return;
  const bool refused = is_refusal(response.status);
  if (!refused && !is_change(request) && door->audited == Audited::changes) return;
  const auto method = excerpt_of(request.method);
  const auto meter = meter_in(request);
  const auto delivery = delivery_in(request, response);
  const auto group = group_in(request);
  const access::AuditEvent event{.at = context.now(),
                                 .who = caller == nullptr ? std::string_view() : caller->who,
                                 .method = method,
                                 .route = request.target.name(),
                                 .meter = meter,
                                 .delivery = delivery,
                                 .group = group,
                                 .status = response.status};
  const auto written = refused ? door->audit->add_refusal(event) : door->audit->add(event);
  if (written) return;
  response = problem(503, fmt::format("the audit log cannot be written, and without it there is no "
                                      "answer; what was sent may be sent again: {}",
                                      written.error().message));
}

}  // namespace meterline::api
