#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/groups.h"
#include "api/door.h"
#include "core/instant.h"
#include "core/result.h"
#include "core/stop.h"
#include "ingest/ingest.h"
#include "query/tariff.h"
#include "source/byte_source.h"
#include "store/store.h"

namespace meterline::api {

/// What the answer to a GET or HEAD needs of the store.
enum class Reads {
  nothing,
  little,  ///< About one meter, with the days of one date at most.
  some,    ///< About one meter, or a page of a list.
  much,    ///< About all meters, or in small steps.
};

struct Route;
class RememberedAnswers;

/// What a request is for, and the route that it belongs to, which is looked for once.
class Target {
 public:
  Target() = default;
  /// A path and query, still percent-encoded: `/v1/meters?limit=5`.
  Target(std::string text);

  const std::string& text() const { return text_; }
  /// The route as a short closed list for logs and metrics: `consumption`, `legacy`, `deliveries`,
  /// ..., `unknown`.
  std::string_view name() const;
  Reads reads() const;

  const Route* route() const { return route_; }  ///< Null: there is none.
  /// What stood for each `{}` of the route's pattern.
  const std::vector<std::string>& captured() const { return captured_; }
  const std::optional<Error>& fault() const { return fault_; }  ///< Of the path.

 private:
  std::string text_;
  const Route* route_ = nullptr;
  std::vector<std::string> captured_;
  std::optional<Error> fault_;
};

/// An HTTP request as plain values, whoever received it.
struct Request {
  std::string method;  ///< `GET`, upper case.
  Target target;
  std::map<std::string, std::string, std::less<>> headers;  ///< Names in lower case.
  /// The body, for POST: opens it from the start; may be called repeatedly. Null: no body.
  std::function<Result<std::unique_ptr<source::ByteSource>>()> body;
  std::uint64_t body_bytes = 0;
  /// Only the header has come, and body_bytes is what it says of the body, 0 if nothing: the answer
  /// has status 100 where the body is wanted, and else tells why it is not. Asked for POST only.
  bool body_is_to_come = false;
  StopFlag stop = nullptr;  ///< Set when nobody waits for the answer any more.
};

/// Makes a body piece by piece. What the sink refuses is passed on: nobody waits for the rest.
using BodySink = std::function<Result<void>(std::string_view piece)>;
using BodyStream = std::function<Result<void>(const BodySink& sink)>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers = {};  ///< Beside content type and length.
  /// Null, or makes the body in place of `body`: called once at most, from any thread, while the
  /// context and the request are there. When it fails, the answer is cut off, so that nobody takes
  /// a part for the whole.
  BodyStream stream = nullptr;
};

/// The answer in one piece, for whoever sends none in parts: a stream becomes its body. 413 where
/// that has more bytes than `bytes_max`; where it fails, the status of the error.
Response in_one_piece(Response response, std::size_t bytes_max);

/// What the routes work on. All must outlive the Api.
struct Context {
  store::Store& store;
  ingest::IngestOptions ingest;
  std::function<Instant()> now;                          ///< The receipt time of uploads.
  const std::atomic<bool>* stopping = nullptr;           ///< true: /readyz answers 503.
  std::function<void(const DeliveryReport&)> on_upload;  ///< Told of each; from any thread.
  const Door* door = nullptr;                            ///< Null: everybody may do everything.
  const query::Tariffs* tariffs = nullptr;               ///< That are known by name; null: none.
  const access::Groups* groups = nullptr;                ///< Null: there are none.
  RememberedAnswers* uploaded = nullptr;  ///< By Idempotency-Key. Null: none is remembered.
};

/// Answers every route of the HTTP API; docs/use/http-api.md describes them. Never throws.
///
/// Threads: may be called from many threads at once.
Response handle(const Request& request, const Context& context);

/// Why a request that is no route's own is refused to who sends it; nothing where he may ask.
std::optional<Response> refusal(const Request& request, const Context& context, Needs needs);

/// The pattern of every route, and the methods that it takes.
struct RouteInfo {
  std::string_view name;
  std::string_view pattern;  ///< `/v1/meters/{}`
  std::string methods;       ///< `GET, HEAD`
};
std::vector<RouteInfo> all_routes();

}  // namespace meterline::api
