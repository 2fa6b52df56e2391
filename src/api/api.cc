#include "api/api.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "api/guard.h"
#include "api/problem.h"
#include "api/routes.h"
#include "core/try.h"

namespace meterline::api {

struct Route {
  std::string_view name;
  std::string_view pattern;  ///< Of a path; `{}` stands for any one segment.
  RouteFunction get;         ///< Answers HEAD as well. Null, as the others: there is none.
  Reads reads;
  RouteFunction post = nullptr;
  RouteFunction remove = nullptr;  ///< DELETE.
  Needs reading = Needs::read;     ///< Of GET and HEAD.
  Needs changing = Needs::admin;   ///< Of POST and DELETE.

  RouteFunction of(std::string_view method) const {
    if (method == "GET" || method == "HEAD") return get;
    if (method == "POST") return post;
    return method == "DELETE" ? remove : nullptr;
  }
  Needs needs_of(std::string_view method) const {
    return method == "GET" || method == "HEAD" ? reading : changing;
  }
  std::string allowed() const {
    std::string methods;
    for (const std::string_view method : {"GET", "HEAD", "POST", "DELETE"})
      if (of(method) != nullptr)
        methods += fmt::format("{}{}", methods.empty() ? "" : ", ", method);
    return methods;
  }
};

namespace {

constexpr std::array routes = {
    Route{"legacy", "/", get_root, Reads::little},
    Route{"page", "/ui", get_page_below, Reads::nothing, nullptr, nullptr, Needs::nothing},
    Route{"page", "/ui/{}", get_page_file, Reads::nothing, nullptr, nullptr, Needs::nothing},
    Route{"docs", "/docs", get_docs_below, Reads::nothing, nullptr, nullptr, Needs::nothing},
    Route{"docs", "/docs/{}", get_docs_file, Reads::nothing, nullptr, nullptr, Needs::nothing},
    Route{"meters", "/v1/meters", get_meters, Reads::some},
    Route{"meter", "/v1/meters/{}", get_meter, Reads::little},
    Route{"consumption", "/v1/meters/{}/consumption", get_consumption, Reads::some},
    Route{"batch", "/v1/consumption:batch", nullptr, Reads::much, post_batch, nullptr, Needs::read,
          Needs::read},
    Route{"export", "/v1/export", get_export, Reads::nothing},
    Route{"profile", "/v1/meters/{}/profile", get_profile, Reads::much},
    Route{"meter_gaps", "/v1/meters/{}/gaps", get_meter_gaps, Reads::some},
    Route{"portfolio", "/v1/portfolio", get_portfolio, Reads::much},
    Route{"top", "/v1/top", get_top, Reads::much},
    Route{"compare", "/v1/compare", get_compare, Reads::much},
    Route{"meter_compare", "/v1/meters/{}/compare", get_meter_compare, Reads::some},
    Route{"time_of_use", "/v1/meters/{}/time-of-use", get_time_of_use, Reads::much},
    Route{"base_load", "/v1/meters/{}/base-load", get_base_load, Reads::much},
    Route{"late", "/v1/late", get_late, Reads::much},
    Route{"history", "/v1/meters/{}/history", get_history, Reads::some},
    Route{"registers", "/v1/meters/{}/registers", get_registers, Reads::some},
    Route{"changes", "/v1/changes", get_changes, Reads::much},
    Route{"gaps", "/v1/gaps", get_gaps, Reads::much},
    Route{"deliveries", "/v1/deliveries", get_deliveries, Reads::some, post_delivery, nullptr,
          Needs::read_all, Needs::upload},
    Route{"delivery", "/v1/deliveries/{}", get_delivery, Reads::some, nullptr, nullptr,
          Needs::read_all},
    Route{"withdrawal", "/v1/deliveries/{}/withdraw", nullptr, Reads::some, post_withdrawal,
          delete_withdrawal},
    Route{"findings", "/v1/deliveries/{}/findings", get_findings, Reads::some, nullptr, nullptr,
          Needs::read_all},
    Route{"groups", "/v1/groups", get_groups, Reads::much, nullptr, nullptr, Needs::read_all},
    Route{"group", "/v1/groups/{}", get_group, Reads::much, post_group, delete_group,
          Needs::read_all},
    Route{"openapi", "/openapi.json", get_openapi, Reads::nothing, nullptr, nullptr,
          Needs::nothing},
    Route{"problems", "/problems", get_problems, Reads::nothing, nullptr, nullptr, Needs::nothing},
    Route{"health", "/healthz", get_health, Reads::nothing, nullptr, nullptr, Needs::nothing},
    // It may open a store again.
    Route{"ready", "/readyz", get_readiness, Reads::some, nullptr, nullptr, Needs::nothing},
};

/// What may be asked about the meters of a group in place of all.
constexpr std::array grouped = {get_meters, get_portfolio, get_top,     get_compare,
                                get_late,   get_gaps,      get_changes, get_export};

bool takes_group(RouteFunction function) {
  return std::find(grouped.begin(), grouped.end(), function) != grouped.end();
}

/// What stood for each `{}`; nothing when the path does not match.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& path) {
  std::vector<std::string> captured;
  std::size_t count = 0;
  if (pattern == "/") pattern = "";
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const std::string_view segment = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(segment.size());
    if (count == path.size()) return std::nullopt;
    if (segment == "{}")
      captured.push_back(path[count]);
    else if (segment != path[count])
      return std::nullopt;
    ++count;
  }
  if (count != path.size()) return std::nullopt;
  return captured;
}

Response wrong_method(const Route& route, std::string_view method) {
  const std::string allowed = route.allowed();
  const std::string detail =
      fmt::format("{} is not for {}, which takes {}", excerpt_of(method), route.pattern, allowed);
  Response response = route.pattern == "/" ? plain_error(405, detail) : problem(405, detail);
  response.headers["Allow"] = allowed;
  return response;
}

/// Whether a page of another site asks behind its visitor's back: it could not read the answer, but
/// could make this server work for it. To follow a link from there is well. The first customer's
/// contract stays as it was.
bool is_asked_by_other_site(const Request& request, const Route& route, const Door* door) {
  return route.pattern != "/" && header_of(request, "sec-fetch-site") == "cross-site" &&
         header_of(request, "sec-fetch-mode") != "navigate" && !is_from_known_site(request, door);
}

/// Why pages of other sites are refused, if one asks.
std::optional<Response> objection_to_site(const Request& request, const Route& route,
                                          const Door* door) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads && is_from_other_site(request, door))
    return problem(403, "Origin: pages of other sites change nothing here");
  if (is_asked_by_other_site(request, route, door))
    return problem(403, "Sec-Fetch-Site: pages of other sites get no answer here");
  return std::nullopt;
}

/// A store of which some meters are seen, and what says which: that stays as long as it is asked.
class Sight {
 public:
  explicit Sight(store::Store& all) : all_(all) {}

  void narrow_to(std::shared_ptr<const MeterFilter> meters) {
    stores_.emplace_back(stores_.empty() ? all_ : stores_.back(), *meters);
    meters_.push_back(std::move(meters));
  }
  store::VisibleStore& narrowed() { return stores_.back(); }

 private:
  store::Store& all_;
  std::vector<std::shared_ptr<const MeterFilter>> meters_;
  std::deque<store::VisibleStore> stores_;  ///< Each shows some of the one before it.
};

/// The meters of a group; none of one that is not there.
Result<std::shared_ptr<const MeterFilter>> meters_of(const access::Groups* groups,
                                                     std::string_view name) {
  static const auto none = std::make_shared<const MeterFilter>();
  if (groups == nullptr) return none;
  const auto group = groups->find(name);
  if (group) return std::shared_ptr<const MeterFilter>(*group, &(*group)->meters);
  if (group.error().code == Errc::not_found) return none;
  return tl::unexpected(group.error());
}

/// As the caller sees the store. He stays known as long as it is asked.
Result<void> narrow_to(Sight& sight, const std::shared_ptr<const access::Caller>& caller,
                       const access::Groups* groups) {
  if (caller->group.empty()) {
    sight.narrow_to(std::shared_ptr<const MeterFilter>(caller, &caller->meters));
    return {};
  }
  METERLINE_TRY(auto meters, meters_of(groups, caller->group));
  sight.narrow_to(std::move(meters));
  return {};
}

/// And of it the group that is asked about.
Result<void> narrow_to(Sight& sight, const std::string& group, const access::Groups* groups) {
  METERLINE_TRY(auto meters, meters_of(groups, group));
  if (meters->parts().empty())
    return fail(Errc::invalid_argument,
                fmt::format("group: no group \"{}\": /v1/groups lists those that are known",
                            excerpt_of(group)));
  sight.narrow_to(std::move(meters));
  return {};
}

/// Calls a route on a store that shows some meters only.
Result<Response> call_narrowed(RouteFunction function, Call call,
                               const std::shared_ptr<Sight>& sight) {
  const Context& context = call.context;
  const Context narrowed = {.store = sight->narrowed(),
                            .ingest = context.ingest,
                            .now = context.now,
                            .stopping = context.stopping,
                            .on_upload = context.on_upload,
                            .door = context.door,
                            .tariffs = context.tariffs,
                            .groups = context.groups,
                            .uploaded = context.uploaded};
  return function(
      {.request = call.request,
       .context = narrowed,
       .captured = call.captured,
       .parameters = std::move(call.parameters),
       .caller = call.caller,
       .visible = std::shared_ptr<const store::VisibleStore>(sight, &sight->narrowed())});
}

/// Calls a route for a caller: who sees or wants some meters only, asks a store that has no others.
Result<Response> call_for(const std::shared_ptr<const access::Caller>& caller,
                          RouteFunction function, const Request& request, const Context& context) {
  METERLINE_TRY(auto parameters, Parameters::parse(split_target(request.target.text()).query));
  std::optional<std::string> group;
  if (takes_group(function)) {
    METERLINE_TRY(group, parameters.find("group"));
  }
  Call call{.request = request,
            .context = context,
            .captured = request.target.captured(),
            .parameters = std::move(parameters),
            .caller = caller.get()};
  const bool sees_all = caller == nullptr || caller->sees_all();
  if (sees_all && !group) return function(call);
  const auto sight = std::make_shared<Sight>(context.store);
  if (!sees_all) METERLINE_CHECK(narrow_to(*sight, caller, context.groups));
  if (group) METERLINE_CHECK(narrow_to(*sight, *group, context.groups));
  return call_narrowed(function, std::move(call), sight);
}

/// Whoever knows no key is led to the page, too, which asks for one.
Needs needs_of(const Request& request, const Route& route) {
  const bool is_led = route.get == get_root && leads_to_page(request);
  return is_led ? Needs::nothing : route.needs_of(request.method);
}

/// In the form of the route's contract.
Response told_by(const Route& route, int status, std::string_view detail) {
  return route.pattern == "/" ? plain_error(status, detail) : problem(status, detail);
}

Response answer(const Request& request, const Context& context,
                std::shared_ptr<const access::Caller>& caller) {
  const auto& target = request.target;
  if (target.text().size() > target_bytes_max)
    return problem(414, fmt::format("the path and query have {} bytes, at most {} are taken",
                                    target.text().size(), target_bytes_max));
  if (target.fault()) return problem(400, target.fault()->message);
  const Route* const route = target.route();
  if (route == nullptr)
    return problem(404, fmt::format("nothing is at {}; /v1/meters is a place to begin",
                                    excerpt_of(split_target(target.text()).path)));
  if (auto told = preflight(request, context.door)) return *std::move(told);
  const RouteFunction function = route->of(request.method);
  if (function == nullptr) return wrong_method(*route, request.method);
  if (auto refused = objection_to_site(request, *route, context.door)) return *std::move(refused);
  auto passed = let_in(request, context, needs_of(request, *route));
  if (!passed) {
    auto response = told_by(*route, passed.error().status, passed.error().detail);
    response.headers.merge(passed.error().headers);
    caller = std::move(passed.error().caller);
    return response;
  }
  caller = *std::move(passed);
  auto response = call_for(caller, function, request, context);
  if (response) return *std::move(response);
  auto told = told_by(*route, status_of(response.error().code), response.error().message);
  if (response.error().code == Errc::unavailable) told.headers["Retry-After"] = "10";
  return told;
}

/// Each thread keeps what OpenSSL needs: to find and make it costs more than hashing an answer.
std::string etag_of(std::string_view body) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  if (sha256 == nullptr || context == nullptr ||
      EVP_DigestInit_ex(context.get(), sha256, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), body.data(), body.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    return {};
  return '"' + hex(digest.data(), 16) + '"';
}

/// Whether If-None-Match names the tag, by the weak comparison of RFC 9110 (13.1.2).
bool names_tag(std::string_view if_none_match, std::string_view etag) {
  if (if_none_match == "*") return true;
  return !etag.empty() && if_none_match.find(etag) != std::string_view::npos;
}

void add_etag(const Request& request, Response& response) {
  if (!response.headers.contains("ETag")) {
    const std::string made = etag_of(response.body);
    if (made.empty()) return;
    response.headers["ETag"] = made;
    response.headers["Cache-Control"] = "no-cache";
    response.headers["Vary"] = "Accept";
  }
  if (!names_tag(header_of(request, "if-none-match"), response.headers["ETag"])) return;
  response.status = 304;
  response.body.clear();
}

/// Whether a query may have the parameter `to`, perhaps with its name percent-encoded.
bool may_have_end(std::string_view query) {
  return query.find("to=") != std::string_view::npos || query.find('%') != std::string_view::npos;
}

/// Whether a query may ask for a point for each interval or hour, of which an answer may have many.
bool may_be_fine(std::string_view query) {
  return query.find("resolution=interval") != std::string_view::npos ||
         query.find("resolution=hour") != std::string_view::npos ||
         query.find('%') != std::string_view::npos;
}

/// Whether a query may ask for a table whose columns are found out before it begins.
bool may_be_wide(std::string_view query) {
  return query.find("wide=true") != std::string_view::npos ||
         query.find('%') != std::string_view::npos;
}

}  // namespace

Target::Target(std::string text) : text_(std::move(text)) {
  if (text_.size() > target_bytes_max) return;
  const auto path = decode_path(split_target(text_).path);
  if (!path) {
    fault_ = path.error();
    return;
  }
  for (const Route& route : routes)
    if (auto captured = match(route.pattern, *path)) {
      route_ = &route;
      captured_ = *std::move(captured);
      return;
    }
}

std::string_view Target::name() const { return route_ == nullptr ? "unknown" : route_->name; }

Reads Target::reads() const {
  if (route_ == nullptr) return Reads::nothing;
  const auto query = split_target(text_).query;
  if (route_->get == get_export && may_be_wide(query)) return Reads::much;
  if (route_->get != get_consumption) return route_->reads;
  if (!may_have_end(query)) return Reads::little;
  return may_be_fine(query) ? Reads::much : Reads::some;
}

Response handle(const Request& request, const Context& context) {
  std::shared_ptr<const access::Caller> caller;
  Response response = answer(request, context, caller);
  const bool is_reading = request.method == "GET" || request.method == "HEAD";
  if (context.door != nullptr) audit(request, context, caller.get(), response);
  if (response.status == 200 && is_reading && !response.stream) add_etag(request, response);
  if (context.door != nullptr) add_cors(request, *context.door, response);
  return response;
}

Response in_one_piece(Response response, std::size_t bytes_max) {
  if (!response.stream) return response;
  const auto make = std::exchange(response.stream, nullptr);
  bool is_too_long = false;
  const auto made = make([&](std::string_view piece) -> Result<void> {
    is_too_long = piece.size() > bytes_max - response.body.size();
    if (is_too_long) return fail(Errc::too_large, "the answer is too long");
    response.body += piece;
    return {};
  });
  if (made) return response;
  if (is_too_long)
    return problem(413, fmt::format("the answer has more than {} bytes, which is all that can be "
                                    "sent from here: ask for less",
                                    bytes_max));
  return problem(status_of(made.error().code), made.error().message);
}

std::vector<RouteInfo> all_routes() {
  std::vector<RouteInfo> infos;
  infos.reserve(routes.size());
  for (const Route& route : routes)
    infos.push_back({.name = route.name, .pattern = route.pattern, .methods = route.allowed()});
  return infos;
}

Result<Response> get_health(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  return json_response(R"({"status":"ok"})");
}

Result<Response> get_readiness(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  const auto* stopping = call.context.stopping;
  if (stopping != nullptr && stopping->load()) return problem(503, "this server is stopping");
  const auto ready = call.context.store.ready();
  if (!ready) return problem(503, ready.error().message);
  return json_response(R"({"status":"ready"})");
}

}  // namespace meterline::api
