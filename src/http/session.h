#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

#include "http/server.h"

namespace meterline::http {

/// One connection. Everything but the handler and the spooling of bodies happens on the one
/// thread of Engine::io, so that a session needs no locks.
class Session {
 public:
  virtual ~Session() = default;
  virtual void start() = 0;                            ///< Serves requests until it is closed.
  virtual void refuse(const std::string& reason) = 0;  ///< Answers 503 and closes.
  virtual void close_if_idle() = 0;
  virtual void close() = 0;
};

/// What all sessions of a server share. Members without a note belong to the thread of `io`.
struct Engine {
  Engine(ServerOptions server_options, Handler request_handler)
      : options(std::move(server_options)),
        handler(std::move(request_handler)),
        answers(static_cast<std::size_t>(options.threads)),
        uploads(static_cast<std::size_t>(options.upload_threads)) {}

  const ServerOptions options;
  const Handler handler;
  boost::asio::io_context io{1};         ///< Declared before the pools, whose tasks post to it.
  boost::asio::thread_pool answers;      ///< Any thread.
  boost::asio::thread_pool uploads;      ///< Any thread.
  boost::asio::thread_pool spooling{1};  ///< Any thread. A slow disk must not hold up `io`.
  std::set<std::shared_ptr<Session>> sessions;
  bool stopping = false;

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t requests_in_flight = 0;  ///< Under `mutex`: header read, answer not yet sent.
};

std::shared_ptr<Session> make_session(boost::asio::ip::tcp::socket socket, Engine& engine);

}  // namespace meterline::http
