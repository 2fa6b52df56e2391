#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>

#include "http/server.h"
#include "http/work_queue.h"

namespace meterline::http {

/// One connection. Everything but the spooling of bodies and the handler, where it is not quick,
/// happens on the one thread of its Lane, so that a session needs no locks.
class Session {
 public:
  virtual ~Session() = default;
  virtual void start() = 0;                            ///< Serves requests until it is closed.
  virtual void refuse(const std::string& reason) = 0;  ///< Answers 503 and closes.
  virtual void close_if_idle() = 0;
  virtual void close() = 0;
};

/// A thread and the connections that it serves.
struct Lane {
  boost::asio::io_context io{1};
  std::set<std::shared_ptr<Session>> sessions;  ///< Only on the thread of `io`.
  /// Header read, answer not yet sent. For each lane apart, so that threads that answer quick
  /// requests share nothing that they change.
  std::atomic<std::size_t> requests_in_flight = 0;
};

/// What all sessions of a server share. Members may be used on any thread.
struct Engine {
  Engine(ServerOptions server_options, Handler request_handler)
      : options(std::move(server_options)),
        handler(std::move(request_handler)),
        usage(options.usage == nullptr ? own_usage : *options.usage),
        lanes(static_cast<std::size_t>(options.threads)),
        answers({.threads = lanes.size() + 1,
                 .long_threads_max = lanes.size(),
                 .brief_work = {.waiting_max = options.brief_waiting_max,
                                .waiting = usage.brief_waiting},
                 .long_work = {.waiting_max = options.lengthy_waiting_max,
                               .waiting = usage.lengthy_waiting}}),
        uploads({.threads = static_cast<std::size_t>(options.upload_threads),
                 .long_threads_max = 0,
                 .brief_work = {.waiting_max = options.uploads_waiting_max,
                                .waiting = usage.uploads_waiting},
                 .long_work = {.waiting_max = 0, .waiting = none_waiting}}),
        streams({.threads = static_cast<std::size_t>(options.stream_threads),
                 .long_threads_max = 0,
                 .brief_work = {.waiting_max = static_cast<std::size_t>(options.stream_threads),
                                .waiting = usage.streams_waiting},
                 .long_work = {.waiting_max = 0, .waiting = none_waiting}}) {}

  std::size_t requests_in_flight() const {
    std::size_t count = 0;
    for (const Lane& lane : lanes) count += lane.requests_in_flight;
    return count;
  }

  void tell(telemetry::LogLevel level, std::string_view message,
            std::initializer_list<telemetry::LogField> fields) const {
    if (options.log != nullptr) options.log->write(level, message, fields);
  }

  const ServerOptions options;
  const Handler handler;
  Usage own_usage;
  Usage& usage;  ///< That of the options, or own_usage.
  std::atomic<std::size_t> none_waiting = 0;
  std::atomic<bool> stopping = false;
  std::mutex mutex;
  std::condition_variable changed;  ///< With `mutex`, while stopping: a request was answered.

  std::deque<Lane> lanes;  ///< Declared before the queues, whose work posts to them.
  WorkQueue answers;       ///< Requests that are not quick.
  WorkQueue uploads;
  WorkQueue streams;
  boost::asio::thread_pool spooling{1};  ///< A slow disk must not hold up a lane.
};

/// A connection on `lane`; it counts as one of Usage::connections as long as it lives.
std::shared_ptr<Session> make_session(boost::asio::ip::tcp::socket socket, Engine& engine,
                                      Lane& lane);

}  // namespace meterline::http
