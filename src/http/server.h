#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "api/api.h"
#include "core/result.h"

namespace meterline::http {

/// Answers a request. It is called from many threads at once; what it throws is answered 500.
using Handler = std::function<api::Response(const api::Request&)>;

/// Whether a request is answered so soon that handing it to another thread would take longer than
/// that. It must not throw.
using IsQuick = std::function<bool(const api::Request&)>;

struct ServerOptions {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6, no host name.
  std::uint16_t port = 8080;          ///< 0: any free one; Server::port() tells which.
  int threads = 4;         ///< That serve connections; as many more answer what is not quick.
  int upload_threads = 2;  ///< That answer POST, apart from questions.
  /// Such requests, but for POST, hold up the connections of their thread. Default: none is quick.
  IsQuick is_quick;
  std::uint32_t header_bytes_max = 16 << 10;
  std::uint64_t body_bytes_max = std::uint64_t{1} << 30;  ///< Of POST; others: body_chunk_bytes.
  std::filesystem::path spool_folder;  ///< For bodies above body_chunk_bytes; default: system's.
  std::size_t connections_max = 1000;  ///< More are answered 503 and closed.
  std::chrono::milliseconds idle_timeout{60'000};    ///< From one request to the next.
  std::chrono::milliseconds header_timeout{10'000};  ///< From a header's first byte to its last.
  std::chrono::milliseconds body_timeout{30'000};    ///< For each body_chunk_bytes of a body.
  std::chrono::milliseconds write_timeout{60'000};   ///< For each write_chunk_bytes of an answer.
};

/// A body up to this stays in memory; a longer one goes to a file piece by piece.
inline constexpr std::size_t body_chunk_bytes = 64 << 10;
inline constexpr std::size_t write_chunk_bytes = 256 << 10;

/// An HTTP/1.1 server in threads of its own: keep-alive, pipelining in order, HEAD,
/// `Expect: 100-continue`, gzip. Everything it accepts has a limit in ServerOptions.
///
/// Threads: every method may be called from any thread.
class Server {
 public:
  /// As stop(0), then waits for handlers that still run.
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;

  /// Accepts no more, closes idle connections, gives requests in flight the grace period to be
  /// answered, and then closes what is left. Returns whether all were answered.
  virtual bool stop(std::chrono::milliseconds grace) = 0;
};

/// Listens and serves until stopped. Errors: `unavailable` when the port is taken,
/// `invalid_argument` for an address that is none or not of this machine.
Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);

}  // namespace meterline::http
