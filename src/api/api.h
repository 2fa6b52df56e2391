#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/instant.h"
#include "core/stop.h"
#include "ingest/ingest.h"
#include "source/byte_source.h"
#include "store/store.h"

namespace meterline::api {

/// An HTTP request as plain values, whoever received it.
struct Request {
  std::string method;  ///< `GET`, upper case.
  std::string target;  ///< Path and query, still percent-encoded: `/v1/meters?limit=5`.
  std::map<std::string, std::string, std::less<>> headers;  ///< Names in lower case.
  /// The body, for POST: opens it from the start; may be called repeatedly. Null: no body.
  std::function<Result<std::unique_ptr<source::ByteSource>>()> body;
  std::uint64_t body_bytes = 0;
  /// Only the header has come, and body_bytes is what it says of the body, 0 if nothing: the answer
  /// has status 100 where the body is wanted, and else tells why it is not. Asked for POST only.
  bool body_is_to_come = false;
  StopFlag stop = nullptr;  ///< Set when nobody waits for the answer any more.
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;  ///< Beside content type and length.
};

/// What the routes work on. All must outlive the Api.
struct Context {
  store::Store& store;
  ingest::IngestOptions ingest;
  std::function<Instant()> now;                          ///< The receipt time of uploads.
  const std::atomic<bool>* stopping = nullptr;           ///< true: /readyz answers 503.
  std::function<void(const DeliveryReport&)> on_upload;  ///< Told of each; from any thread.
};

/// Answers every route of the HTTP API; docs/use/http-api.md describes them. Never throws.
///
/// Threads: may be called from many threads at once.
Response handle(const Request& request, const Context& context);

/// What the answer to a GET or HEAD needs of the store.
enum class Reads {
  nothing,
  little,  ///< About one meter, with the days of one date at most.
  some,    ///< About one meter, or a page of a list.
  much,    ///< About all meters, or in small steps.
};
Reads reads_of(const Request& request);

/// The route a request belongs to, as a short closed list for metrics: `consumption`, `legacy`,
/// `deliveries`, ..., `unknown`.
std::string_view route_of(const Request& request);

}  // namespace meterline::api
