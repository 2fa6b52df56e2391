#include "http/wire.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/accept.h"
#include "source/packer.h"

namespace meterline::http {
namespace {

api::Response answer(std::size_t bytes) {
  return {.status = 200,
          .content_type = "application/json",
          .body = std::string(bytes, 'a'),
          .headers = {{"ETag", "\"x\""}}};
}

std::string inflated(const std::string& packed, std::size_t bytes) {
  std::string out(bytes, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

TEST(Wire, TakesGzipWhenTheClientDoes) {
  for (const char* accept :
       {"gzip", "deflate, gzip;q=0.5", "GZIP", "*", "gzip; q=0.001", "br,gzip"})
    EXPECT_TRUE(api::takes_gzip(accept)) << accept;
  for (const char* accept : {"", "identity", "gzip;q=0", "gzip; q=0.000", "br", "xgzip", "*;q=0"})
    EXPECT_FALSE(api::takes_gzip(accept)) << accept;
}

TEST(Wire, CompressesLongBodies) {
  api::Response response = answer(5000);
  compress(response, "gzip");
  EXPECT_EQ(response.headers["Content-Encoding"], "gzip");
  EXPECT_EQ(response.headers["ETag"], "W/\"x\"");
  EXPECT_EQ(response.headers["Vary"], "Accept-Encoding");
  EXPECT_LT(response.body.size(), 100U);
  EXPECT_EQ(inflated(response.body, 5000), answer(5000).body);
}

TEST(Wire, PacksWithWhatTheClientLikesBest) {
  using source::Packing;
  for (const char* accept : {"zstd", "gzip, deflate, br, zstd", "ZSTD;q=0.5, gzip;q=0.5",
                             "*;q=0.1, zstd;q=0.2", "gzip;q=0, zstd"})
    EXPECT_EQ(api::packing_for(accept), Packing::zstd) << accept;
  for (const char* accept : {"gzip", "*", "gzip, zstd;q=0.9", "zstd;q=0, gzip", "zstd;q=0, *"})
    EXPECT_EQ(api::packing_for(accept), Packing::gzip) << accept;
  for (const char* accept : {"", "br", "identity", "gzip;q=0", "*, gzip;q=0", "zstd;q=0"})
    EXPECT_EQ(api::packing_for(accept), std::nullopt) << accept;

  api::Response response = answer(5000);
  compress(response, "zstd");
  EXPECT_EQ(response.headers["Content-Encoding"], "zstd");
  EXPECT_EQ(response.body, source::packed(Packing::zstd, answer(5000).body).value());
}

/// What a stream makes.
std::vector<std::string> pieces_of(const api::Response& response) {
  std::vector<std::string> pieces;
  EXPECT_TRUE(response.stream([&](std::string_view piece) -> Result<void> {
    pieces.emplace_back(piece);
    return {};
  }));
  return pieces;
}

TEST(Wire, CompressesStreamsWhileTheyAreMade) {
  constexpr std::size_t bytes = 2 * source::pack_step_bytes + 5;
  api::Response response{.content_type = "text/csv; charset=utf-8", .body = {}};
  response.headers["Vary"] = "Accept";
  response.stream = [](const api::BodySink& sink) { return sink(std::string(bytes, 'a')); };
  const auto plain = response;
  compress(response, "gzip");
  EXPECT_EQ(response.headers["Content-Encoding"], "gzip");
  EXPECT_EQ(response.headers["Vary"], "Accept, Accept-Encoding");
  const auto pieces = pieces_of(response);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(inflated(pieces[0] + pieces[1] + pieces[2], bytes), std::string(bytes, 'a'));

  response = plain;
  compress(response, "br");
  EXPECT_EQ(response.headers.count("Content-Encoding"), 0U);
  EXPECT_EQ(response.headers["Vary"], "Accept, Accept-Encoding");
  EXPECT_EQ(pieces_of(response).size(), 1U);
}

TEST(Wire, AStreamThatFailsIsNoWholeOne) {
  api::Response response{.content_type = "text/csv", .body = {}};
  response.stream = [](const api::BodySink&) -> Result<void> {
    return fail(Errc::unavailable, "no node answers");
  };
  compress(response, "zstd");
  const auto made = response.stream([](std::string_view) { return Result<void>(); });
  EXPECT_EQ(made.error().message, "no node answers");
}

TEST(Wire, LeavesTablesThatPackThemselves) {
  for (const char* type : {"application/vnd.apache.parquet", "application/vnd.apache.arrow.file"}) {
    api::Response response = answer(5000);
    response.content_type = type;
    compress(response, "gzip, zstd");
    EXPECT_EQ(response.body, answer(5000).body);
    EXPECT_EQ(response.headers.count("Content-Encoding"), 0U);
  }
}

TEST(Wire, LeavesOtherBodiesAlone) {
  api::Response response = answer(packed_bytes_min);
  compress(response, "gzip");
  EXPECT_EQ(response.body, answer(packed_bytes_min).body);
  EXPECT_EQ(response.headers.count("Content-Encoding"), 0U);
  response = answer(5000);
  compress(response, "br");
  EXPECT_EQ(response.body, answer(5000).body);
  EXPECT_EQ(response.headers["Vary"], "Accept-Encoding");  // Another client may get gzip.
}

/// Head and body without the Date.
std::string text_of(const WireResponse& wire) {
  const auto date = wire.head.find("Date: ");
  const auto end = wire.head.find("\r\n", date);
  return wire.head.substr(0, date) + wire.head.substr(end + 2) + wire.body;
}

const std::string safety =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n";

TEST(Wire, RequestsKeepTheirNamesOrGetOne) {
  for (const std::string name : {"a", "2f1c.My_request-7"}) EXPECT_EQ(request_id_of(name), name);
  EXPECT_EQ(request_id_of(std::string(64, 'x')), std::string(64, 'x'));
  const std::string made = request_id_of("");
  for (const std::string& refused : {std::string(), std::string("a b"), std::string("a\r\nX: y"),
                                     std::string("caf\xc3\xa9"), std::string(65, 'x')}) {
    const std::string other = request_id_of(refused);
    EXPECT_NE(other, refused);
    EXPECT_NE(other, made);
    EXPECT_EQ(other.size(), made.size());
  }
}

TEST(Wire, WritesHeadAndBody) {
  EXPECT_EQ(text_of(to_wire(answer(2), After::keep_alive, Body::sent)),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n" +
                safety +
                "ETag: \"x\"\r\n"
                "Connection: keep-alive\r\n\r\naa");
  EXPECT_EQ(text_of(to_wire(answer(2), After::close, Body::told)),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n" +
                safety +
                "ETag: \"x\"\r\n"
                "Connection: close\r\n\r\n");
}

TEST(Wire, LeavesWhatIsPackedAsItIs) {
  api::Response response = answer(5000);
  response.headers["Content-Encoding"] = "gzip";
  compress(response, "gzip");
  EXPECT_EQ(response.body, answer(5000).body);
  EXPECT_EQ(response.headers["ETag"], "\"x\"");
}

TEST(Wire, AResponseKeepsItsOwnPolicy) {
  api::Response response = answer(2);
  response.headers["Content-Security-Policy"] = "default-src 'self'";
  EXPECT_EQ(text_of(to_wire(response, After::keep_alive, Body::sent)),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Cross-Origin-Resource-Policy: same-origin\r\n"
            "Referrer-Policy: no-referrer\r\n"
            "Content-Security-Policy: default-src 'self'\r\n"
            "ETag: \"x\"\r\n"
            "Connection: keep-alive\r\n\r\naa");
}

TEST(Wire, NotModifiedHasNoBodyAndNoHeaderMayBreakOut) {
  api::Response response = answer(0);
  response.status = 304;
  response.headers["Link"] = "a\r\nSet-Cookie: b";
  EXPECT_EQ(text_of(to_wire(response, After::keep_alive, Body::sent)),
            "HTTP/1.1 304 Not Modified\r\n" + safety +
                "ETag: \"x\"\r\nLink: a  Set-Cookie: b\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Wire, TakesTheHostOutOfItsHeader) {
  for (const auto& [header, host] : std::vector<std::pair<const char*, const char*>>{
           {"", ""},
           {"localhost", "localhost"},
           {"LOCALHOST:8080", "localhost"},
           {"127.0.0.1:", "127.0.0.1"},
           {"[::1]", "::1"},
           {"[::FFFF:127.0.0.1]:80", "::ffff:127.0.0.1"},
           {"meters.example:443", "meters.example"}})
    EXPECT_EQ(host_of(header), host) << header;
  for (const char* header : {":x", ":80", "[", "[]", "[::1", "[::1]x", "[::1]80", "[::1]:x",
                             "[localhost]", "a:b", "a:80:80", "a b", "a/b", "a@b", "\xff"})
    EXPECT_EQ(host_of(header), std::nullopt) << header;
}

TEST(Wire, WritesHttpDates) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace meterline::http
