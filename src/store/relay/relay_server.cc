#include "store/relay/relay_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <list>
#include <system_error>
#include <thread>
#include <utility>

#include "core/try.h"
#include "store/relay/connection.h"
#include "store/relay/messages.h"

namespace meterline::store::relay {
namespace {

/// Somebody who says nothing for so long is taken for gone.
constexpr std::chrono::seconds silence_max{600};

/// What one connection asks for, from its greeting on.
class Change {
 public:
  Change(Connection& connection, Store& store) : connection_(connection), store_(store) {}

  Result<void> run() {
    METERLINE_TRY(const auto hello, connection_.receive());
    if (hello.kind != Kind::hello || hello.payload != greeting)
      return refuse({.code = Errc::refused,
                     .message = "the process that owns the store is another version of meterline; "
                                "use that one, or restart the server with this one"});
    METERLINE_CHECK(connection_.send(Kind::ok, {}));
    METERLINE_TRY(const auto asked, connection_.receive());
    switch (asked.kind) {
      case Kind::write:
        return write(asked.payload);
      case Kind::event:
        return answer(add_event(asked.payload));
      case Kind::amend:
        return answer(amend(asked.payload));
      case Kind::unit:
        return remember_unit(asked.payload);
      default:
        return refuse({.code = Errc::corrupt, .message = "the store's socket takes changes only"});
    }
  }

 private:
  Result<void> refuse(const Error& error) {
    return connection_.send(Kind::error, write_error(error));
  }
  Result<void> answer(const Result<void>& done) {
    return done ? connection_.send(Kind::ok, {}) : refuse(done.error());
  }
  Result<void> add_event(std::string_view bytes) {
    METERLINE_TRY(const auto of, read_event(bytes));
    return store_.add_event(of.delivery, of.event);
  }
  Result<void> amend(std::string_view bytes) {
    METERLINE_TRY(const auto parts, read_amendment(bytes));
    return store_.amend(parts.amendment);
  }
  Result<void> remember_unit(std::string_view bytes) {
    const auto unit = read_unit(bytes);
    if (!unit) return refuse(unit.error());
    const auto kept = store_.remember_unit(*unit);
    return kept ? connection_.send(Kind::ok, write_unit(*kept)) : refuse(kept.error());
  }
  Result<void> write(std::string_view bytes);

  Connection& connection_;
  Store& store_;
};

/// What cannot be added is told when all of it has come: who sends it does not listen before.
Result<void> Change::write(std::string_view bytes) {
  const auto deliveries = read_deliveries(bytes);
  if (!deliveries) return refuse(deliveries.error());
  auto writer = store_.write(*deliveries);
  if (!writer) return refuse(writer.error());
  METERLINE_CHECK(connection_.send(Kind::ok, {}));
  Result<void> added;
  for (;;) {
    METERLINE_TRY(const auto frame, connection_.receive());
    if (frame.kind == Kind::entries) {
      if (added) added = add_entries(frame.payload, **writer);
      continue;
    }
    if (!added) return refuse(added.error());
    if (frame.kind != Kind::commit)
      return refuse({.code = Errc::corrupt, .message = "the store's socket wants a commit"});
    const auto reports = read_reports(frame.payload);
    if (!reports) return refuse(reports.error());
    return answer((*writer)->commit(*reports));
  }
}

class Server final : public RelayServer {
 public:
  Server(std::filesystem::path folder, Store& store, Descriptor listening, Descriptor stopping)
      : folder_(std::move(folder)),
        store_(store),
        listening_(std::move(listening)),
        stopping_(std::move(stopping)),
        accepting_([this] { accept_all(); }) {}

  ~Server() override {
    constexpr std::uint64_t once = 1;
    remove_in(folder_);
    // Of eight bytes to a new event there is nothing that could fail.
    static_cast<void>(!::write(stopping_.get(), &once, sizeof once));
    accepting_.join();
    for (auto& served : served_) served.connection.end();
    for (auto& served : served_) served.thread.join();
  }

 private:
  struct Served {
    explicit Served(Descriptor socket) : connection(std::move(socket)) {}
    Connection connection;
    std::atomic<bool> done = false;
    std::thread thread;
  };

  void accept_all() {
    for (;;) {
      std::array<pollfd, 2> waited = {pollfd{.fd = listening_.get(), .events = POLLIN},
                                      pollfd{.fd = stopping_.get(), .events = POLLIN}};
      if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return;
      if (waited[1].revents != 0) return;
      Descriptor socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.get() >= 0) serve(std::move(socket));
    }
  }

  void serve(Descriptor socket) {
    served_.remove_if([](Served& served) {
      const bool is_done = served.done;  // Asked once: it may become so in between.
      if (is_done) served.thread.join();
      return is_done;
    });
    if (served_.size() >= relays_max) {
      static_cast<void>(Connection(std::move(socket)).send(Kind::error, write_error(busy())));
      return;
    }
    wait_at_most(socket, silence_max);
    auto& served = served_.emplace_back(std::move(socket));
    try {
      served.thread = std::thread([this, &served] {
        // Nobody is left to tell of an error.
        static_cast<void>(Change(served.connection, store_).run());
        served.connection.end();
        served.done = true;
      });
    } catch (const std::system_error&) {  // No thread is to be had: the other end finds it closed.
      served_.pop_back();
    }
  }

  static Error busy() {
    return {.code = Errc::unavailable,
            .message =
                "the process that owns the store takes changes of others already, as many "
                "as it can at once; run the same again"};
  }

  const std::filesystem::path folder_;
  Store& store_;
  const Descriptor listening_;
  const Descriptor stopping_;
  std::list<Served> served_;  ///< Of the accepting thread while it runs.
  std::thread accepting_;     ///< Last: it uses all others.
};

}  // namespace

Result<std::unique_ptr<RelayServer>> start_relay(const std::filesystem::path& folder,
                                                 Store& store) {
  METERLINE_TRY(auto listening, listen_in(folder));
  Descriptor stopping(::eventfd(0, EFD_CLOEXEC));
  if (stopping.get() < 0) return fail(Errc::unavailable, "cannot wait for the end of a socket");
  return std::make_unique<Server>(folder, store, std::move(listening), std::move(stopping));
}

}  // namespace meterline::store::relay
