#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace meterline::testing {

inline constexpr std::chrono::seconds patience{60};  ///< Longer than any good answer takes.

/// A connection that sends what it is told, right or wrong.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }

  Client& say(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) break;  // The server has closed; what it said is still to be read.
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return *this;
  }

  /// The next head, up to its empty line; less when the server closes.
  std::string head() {
    while (heard_.find("\r\n\r\n") == std::string::npos && listen()) {
    }
    return take(std::min(heard_.find("\r\n\r\n") + 4, heard_.size()));
  }

  /// Status and body of the next answer: `200 body`.
  std::string answer() {
    const std::string text = head();
    const auto length = text.find("Content-Length: ");
    if (text.size() < 12 || length == std::string::npos) return "closed";
    const std::size_t bytes = std::stoul(text.substr(length + 16));
    while (heard_.size() < bytes && listen()) {
    }
    return text.substr(9, 3) + " " + take(std::min(bytes, heard_.size()));
  }

  /// What the next chunk of a body holds; nothing at its end, or when the server closes.
  std::string chunk() {
    while (heard_.find("\r\n") == std::string::npos && listen()) {
    }
    const auto line = take(std::min(heard_.find("\r\n") + 2, heard_.size()));
    if (line.empty()) return {};
    const std::size_t bytes = std::stoul(line, nullptr, 16);
    while (heard_.size() < bytes + 2 && listen()) {
    }
    const auto held = take(std::min(bytes, heard_.size()));
    take(std::min<std::size_t>(2, heard_.size()));
    return held;
  }

  /// All until the server closes.
  std::string rest() {
    while (listen()) {
    }
    return take(heard_.size());
  }

 private:
  bool listen() {
    std::array<char, 65536> piece{};
    const ssize_t count = recv(socket_, piece.data(), piece.size(), 0);
    if (count > 0) heard_.append(piece.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  std::string take(std::size_t bytes) {
    std::string text = heard_.substr(0, bytes);
    heard_.erase(0, bytes);
    return text;
  }

  int socket_;
  bool connected_ = false;
  std::string heard_;
};

}  // namespace meterline::testing
