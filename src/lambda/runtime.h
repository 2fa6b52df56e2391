#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "core/instant.h"
#include "core/result.h"

namespace meterline::lambda {

/// One event for the function.
struct Invocation {
  std::string request_id;
  std::string trace_id;  ///< Of X-Ray; may be empty.
  std::string function;  ///< The ARN that was invoked.
  Instant deadline;      ///< The function is killed at this time.
  std::string payload;   ///< JSON.
};

/// Why an invocation failed, as Lambda shows it to whoever invoked.
struct InvocationError {
  std::string type;     ///< `Meterline.Retry`
  std::string message;  ///< For people.
};

/// The answer's payload, or why there is none. May be called for one invocation at a time.
using InvocationHandler =
    std::function<tl::expected<std::string, InvocationError>(const Invocation& invocation)>;

/// Lambda takes no longer answer of a function.
inline constexpr std::size_t answer_bytes_max = 6 << 20;
inline constexpr std::size_t payload_bytes_max = 8 << 20;  ///< Lambda sends at most 6 MB.

/// The Runtime API of AWS Lambda (2018-06-01), over one connection that is kept.
/// Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
///
/// Threads: one at a time.
class Runtime {
 public:
  /// `address`: AWS_LAMBDA_RUNTIME_API, `HOST:PORT`. Connects with the first request. Changes the
  /// environment: to be made before there are other threads.
  explicit Runtime(std::string address);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Answers invocations until something is wrong with the API itself; then the function is to end,
  /// and Lambda starts it anew. Returns what is wrong: `unavailable` when the API cannot be
  /// reached, `corrupt` when it sends what it should not.
  Error serve(const InvocationHandler& handler);

  /// Tells that the function cannot begin. The process is to end with an error after it.
  Result<void> fail_init(const InvocationError& error);

 private:
  class Connection;
  Result<void> serve_one(const InvocationHandler& handler);
  Result<Invocation> next();
  Result<void> answer(const Invocation& invocation, const std::string& payload);
  Result<void> fail_invocation(const Invocation& invocation, const InvocationError& error);

  std::unique_ptr<Connection> connection_;
};

}  // namespace meterline::lambda
