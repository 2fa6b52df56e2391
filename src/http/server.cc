#include "http/server.h"

#include <fmt/core.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <thread>
#include <vector>

#include "core/try.h"
#include "http/session.h"

namespace meterline::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using telemetry::LogLevel;

/// Connections beyond connections_max that are told so; more are just closed.
constexpr std::size_t refused_at_once_max = 100;
constexpr std::chrono::seconds refusal_told_every{10};
constexpr std::chrono::milliseconds accept_pause{100};  ///< When no connection can be opened.

std::string shown(const std::string& address, std::string_view port) {
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", port);
}

tl::unexpected<Error> cannot_listen(const ServerOptions& options, error_code error) {
  const auto& [address, port] = std::tie(options.address, options.port);
  if (error == asio::error::address_in_use)
    return fail(Errc::unavailable,
                fmt::format("port {} on {} is in use; choose another with --listen {}", port,
                            address, shown(address, "PORT")));
  if (error == asio::error::access_denied)
    return fail(Errc::invalid_argument,
                fmt::format("port {} needs special rights; choose one above 1023, like --listen {}",
                            port, shown(address, "8080")));
  return fail(Errc::invalid_argument,
              fmt::format("cannot listen on {}: {}; give an address of this machine, like "
                          "--listen 127.0.0.1:8080",
                          shown(address, std::to_string(port)), error.message()));
}

class HttpServer final : public Server {
 public:
  HttpServer(ServerOptions options, Handler handler)
      : engine_(std::move(options), std::move(handler)),
        acceptor_(engine_.lanes.front().io),
        pause_(engine_.lanes.front().io) {
    for (Lane& lane : engine_.lanes) work_.push_back(asio::make_work_guard(lane.io));
  }

  ~HttpServer() override {
    if (threads_.empty()) return;
    stop(std::chrono::milliseconds(0));
    engine_.answers.stop();
    engine_.uploads.stop();
    engine_.streams.stop();
    engine_.spooling.stop();
    engine_.spooling.join();
    for (Lane& lane : engine_.lanes) lane.io.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  Result<void> listen() {
    const auto& options = engine_.options;
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) return cannot_listen(options, error);
    const tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return cannot_listen(options, error);
    port_ = acceptor_.local_endpoint(error).port();
    return {};
  }

  void run() {
    accept();
    for (Lane& lane : engine_.lanes) threads_.emplace_back([this, &lane] { serve(lane); });
  }

  std::uint16_t port() const override { return port_; }
  bool stop(std::chrono::milliseconds grace) override;

 private:
  /// Whatever a connection does, the others go on: memory that ran out costs that one only.
  void serve(Lane& lane) const {
    for (;;) {
      try {
        lane.io.run();
        return;
      } catch (const std::exception& error) {
        engine_.tell(LogLevel::error, "a connection was dropped", {{"reason", error.what()}});
        close_orphans(lane);
      }
    }
  }

  /// Closes sessions that nothing is under way for: work in progress shares the session.
  static void close_orphans(const Lane& lane) {
    std::vector<std::shared_ptr<Session>> orphans;
    for (const auto& session : lane.sessions)
      if (session.use_count() == 1) orphans.push_back(session);
    for (const auto& session : orphans) session->close();
  }

  /// The lanes take connections in turns.
  Lane& next_lane() {
    Lane& lane = engine_.lanes[next_lane_];
    next_lane_ = (next_lane_ + 1) % engine_.lanes.size();
    return lane;
  }

  void accept() {
    Lane& lane = next_lane();
    acceptor_.async_accept(lane.io, [this, &lane](error_code error, tcp::socket socket) {
      if (engine_.stopping) return;
      if (!error) {
        admit(std::move(socket), lane);
        return accept();
      }
      engine_.tell(LogLevel::warning, "cannot take a connection", {{"reason", error.message()}});
      pause_.expires_after(accept_pause);
      pause_.async_wait([this](error_code stopped) {
        if (!stopped && !engine_.stopping) accept();
      });
    });
  }

  /// Once in a while: whoever opens many connections must not fill the log as well.
  void tell_refused(std::size_t open) {
    ++refused_;
    const auto now = std::chrono::steady_clock::now();
    if (now - refusal_told_at_ < refusal_told_every) return;
    engine_.tell(LogLevel::warning, "connections refused: as many are open as may be",
                 {{"open", static_cast<std::int64_t>(open)}, {"refused", refused_}});
    refusal_told_at_ = now;
    refused_ = 0;
  }

  void admit(tcp::socket socket, Lane& lane) {
    const std::size_t open = engine_.usage.connections;
    const std::size_t limit = engine_.options.connections_max;
    if (open >= limit) tell_refused(open);
    if (open >= limit + refused_at_once_max) return;
    error_code error;
    socket.set_option(tcp::no_delay(true), error);
    socket.non_blocking(true, error);
    if (error) return;
    std::string refusal;
    if (open >= limit)
      refusal = fmt::format("{} connections are open, at most {} are served: try again soon", open,
                            limit);
    asio::post(lane.io, [&lane, session = make_session(std::move(socket), engine_, lane),
                         reason = std::move(refusal)] {
      lane.sessions.insert(session);
      if (reason.empty())
        session->start();
      else
        session->refuse(reason);
    });
  }

  /// Runs `task` on the lane's thread and waits for it.
  template <class Task>
  static void run_on(Lane& lane, Task task) {
    std::promise<void> done;
    asio::post(lane.io, [&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  Engine engine_;
  std::int64_t refused_ = 0;  ///< Since that was told; of the one accept that is under way.
  std::chrono::steady_clock::time_point refusal_told_at_{};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::size_t next_lane_ = 0;
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;
};

bool HttpServer::stop(std::chrono::milliseconds grace) {
  run_on(engine_.lanes.front(), [this] {
    engine_.stopping = true;
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  });
  for (Lane& lane : engine_.lanes)
    run_on(lane, [&lane] {
      for (const auto& session : std::set(lane.sessions)) session->close_if_idle();
    });
  bool answered = false;
  {
    std::unique_lock lock(engine_.mutex);
    answered =
        engine_.changed.wait_for(lock, grace, [this] { return engine_.requests_in_flight() == 0; });
  }
  for (Lane& lane : engine_.lanes)
    run_on(lane, [&lane] {
      for (const auto& session : std::set(lane.sessions)) session->close();
    });
  return answered;
}

}  // namespace

Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler) {
  auto server = std::make_unique<HttpServer>(std::move(options), std::move(handler));
  METERLINE_CHECK(server->listen());
  server->run();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace meterline::http
