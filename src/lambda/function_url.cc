#include "lambda/function_url.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <chrono>
#include <memory>

#include "api/accept.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "core/finding.h"
#include "core/json.h"
#include "core/json_writer.h"
#include "core/text.h"
#include "core/try.h"
#include "http/wire.h"
#include "lambda/alarm.h"

namespace meterline::lambda {
namespace {

/// What is made in parts becomes one answer here, as far as memory goes; packed, it may fit.
constexpr std::size_t unpacked_bytes_max = 32 << 20;

constexpr std::string_view limit_name = "limit=";

/// Before the function is killed. The store is to fail first, as it knows the reason; half of it is
/// for that, and half for the answer.
constexpr std::chrono::milliseconds margin{2000};

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a 0.
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = text.size() % 4 != 0
                         ? -1
                         : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                           reinterpret_cast<const unsigned char*>(text.data()),
                                           static_cast<int>(text.size()));
  if (length < 0) return fail(Errc::refused, "body: wanted base64, as \"isBase64Encoded\" says");
  const auto padding = text.size() - std::min(text.size(), text.find_last_not_of('=') + 1);
  bytes.resize(static_cast<std::size_t>(length) - std::min<std::size_t>(padding, 2));
  return bytes;
}

/// Lambda decodes some paths; what would end one is encoded again.
std::string target_of(const boost::json::value& event) {
  const std::string_view path = find_text(event, {"rawPath"}).value_or("/");
  std::string target;
  for (const char c : path) {
    if (c == '?' || c == '#')
      target += c == '?' ? "%3F" : "%23";
    else
      target += c;
  }
  const auto query = find_text(event, {"rawQueryString"}).value_or("");
  if (!query.empty()) target.append("?").append(query);
  return target;
}

std::map<std::string, std::string, std::less<>> headers_of(const boost::json::value& event) {
  std::map<std::string, std::string, std::less<>> headers;
  const auto* found = find_member(event, {"headers"});
  if (found != nullptr && found->is_object())
    for (const auto& [name, value] : found->get_object())
      if (const auto* text = value.if_string())
        headers[lower(std::string_view(name.data(), name.size()))] =
            std::string(text->data(), text->size());
  const auto* cookies = find_member(event, {"cookies"});
  if (cookies != nullptr && cookies->is_array())
    for (const auto& cookie : cookies->get_array())
      if (const auto* text = cookie.if_string()) {
        std::string& header = headers["cookie"];
        if (!header.empty()) header += "; ";
        header.append(text->data(), text->size());
      }
  return headers;
}

Result<std::string> body_of(const boost::json::value& event) {
  const auto body = find_text(event, {"body"}).value_or("");
  const auto* encoded = find_member(event, {"isBase64Encoded"});
  if (encoded != nullptr && encoded->is_bool() && encoded->get_bool()) return from_base64(body);
  return std::string(body);
}

bool is_list(const api::Request& request) {
  const auto route = request.target.name();
  return request.method == "GET" && (route == "meters" || route == "deliveries");
}

/// The value of `limit` in a query, or its default.
std::size_t limit_of(const api::Request& request) {
  const auto parameters = api::Parameters::parse(api::split_target(request.target.text()).query);
  const auto limit = parameters ? api::page_limit(*parameters) : Result<std::size_t>(0);
  return limit.value_or(0);
}

/// The same request for a page of `limit`.
api::Request with_limit(api::Request request, std::size_t limit) {
  const auto [path, query] = api::split_target(request.target.text());
  std::string target = fmt::format("{}?{}{}", path, limit_name, limit);
  for (std::string_view rest = query; !rest.empty();) {
    const auto parameter = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), parameter.size() + 1));
    if (!parameter.starts_with(limit_name)) target.append("&").append(parameter);
  }
  request.target = std::move(target);
  return request;
}

api::Response too_large(std::size_t bytes, const api::Request& request) {
  const auto encodings = request.headers.find("accept-encoding");
  const bool is_packed =
      encodings != request.headers.end() && api::packing_for(encodings->second).has_value();
  return api::problem(
      413, fmt::format("the answer has {} bytes as AWS Lambda counts them, which sends at most {}: "
                       "ask for fewer days or a coarser resolution{}",
                       bytes, answer_bytes_max,
                       is_packed ? "" : ", or accept it packed (Accept-Encoding: gzip)"));
}

std::int64_t millis_of(std::chrono::microseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace

Result<api::Request> request_of(const std::string& event) {
  METERLINE_TRY(const auto root, parse_json(event, payload_bytes_max));
  const auto method = find_text(root, {"requestContext", "http", "method"});
  if (find_text(root, {"version"}) != "2.0" || !method)
    return fail(Errc::refused, "wanted an event of a function URL, payload format 2.0");
  METERLINE_TRY(auto body, body_of(root));
  api::Request request{.method = std::string(*method),
                       .target = target_of(root),
                       .headers = headers_of(root),
                       .body = {},
                       .body_bytes = body.size()};
  if (!body.empty())
    request.body = [kept = std::make_shared<const std::string>(std::move(body))] {
      return Result<std::unique_ptr<source::ByteSource>>(source::make_memory_source(*kept));
    };
  return request;
}

std::string payload_of(const api::Response& response, const api::Request& request) {
  api::Response packed = response;
  const auto encodings = request.headers.find("accept-encoding");
  http::compress(packed, encodings == request.headers.end() ? "" : encodings->second);
  const bool is_text = !packed.headers.contains("Content-Encoding") && is_utf8(packed.body);
  const bool is_told = request.method == "HEAD";

  JsonWriter json;
  json.begin_object().member("statusCode", packed.status).key("headers").begin_object();
  if (packed.status != 304) {
    json.member("content-type", std::string_view(packed.content_type));
    if (is_told)
      json.member("content-length", std::string_view(std::to_string(packed.body.size())));
  }
  for (const auto& [name, value] : http::safety_headers)
    if (!packed.headers.contains(std::string(name))) json.member(lower(name), value);
  for (const auto& [name, value] : packed.headers)
    json.member(lower(name), std::string_view(value));
  json.end_object();
  if (is_told) packed.body.clear();
  json.member("body", std::string_view(is_text ? packed.body : to_base64(packed.body)));
  return json.member("isBase64Encoded", !is_text).end_object().take();
}

api::Response FunctionUrl::respond(const api::Request& request) {
  const auto route = request.target.name();
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (uploads_ == Uploads::off && !reads && route == "withdrawal")
    return api::problem(403,
                        "deliveries are not withdrawn here: `meterline withdraw` does so, or let "
                        "this function do it with METERLINE_UPLOADS=on");
  if (uploads_ == Uploads::off && request.method == "POST" && route == "deliveries")
    return api::problem(403,
                        "uploads are off here: put the file into the bucket, or let this function "
                        "take it with METERLINE_UPLOADS=on");
  return api::in_one_piece(parts_.handler(request), unpacked_bytes_max);
}

FunctionUrl::Answer FunctionUrl::answer(const api::Request& request) {
  auto response = respond(request);
  auto payload = payload_of(response, request);
  std::size_t limit = is_list(request) ? limit_of(request) / 2 : 0;
  for (; limit > 0 && payload.size() > answer_bytes_max; limit /= 2) {
    response = respond(with_limit(request, limit));
    payload = payload_of(response, request);
  }
  if (payload.size() > answer_bytes_max) {
    response = too_large(payload.size(), request);
    payload = payload_of(response, request);
  }
  return {.status = response.status, .payload = std::move(payload)};
}

FunctionUrl::Answer FunctionUrl::answer_in_time(api::Request request, Instant deadline) {
  const auto store_end = time_to_give_up(deadline, margin);
  const std::chrono::system_clock::time_point end(std::chrono::microseconds(deadline.micros));
  if (parts_.limit_store) parts_.limit_store(time_until(store_end));
  const Alarm alarm(store_end + (end - store_end) / 2);
  request.stop = &alarm.rung();
  auto answered = answer(request);
  constexpr int unavailable = 503;
  if (!alarm.rung() || answered.status != unavailable) return answered;
  const auto late = api::problem(unavailable,
                                 "there was no answer within the time that this function may run: "
                                 "ask for fewer days or meters at once, or try again later");
  return {.status = unavailable, .payload = payload_of(late, request)};
}

tl::expected<std::string, InvocationError> FunctionUrl::handle(const Invocation& invocation) {
  const auto began = std::chrono::steady_clock::now();
  const auto request = request_of(invocation.payload);
  if (!request) {
    parts_.log.error(request.error().message, {{"requestId", invocation.request_id}});
    return tl::unexpected(
        InvocationError{.type = "Meterline.BadEvent", .message = request.error().message});
  }
  auto [status, payload] = answer_in_time(*request, invocation.deadline);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - began);
  const auto route = request->target.name();
  parts_.log.info("request", {{"requestId", invocation.request_id},
                              {"method", excerpt_of(request->method)},
                              {"route", route},
                              {"status", status},
                              {"bytes", static_cast<std::int64_t>(payload.size())},
                              {"durationMs", millis_of(took)}});
  parts_.metrics.request(route, status, took);
  return std::move(payload);
}

}  // namespace meterline::lambda
