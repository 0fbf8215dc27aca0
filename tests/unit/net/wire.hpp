// Blocking sockets and whole messages for the tests of this folder: a client's or a server's end of a connection.
#pragma once
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/message.hpp"

namespace pgtandem::net::test {

inline constexpr int patience_ms = 10000;  // for anything that must happen

// Owns a descriptor; reads with a limit.
class wire {
 public:
  wire() = default;
  explicit wire(int fd) : fd_(fd) {}
  wire(wire&& o) noexcept { *this = std::move(o); }
  wire& operator=(wire&& o) noexcept {
    std::swap(fd_, o.fd_);
    std::swap(buffer_, o.buffer_);
    return *this;
  }
  ~wire() { close(); }

  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  // false: the other end has closed, or said nothing in time.
  bool more(int limit_ms = patience_ms) {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, limit_ms) != 1) return false;
    char part[16384];
    const auto n = ::recv(fd_, part, sizeof part, 0);
    if (n <= 0) return false;
    buffer_.append(part, static_cast<std::size_t>(n));
    return true;
  }
  std::optional<std::string> take(std::size_t bytes) {
    while (buffer_.size() < bytes)
      if (!more()) return std::nullopt;
    std::string t = buffer_.substr(0, bytes);
    buffer_.erase(0, bytes);
    return t;
  }
  // The next whole message with its header.
  std::optional<std::string> message() {
    for (;;) {
      const auto f = protocol::scan(buffer_);
      if (f.complete()) return take(f.size);
      if (!more()) return std::nullopt;
    }
  }
  // Reads messages up to one of this type; all of them together.
  std::string until(char type) {
    std::string all;
    while (auto m = message()) {
      all += *m;
      if (m->front() == type) return all;
    }
    return all;
  }
  bool closed() { return buffer_.empty() && !more(); }

 private:
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace pgtandem::net::test
