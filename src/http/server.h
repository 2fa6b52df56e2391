#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "api/api.h"
#include "core/result.h"
#include "http/tls.h"
#include "http/usage.h"
#include "telemetry/log.h"

namespace meterline::http {

/// Answers a request. It is called from many threads at once; what it throws is answered 500. A
/// POST with a body is asked about twice: see Request::body_is_to_come.
using Handler = std::function<api::Response(const api::Request&)>;

/// How long an answer takes.
enum class Effort {
  quick,    ///< Handing it to another thread would take longer: it holds up those of its own.
  brief,    ///< A fraction of a second.
  lengthy,  ///< Perhaps many seconds, and perhaps large: none is begun while half of Usage::answers
            ///< is taken.
};
/// It must not throw.
using EffortOf = std::function<Effort(const api::Request&)>;

/// What the log has of the target of a request.
enum class LoggedTarget {
  route,  ///< Its route only, of which there are few: no meter and no other value.
  whole,  ///< Its beginning as well, as it was sent.
};

struct ServerOptions {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6, no host name.
  std::uint16_t port = 8080;          ///< 0: any free one; Server::port() tells which.
  /// That serve connections. As many answer what is lengthy, and one more what is brief.
  int threads = 4;
  int upload_threads = 2;  ///< That answer POST, apart from questions.
  int stream_threads = 2;  ///< That make answers which are sent in parts; as many may wait.
  EffortOf effort_of;      ///< Of all but POST. Default: each is brief.
  /// Requests that wait for a thread; more are answered 503.
  std::size_t brief_waiting_max = 500;
  std::size_t lengthy_waiting_max = 64;
  std::size_t uploads_waiting_max = 200;
  /// From a question's header to its answer, which is then 503; 0: for ever.
  std::chrono::milliseconds answer_timeout{120'000};
  const Tls* tls = nullptr;       ///< Null: connections are not encrypted. It outlives the server.
  telemetry::Log* log = nullptr;  ///< Null: nothing is told. It outlives the server.
  LoggedTarget logged_target = LoggedTarget::route;
  Usage* usage = nullptr;  ///< Shared with others; null: the server has its own.
  std::uint32_t header_bytes_max = 16 << 10;
  std::uint64_t body_bytes_max = std::uint64_t{1} << 30;  ///< Of POST; others: body_chunk_bytes.
  std::filesystem::path spool_folder;  ///< For bodies above body_chunk_bytes; default: system's.
  std::size_t connections_max = 1000;  ///< More are answered 503 and closed.
  std::chrono::milliseconds idle_timeout{60'000};    ///< From one request to the next.
  std::chrono::milliseconds header_timeout{10'000};  ///< From a header's first byte to its last.
  std::chrono::milliseconds body_timeout{30'000};    ///< For each body_chunk_bytes of a body.
  std::chrono::milliseconds body_timeout_whole{3'600'000};
  std::chrono::milliseconds write_timeout{60'000};  ///< For each write_chunk_bytes of an answer.
  std::chrono::milliseconds write_timeout_whole{120'000};
  std::chrono::milliseconds stream_timeout_whole{3'600'000};  ///< Of an answer sent in parts.
};

/// A body up to this stays in memory; a longer one goes to a file piece by piece.
inline constexpr std::size_t body_chunk_bytes = 64 << 10;
inline constexpr std::size_t write_chunk_bytes = 256 << 10;
/// Answers up to this take nothing of Usage::answers.
inline constexpr std::size_t answer_bytes_free = 16 << 10;

/// An HTTP/1.1 server in threads of its own: keep-alive, pipelining in order, HEAD,
/// `Expect: 100-continue`, gzip. Everything it accepts has a limit in ServerOptions. Work for a
/// client that has closed its connection, or its side of it, is given up soon (Request::stop).
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
