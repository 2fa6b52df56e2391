#include "store/relay/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/try.h"

namespace meterline::store::relay {
namespace {

constexpr const char* socket_file = "socket";
constexpr std::size_t size_bytes = 4;
constexpr int backlog = 64;

tl::unexpected<Error> socket_error(std::string_view what, const std::filesystem::path& folder) {
  return fail(Errc::unavailable, fmt::format("cannot {} the socket in {}: {}", what,
                                             folder.string(), std::strerror(errno)));
}

/// An address has 108 bytes for a path, and a folder's may be longer: it is named by its
/// descriptor.
struct Address {
  Descriptor folder;
  sockaddr_un name{};
};

Result<Address> address_in(const std::filesystem::path& folder) {
  Address address{.folder = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))};
  if (address.folder.get() < 0) return socket_error("find", folder);
  address.name.sun_family = AF_UNIX;
  const auto path = fmt::format("/proc/self/fd/{}/{}", address.folder.get(), socket_file);
  path.copy(address.name.sun_path, sizeof address.name.sun_path - 1);
  return address;
}

const sockaddr* name_of(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.name);
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> Connection::send(Kind kind, std::string_view payload) {
  const auto size = payload.size() + 1;
  if (size > frame_bytes_max)
    return fail(Errc::too_large, fmt::format("a change of more than {} bytes cannot be handed to "
                                             "the process that owns the store; stop it first",
                                             frame_bytes_max));
  std::string frame;
  frame.reserve(size_bytes + size);
  for (std::size_t i = 0; i < size_bytes; ++i) frame += static_cast<char>(size >> (8 * i) & 0xFF);
  frame += static_cast<char>(kind);
  frame += payload;
  for (std::string_view left = frame; !left.empty();) {
    const auto sent = ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0)
      return fail(Errc::unavailable,
                  fmt::format("the process that owns the store takes no more ({}); run the same "
                              "again",
                              std::strerror(errno)));
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> Connection::read(char* to, std::size_t count) {
  while (count > 0) {
    const auto got = ::recv(socket_.get(), to, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return fail(Errc::unavailable,
                  fmt::format("the process that owns the store ended before it answered{}{}; run "
                              "the same again",
                              got < 0 ? ": " : "", got < 0 ? std::strerror(errno) : ""));
    to += got;
    count -= static_cast<std::size_t>(got);
  }
  return {};
}

Result<Frame> Connection::receive() {
  std::array<char, size_bytes + 1> head{};
  METERLINE_CHECK(read(head.data(), head.size()));
  std::size_t size = 0;
  for (std::size_t i = 0; i < size_bytes; ++i)
    size |= std::size_t{static_cast<unsigned char>(head[i])} << (8 * i);
  Frame frame{.kind = static_cast<Kind>(head.back()), .payload = {}};
  if (size == 0 || size > frame_bytes_max || frame.kind < Kind::hello || frame.kind > Kind::error)
    return fail(Errc::corrupt, "what came through the store's socket is none of meterline's");
  frame.payload.resize(size - 1);
  METERLINE_CHECK(read(frame.payload.data(), frame.payload.size()));
  return frame;
}

void Connection::end() { ::shutdown(socket_.get(), SHUT_RDWR); }

Result<Descriptor> connect_in(const std::filesystem::path& folder) {
  METERLINE_TRY(const auto address, address_in(folder));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return socket_error("make", folder);
  if (::connect(socket.get(), name_of(address), sizeof address.name) != 0)
    return fail(Errc::unavailable,
                fmt::format("the process that owns the store in {} takes no changes of others, or "
                            "has ended ({}); run the same again",
                            folder.string(), std::strerror(errno)));
  return socket;
}

Result<Descriptor> listen_in(const std::filesystem::path& folder) {
  remove_in(folder);
  METERLINE_TRY(const auto address, address_in(folder));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return socket_error("make", folder);
  if (::bind(socket.get(), name_of(address), sizeof address.name) != 0)
    return socket_error("make", folder);
  // Before anybody can connect.
  if (::fchmodat(address.folder.get(), socket_file, S_IRUSR | S_IWUSR, 0) != 0)
    return socket_error("protect", folder);
  if (::listen(socket.get(), backlog) != 0) return socket_error("listen on", folder);
  return socket;
}

void remove_in(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove(folder / socket_file, ignored);
}

void wait_at_most(const Descriptor& socket, std::chrono::seconds time) {
  const timeval limit{.tv_sec = time.count(), .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

}  // namespace meterline::store::relay
