#include "http/fetch.h"

#include <fmt/core.h>
#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <functional>
#include <optional>
#include <string_view>

#include "core/try.h"

namespace meterline::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t header_bytes_max = 16 << 10;

struct Url {
  bool has_tls = true;
  std::string host;
  std::string port;
  std::string authority;
  std::string target;
};

Result<Url> parse_url(const std::string& text) {
  constexpr std::string_view with_tls = "https://";
  constexpr std::string_view without_tls = "http://";
  Url url{.has_tls = text.starts_with(with_tls)};
  const auto scheme = url.has_tls ? with_tls.size() : without_tls.size();
  const bool is_known = url.has_tls || text.starts_with(without_tls);
  const auto slash = std::min(text.size(), text.find('/', scheme));
  url.authority = is_known ? text.substr(scheme, slash - scheme) : "";
  url.target = slash == text.size() ? "/" : text.substr(slash);
  const auto colon = url.authority.rfind(':');
  url.host = url.authority.substr(0, colon);
  url.port =
      colon == std::string::npos ? (url.has_tls ? "443" : "80") : url.authority.substr(colon + 1);
  const bool is_clean = text.find_first_of(" \r\n\t#@[]") == std::string::npos;
  if (url.host.empty() || url.port.empty() || !is_clean)
    return fail(Errc::invalid_argument,
                fmt::format("{}: want a URL like https://login.example.com/keys.json", text));
  if (!url.has_tls && url.host != "localhost" && url.host != "127.0.0.1")
    return fail(Errc::invalid_argument,
                fmt::format("{}: want https: without it, anybody on the way could answer", text));
  return url;
}

/// One request, in steps that follow each other; all of it ends with the time that it has.
class Fetch {
 public:
  Fetch(const Url& url, const FetchLimits& limits) : url_(url), limits_(limits) {
    tls_.set_default_verify_paths();
    tls_.set_verify_mode(ssl::verify_peer);
    SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
    parser_.body_limit(limits.bytes_max);
    parser_.header_limit(header_bytes_max);
    request_.method(beast::http::verb::get);
    request_.target(url.target);
    request_.version(11);
    request_.set(beast::http::field::host, url.authority);
    request_.set(beast::http::field::accept, "application/json");
    request_.set(beast::http::field::user_agent, "meterline");
    request_.set(beast::http::field::connection, "close");
  }

  Result<std::string> run() {
    resolver_.async_resolve(url_.host, url_.port, [this](error_code error, const auto& found) {
      if (error) return end(error);
      beast::get_lowest_layer(stream_).async_connect(
          found, [this](error_code failed, const tcp::endpoint&) { on_connected(failed); });
    });
    io_.run_for(limits_.time);
    if (!ended_) return failed("there was no answer in time");
    if (*ended_) return failed(ended_->message());
    constexpr unsigned ok = 200;
    const auto& answer = parser_.get();
    if (answer.result_int() != ok)
      return failed(fmt::format("the answer has status {}", answer.result_int()));
    return answer.body();
  }

 private:
  tl::unexpected<Error> failed(std::string_view why) const {
    return fail(Errc::unavailable, fmt::format("{}{}{}: {}", url_.has_tls ? "https://" : "http://",
                                               url_.authority, url_.target, why));
  }

  void end(error_code error) { ended_ = error; }

  void on_connected(error_code error) {
    if (error) return end(error);
    if (!url_.has_tls) return ask(stream_.next_layer());
    if (SSL_set_tlsext_host_name(stream_.native_handle(), url_.host.c_str()) != 1)
      return end(asio::error::invalid_argument);
    stream_.set_verify_callback(ssl::host_name_verification(url_.host));
    stream_.async_handshake(ssl::stream_base::client, [this](error_code refused) {
      if (refused) return end(refused);
      ask(stream_);
    });
  }

  template <class Stream>
  void ask(Stream& stream) {
    beast::http::async_write(stream, request_, [this, &stream](error_code error, std::size_t) {
      if (error) return end(error);
      beast::http::async_read(stream, buffer_, parser_,
                              [this](error_code failed, std::size_t) { end(failed); });
    });
  }

  const Url& url_;
  const FetchLimits& limits_;
  asio::io_context io_{1};
  ssl::context tls_{ssl::context::tls_client};
  tcp::resolver resolver_{io_};
  ssl::stream<beast::tcp_stream> stream_{io_, tls_};
  beast::http::request<beast::http::empty_body> request_;
  beast::flat_buffer buffer_;
  beast::http::response_parser<beast::http::string_body> parser_;
  std::optional<error_code> ended_;
};

}  // namespace

Result<void> check_fetch_url(const std::string& url) {
  METERLINE_CHECK(parse_url(url));
  return {};
}

Result<std::string> fetch(const std::string& url, const FetchLimits& limits) {
  METERLINE_TRY(const auto parsed, parse_url(url));
  try {
    return Fetch(parsed, limits).run();
  } catch (const std::exception& error) {
    return fail(Errc::unavailable, fmt::format("{}: {}", url, error.what()));
  }
}

}  // namespace meterline::http
