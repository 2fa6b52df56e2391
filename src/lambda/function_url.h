#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "api/api.h"
#include "lambda/runtime.h"
#include "telemetry/embedded_metrics.h"
#include "telemetry/log.h"

namespace meterline::lambda {

/// Whether files may be sent by POST: with an open URL anybody could.
enum class Uploads { off, on };

/// The HTTP API behind a function URL: events of payload format 2.0 to requests, and back.
/// Requests to the store and long work end before the function is killed, and the answer is 503
/// with the reason. An answer too large for Lambda is asked for anew with a smaller page where the
/// route is a list, and else a problem that says what to do. Source: AWS Lambda Developer Guide,
/// "Invoking Lambda function URLs", payload format 2.0.
///
/// Threads: one invocation at a time. All must outlive it.
class FunctionUrl {
 public:
  struct Parts {
    std::function<api::Response(const api::Request&)> handler;
    telemetry::Log& log;
    telemetry::EmbeddedMetrics& metrics;
    /// Told how long requests to the store may take from now on; may be empty.
    std::function<void(std::chrono::milliseconds)> limit_store = {};
  };
  FunctionUrl(Parts parts, Uploads uploads) : parts_(std::move(parts)), uploads_(uploads) {}

  /// The payload of the answer. What is no event of a function URL is an InvocationError.
  tl::expected<std::string, InvocationError> handle(const Invocation& invocation);

 private:
  struct Answer {
    int status = 0;
    std::string payload;
  };
  api::Response respond(const api::Request& request);
  Answer answer(const api::Request& request);
  Answer answer_in_time(api::Request request, Instant deadline);

  const Parts parts_;
  const Uploads uploads_;
};

/// The request of an event; a body is kept by the request. Errors: `refused`.
Result<api::Request> request_of(const std::string& event);

/// The answer as Lambda wants it: `{"statusCode":200,"headers":{...},"body":"...",...}`.
std::string payload_of(const api::Response& response, const api::Request& request);

}  // namespace meterline::lambda
