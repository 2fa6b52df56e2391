#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.h"
#include "api/parameters.h"
#include "core/result.h"
#include "store/visible/visible_store.h"

namespace meterline::api {

/// A request on its way to its route.
struct Call {
  const Request& request;
  const Context& context;
  const std::vector<std::string>& captured;  ///< See Target.
  Parameters parameters;
  const access::Caller* caller = nullptr;  ///< Null: there is no login.
  /// The context's store, where it shows some meters only: those that the caller sees, or of a
  /// group that is asked about; else null. A stream that asks it keeps it.
  std::shared_ptr<const store::VisibleStore> visible = nullptr;
};

/// Answers a call; an error becomes problem details with the status of its code.
using RouteFunction = Result<Response> (*)(const Call& call);

/// Whether a browser asks at `/` for nothing but to be led to the page.
bool leads_to_page(const Request& request);
Result<Response> get_root(const Call& call);  ///< To the page, for a browser; get_daily_sum().
Result<Response> get_page_below(const Call& call);  ///< To the page, which is at `ui/`.
Result<Response> get_page_file(const Call& call);
Result<Response> get_docs_below(const Call& call);  ///< To the reference, which is at `docs/`.
Result<Response> get_docs_file(const Call& call);
Result<Response> get_daily_sum(const Call& call);  ///< The first customer's contract.
Result<Response> get_meters(const Call& call);
Result<Response> get_meter(const Call& call);
Result<Response> get_consumption(const Call& call);
Result<Response> post_batch(const Call& call);  ///< get_consumption() of many meters.
Result<Response> get_export(const Call& call);  ///< A table: what the command line exports.
Result<Response> get_profile(const Call& call);
Result<Response> get_top(const Call& call);
Result<Response> get_compare(const Call& call);
Result<Response> get_meter_compare(const Call& call);
Result<Response> get_time_of_use(const Call& call);
Result<Response> get_base_load(const Call& call);
Result<Response> get_late(const Call& call);
Result<Response> get_portfolio(const Call& call);
Result<Response> get_gaps(const Call& call);
Result<Response> get_meter_gaps(const Call& call);
Result<Response> get_history(const Call& call);
Result<Response> get_registers(const Call& call);
Result<Response> get_changes(const Call& call);
Result<Response> get_groups(const Call& call);
Result<Response> get_group(const Call& call);
Result<Response> post_group(const Call& call);
Result<Response> delete_group(const Call& call);
Result<Response> get_deliveries(const Call& call);
Result<Response> get_delivery(const Call& call);
Result<Response> get_findings(const Call& call);
Result<Response> post_delivery(const Call& call);
Result<Response> post_withdrawal(const Call& call);
Result<Response> delete_withdrawal(const Call& call);
/// The OpenAPI document: of the security schemes only where there is a login.
Result<Response> get_openapi(const Call& call);
Result<Response> get_problems(const Call& call);
Result<Response> get_health(const Call& call);
Result<Response> get_readiness(const Call& call);

enum class Format { json, csv };

/// What the Accept header prefers; JSON when both are as good. Empty when it takes neither.
std::optional<Format> negotiate(const Request& request);
Response not_acceptable();

/// The body gets a line end: what the command line prints, byte for byte.
Response json_response(std::string body);
Response csv_response(std::string body);

/// Of the media types, the one that the Accept header prefers, the first of them where several are
/// as good. Empty when it takes none.
std::optional<std::size_t> preferred(const Request& request,
                                     std::initializer_list<std::string_view> types);

/// The value of a request header, or nothing.
std::string_view header_of(const Request& request, std::string_view name);

}  // namespace meterline::api
