#include "http/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <ctime>
#include <random>

#include "api/accept.h"
#include "api/problem.h"
#include "core/text.h"
#include "core/try.h"
#include "source/packer.h"

namespace meterline::http {
namespace {

constexpr std::size_t head_bytes_usual = 640;

/// Tables in formats that pack their columns themselves.
bool is_packed_by_itself(const api::Response& response) {
  return response.headers.contains("Content-Encoding") ||
         response.content_type.starts_with("application/vnd.apache.");
}

/// The same body, packed while it is made.
api::BodyStream packed_stream(api::BodyStream stream, source::Packing packing) {
  return [make = std::move(stream), packing](const api::BodySink& sink) -> Result<void> {
    METERLINE_TRY(const auto packer, source::Packer::make(packing, sink));
    METERLINE_CHECK(make([&](std::string_view piece) { return packer->add(piece); }));
    return packer->finish();
  };
}

/// Whether the body was packed, which it is where it gets shorter.
bool pack_body(std::string& body, source::Packing packing) {
  auto packed = source::packed(packing, body);
  if (!packed || packed->size() >= body.size()) return false;
  packed->shrink_to_fit();
  body = *std::move(packed);
  return true;
}

/// Line breaks would end a header early; they become blanks.
void append_header(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  const auto begin = static_cast<std::ptrdiff_t>(head.size());
  head += value;
  std::replace_if(
      head.begin() + begin, head.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  head += "\r\n";
}

/// http_date() of now, made once a second by each thread.
const std::string& date_now() {
  thread_local std::time_t second = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != second) text = http_date(now);
  second = now;
  return text;
}

/// safety_headers as lines, without what the response says itself.
std::string safety_lines_beside(const api::Response& response) {
  std::string lines;
  for (const auto& [name, value] : safety_headers)
    if (!response.headers.contains(std::string(name))) append_header(lines, name, value);
  return lines;
}

/// Most answers have none of their own.
const std::string& safety_lines() {
  static const std::string lines = safety_lines_beside({});
  return lines;
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What may stand in a name or an IPv4 address, and between the brackets of an IPv6 one.
constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=";
constexpr std::string_view literal_characters = "0123456789abcdef:.";

bool may_have_body(int status) { return status != 204 && status != 304; }

}  // namespace

std::optional<std::string> host_of(std::string_view header) {
  const std::string text = lower(header);
  const bool is_literal = text.starts_with('[');
  const std::size_t begin = is_literal ? 1 : 0;
  const std::size_t end = std::min(text.find(is_literal ? ']' : ':', begin), text.size());
  std::string host = text.substr(begin, end - begin);
  std::string_view port = std::string_view(text).substr(end);
  if (is_literal) {
    if (!port.starts_with(']')) return std::nullopt;
    port.remove_prefix(1);
  }
  if (!port.empty() && (port.front() != ':' || !is_digits(port.substr(1)))) return std::nullopt;
  if (host.empty() && !text.empty()) return std::nullopt;
  const auto allowed = is_literal ? literal_characters : name_characters;
  if (host.find_first_not_of(allowed) != std::string::npos) return std::nullopt;
  return host;
}

std::string request_id_of(std::string_view sent) {
  constexpr std::size_t chars_max = 64;
  const bool is_name = std::all_of(sent.begin(), sent.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
  if (!sent.empty() && sent.size() <= chars_max && is_name) return std::string(sent);
  static const unsigned process = std::random_device()();
  static std::atomic<std::uint32_t> count = 0;
  return fmt::format("{:08x}-{:08x}", process, ++count);
}

void compress(api::Response& response, std::string_view accept_encoding) {
  if (!response.stream && response.body.size() <= packed_bytes_min) return;
  if (is_packed_by_itself(response)) return;
  std::string& vary = response.headers["Vary"];
  vary += vary.empty() ? "Accept-Encoding" : ", Accept-Encoding";
  const auto packing = api::packing_for(accept_encoding);
  if (!packing) return;
  if (response.stream)
    response.stream = packed_stream(std::move(response.stream), *packing);
  else if (!pack_body(response.body, *packing))
    return;
  response.headers["Content-Encoding"] = source::text_of(*packing);
  const auto etag = response.headers.find("ETag");
  if (etag != response.headers.end()) etag->second = "W/" + etag->second;
}

WireResponse to_wire(api::Response response, After after, Body body) {
  const bool has_body = may_have_body(response.status);
  WireResponse wire{.status = response.status, .head = "HTTP/1.1 ", .body = {}};
  wire.head.reserve(head_bytes_usual);
  wire.head += fmt::format_int(response.status).c_str();
  wire.head += ' ';
  wire.head += api::phrase_of(response.status);
  wire.head += "\r\n";
  append_header(wire.head, "Date", date_now());
  if (has_body) {
    append_header(wire.head, "Content-Type", response.content_type);
    if (!response.stream)
      append_header(wire.head, "Content-Length", fmt::format_int(response.body.size()).c_str());
  }
  const bool has_policy = response.headers.contains("Content-Security-Policy");
  wire.head += has_policy ? safety_lines_beside(response) : safety_lines();
  for (const auto& [name, value] : response.headers) append_header(wire.head, name, value);
  append_header(wire.head, "Connection", after == After::close ? "close" : "keep-alive");
  wire.head += "\r\n";
  if (body == Body::sent && has_body) wire.body = std::move(response.body);
  return wire;
}

std::string to_chunk(std::string_view bytes, bool is_last) {
  std::string chunk = bytes.empty() ? "" : fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
  if (is_last) chunk += "0\r\n\r\n";
  return chunk;
}

std::string http_date(std::int64_t unix_seconds) {
  constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = unix_seconds;
  std::tm t{};
  gmtime_r(&time, &t);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     days.at(static_cast<std::size_t>(t.tm_wday)), t.tm_mday,
                     months.at(static_cast<std::size_t>(t.tm_mon)), t.tm_year + 1900, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

}  // namespace meterline::http
