#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/api.h"

namespace meterline::http {

/// Whether the connection stays open for a next request.
enum class After { keep_alive, close };

/// Whether the body follows, or only its length is told.
enum class Body { sent, told };

/// An answer as bytes of HTTP/1.1: status line and headers in `head`.
struct WireResponse {
  int status = 200;
  std::string head;
  std::string body;
};

/// Bodies up to this are not worth compressing.
inline constexpr std::size_t packed_bytes_min = 1024;

/// What every answer tells a browser: to take it for what it says it is, to load nothing because
/// of it, to show it in no frame, and to hand it to no page of another site. A response keeps those
/// that it has itself.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 4> safety_headers = {
    {{"X-Content-Type-Options", "nosniff"},
     {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"},
     {"Cross-Origin-Resource-Policy", "same-origin"},
     {"Referrer-Policy", "no-referrer"}}};

/// The host that a Host header names, in lower case, without port and brackets; empty where it is
/// none. An empty header is an empty host. Source: RFC 9110 (7.2), RFC 3986 (3.2.2).
std::optional<std::string> host_of(std::string_view header);

/// What a request is called in its answer's X-Request-Id and in the log: as its sender calls it
/// there, in 1 to 64 characters of A-Z a-z 0-9 . _ -, or else a name that no other request of this
/// process gets.
std::string request_id_of(std::string_view sent);

/// Compresses a body where the client takes gzip or zstd, it pays and is not done yet, and says so:
/// a strong ETag becomes a weak one, as the bytes are no longer those that it was made from. A
/// stream is compressed while it is made, in pieces that can be unpacked as they come, each put
/// into the sink at once (source/packer.h). Parquet and Arrow pack their columns themselves.
void compress(api::Response& response, std::string_view accept_encoding);

/// Of a stream, the head alone.
WireResponse to_wire(api::Response response, After after, Body body);

/// A part of a body, at most outflow's, as a chunk (RFC 9112, 7.1); with the end of the body behind
/// the last one.
std::string to_chunk(std::string_view bytes, bool is_last);

/// The time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string http_date(std::int64_t unix_seconds);

}  // namespace meterline::http
