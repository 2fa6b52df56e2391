#include "lambda/runtime.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "core/finding.h"
#include "core/json_writer.h"
#include "core/try.h"

namespace meterline::lambda {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using ApiRequest = beast::http::request<beast::http::string_body>;
using ApiResponse = beast::http::response<beast::http::string_body>;

/// Where AWS's SDK finds the trace, so that it can tell that a function calls itself in circles.
constexpr const char* trace_variable = "_X_AMZN_TRACE_ID";
constexpr std::string_view version = "/2018-06-01/runtime/";
constexpr std::size_t header_bytes_max = 64 << 10;  ///< The client context of mobile SDKs is one.
constexpr int tries_max = 2;  ///< The first may find a kept connection closed.

std::string body_of(const InvocationError& error) {
  JsonWriter json;
  json.begin_object()
      .member("errorMessage", std::string_view(error.message))
      .member("errorType", std::string_view(error.type))
      .end_object();
  return json.take();
}

/// A header of a line; line ends in `type` would begin another.
std::string header_value(std::string_view type) {
  std::string out;
  for (const char c : type) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

Result<Instant> read_deadline(std::string_view text) {
  constexpr std::int64_t micros_per_milli = 1000;
  constexpr std::int64_t millis_max = 253'402'300'799'000;  // The end of the year 9999.
  std::int64_t millis = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, millis);
  if (error != std::errc() || stop != end || millis < 0 || millis > millis_max)
    return fail(
        Errc::corrupt,
        fmt::format("Lambda-Runtime-Deadline-Ms: want milliseconds, got \"{}\"", excerpt_of(text)));
  return Instant{.micros = millis * micros_per_milli};
}

/// It becomes part of a path.
bool is_request_id(std::string_view text) {
  constexpr std::size_t bytes_max = 128;
  const auto is_allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(), is_allowed);
}

}  // namespace

/// One connection, made anew when it was closed.
class Runtime::Connection {
 public:
  explicit Connection(std::string address) : address_(std::move(address)) {}

  Result<ApiResponse> get(const std::string& path) {
    return send({beast::http::verb::get, path, 11});
  }

  Result<ApiResponse> post(const std::string& path, std::string body,
                           const std::string& error_type = {}) {
    ApiRequest request{beast::http::verb::post, path, 11};
    request.set(beast::http::field::content_type, "application/json");
    if (!error_type.empty()) request.set("Lambda-Runtime-Function-Error-Type", error_type);
    request.body() = std::move(body);
    return send(std::move(request));
  }

 private:
  Result<ApiResponse> send(ApiRequest request) {
    request.set(beast::http::field::host, address_);
    request.prepare_payload();
    error_code error;
    for (int tries = 0; tries < tries_max; ++tries) {
      auto response = try_send(request, error);
      if (response) return *std::move(response);
      socket_.reset();
    }
    return fail(Errc::unavailable, fmt::format("the Lambda Runtime API at {}: {}",
                                               excerpt_of(address_), error.message()));
  }

  std::optional<ApiResponse> try_send(const ApiRequest& request, error_code& error) {
    error = {};
    if (!socket_ && !connect(error)) return std::nullopt;
    beast::http::write(*socket_, request, error);
    if (error) return std::nullopt;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.header_limit(header_bytes_max);
    parser.body_limit(payload_bytes_max);
    beast::http::read(*socket_, buffer_, parser, error);
    if (error) return std::nullopt;
    if (!parser.get().keep_alive()) socket_.reset();
    return parser.release();
  }

  bool connect(error_code& error) {
    const auto colon = address_.rfind(':');
    asio::ip::tcp::resolver resolver(io_);
    const auto places = resolver.resolve(
        address_.substr(0, colon), colon == std::string::npos ? "80" : address_.substr(colon + 1),
        asio::ip::tcp::resolver::numeric_service, error);
    if (error) return false;
    socket_.emplace(io_);
    buffer_.clear();
    asio::connect(*socket_, places, error);
    if (!error) socket_->set_option(asio::ip::tcp::no_delay(true), error);
    return !error;
  }

  const std::string address_;
  asio::io_context io_{1};
  std::optional<asio::ip::tcp::socket> socket_;
  beast::flat_buffer buffer_;
};

// The first setenv() of a name may move the environment, which other threads read: it comes here,
// before there are any. Later ones only put another value in its place.
Runtime::Runtime(std::string address)
    : connection_(std::make_unique<Connection>(std::move(address))) {
  setenv(trace_variable, "", 1);
}

Runtime::~Runtime() = default;

Result<Invocation> Runtime::next() {
  METERLINE_TRY(auto response, connection_->get(std::string(version) + "invocation/next"));
  if (response.result() != beast::http::status::ok)
    return fail(Errc::unavailable,
                fmt::format("the Lambda Runtime API answered {} to next", response.result_int()));
  const std::string request_id(response["Lambda-Runtime-Aws-Request-Id"]);
  if (!is_request_id(request_id))
    return fail(Errc::corrupt, fmt::format("Lambda-Runtime-Aws-Request-Id: want an id, got \"{}\"",
                                           excerpt_of(request_id)));
  METERLINE_TRY(const auto deadline, read_deadline(response["Lambda-Runtime-Deadline-Ms"]));
  return Invocation{.request_id = request_id,
                    .trace_id = std::string(response["Lambda-Runtime-Trace-Id"]),
                    .function = std::string(response["Lambda-Runtime-Invoked-Function-Arn"]),
                    .deadline = deadline,
                    .payload = std::move(response.body())};
}

Result<void> Runtime::answer(const Invocation& invocation, const std::string& payload) {
  if (payload.size() > answer_bytes_max)
    return fail_invocation(
        invocation, {.type = "Meterline.AnswerTooLarge",
                     .message = fmt::format("the answer has {} bytes, at most {} can be sent",
                                            payload.size(), answer_bytes_max)});
  METERLINE_TRY(const auto response, connection_->post(fmt::format("{}invocation/{}/response",
                                                                   version, invocation.request_id),
                                                       payload));
  if (response.result_int() == 202) return {};
  return fail_invocation(invocation, {.type = "Meterline.AnswerRefused",
                                      .message = fmt::format("Lambda answered {} to the answer",
                                                             response.result_int())});
}

Result<void> Runtime::fail_invocation(const Invocation& invocation, const InvocationError& error) {
  METERLINE_TRY(const auto response, connection_->post(fmt::format("{}invocation/{}/error", version,
                                                                   invocation.request_id),
                                                       body_of(error), header_value(error.type)));
  if (response.result_int() < 500) return {};
  return fail(Errc::unavailable,
              fmt::format("the Lambda Runtime API answered {} to an error", response.result_int()));
}

Result<void> Runtime::fail_init(const InvocationError& error) {
  METERLINE_CHECK(connection_->post(std::string(version) + "init/error", body_of(error),
                                    header_value(error.type)));
  return {};
}

Result<void> Runtime::serve_one(const InvocationHandler& handler) {
  METERLINE_TRY(const auto invocation, next());
  setenv(trace_variable, invocation.trace_id.c_str(), 1);
  const auto payload = handler(invocation);
  return payload ? answer(invocation, *payload) : fail_invocation(invocation, payload.error());
}

Error Runtime::serve(const InvocationHandler& handler) {
  for (;;) {
    auto served = serve_one(handler);
    if (!served) return std::move(served).error();
  }
}

}  // namespace meterline::lambda
