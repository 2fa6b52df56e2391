#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace meterline::store::relay {

// What goes over the socket, in frames:
//
//   frame | size of the rest, 4 bytes, little-endian | kind, 1 byte | payload |
//
// A connection is for one change:
//
//   who changes                                  who owns the store
//   hello (greeting)                             ok
//   write (deliveries)                           ok
//   entries (days and register reads), repeated
//   commit (reports)                             ok
//
// or, instead of the last three, event, unit or amend, of which each is answered by ok. What goes
// wrong is answered by error instead of ok, and is the last frame.

enum class Kind : std::uint8_t { hello = 1, write, entries, commit, event, unit, amend, ok, error };

/// A longer frame is refused; an amendment of 100,000 versions of days takes a tenth of it.
inline constexpr std::size_t frame_bytes_max = std::size_t{64} << 20;

/// The first payload: who speaks otherwise is another program. The number is raised with every
/// change of what is sent.
inline constexpr std::string_view greeting = "meterline relay 1";

struct Frame {
  Kind kind = Kind::error;
  std::string payload;
};

/// A descriptor that is closed with it.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// One end of a connection. Errors: `unavailable` where the other end is gone, or says nothing for
/// longer than it may; `corrupt` for what is no frame.
class Connection {
 public:
  explicit Connection(Descriptor socket) : socket_(std::move(socket)) {}
  Result<void> send(Kind kind, std::string_view payload);
  Result<Frame> receive();
  /// Both ends learn of it, whatever they are waiting for; from any thread.
  void end();

 private:
  Result<void> read(char* to, std::size_t count);
  Descriptor socket_;
};

/// The socket in a store's folder. Errors: `unavailable`.
Result<Descriptor> connect_in(const std::filesystem::path& folder);
/// A new one in place of one that is there; only this user may connect. It does not block.
Result<Descriptor> listen_in(const std::filesystem::path& folder);
/// Takes the name away.
void remove_in(const std::filesystem::path& folder);
/// How long a connection's receive() waits.
void wait_at_most(const Descriptor& socket, std::chrono::seconds time);

}  // namespace meterline::store::relay
