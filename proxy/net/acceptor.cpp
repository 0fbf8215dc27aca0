#include "proxy/net/acceptor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "proxy/net/socket_options.hpp"

namespace pgtandem::net {
namespace {

constexpr int backlog = 1024;                       // connections the kernel holds for us
constexpr int accepts_per_wake = 64;                // then the signals have their turn
constexpr std::chrono::milliseconds pause_ms{100};  // after an accept() that failed for want of resources

std::string text_of(const sockaddr_storage& a) {
  char host[INET6_ADDRSTRLEN] = "";
  if (a.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(a);
    ::inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    return std::string(host) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(a);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
  return "[" + std::string(host) + "]:" + std::to_string(ntohs(v6.sin6_port));
}

}  // namespace

acceptor::acceptor(boost::asio::io_context& context, taker take)
    : socket_(context), pause_(context), take_(std::move(take)) {}

std::string acceptor::listen(const std::string& address, std::uint16_t port) {
  error_code ec;
  const auto host = boost::asio::ip::make_address(address == "*"           ? "0.0.0.0"
                                                  : address == "localhost" ? "127.0.0.1"
                                                                           : address,
                                                  ec);
  const boost::asio::ip::tcp::endpoint endpoint(host, port);
  if (!ec) socket_.open(endpoint.protocol(), ec);
  if (!ec) socket_.set_option(boost::asio::socket_base::reuse_address(true), ec);
  if (!ec) socket_.bind(endpoint, ec);
  if (!ec) socket_.listen(backlog, ec);
  if (!ec) socket_.non_blocking(true, ec);
  if (ec) return "cannot listen on " + address + ":" + std::to_string(port) + ": " + ec.message();
  wait();
  return {};
}

std::uint16_t acceptor::port() const {
  error_code ec;
  return socket_.local_endpoint(ec).port();
}

void acceptor::close() {
  error_code ec;
  pause_.cancel();
  socket_.close(ec);
}

void acceptor::wait() {
  socket_.async_wait(decltype(socket_)::wait_read, [this](error_code ec) {
    if (!ec) accept_all();
  });
}

// accept4 by hand: the socket belongs to a loop that is chosen only after it is there.
void acceptor::accept_all() {
  for (int i = 0; i < accepts_per_wake; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd =
        ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      prepare_client_socket(fd);
      take_(fd, text_of(peer));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      pause_.expires_after(pause_ms);
      pause_.async_wait([this](error_code ec) {
        if (!ec) wait();
      });
      return;
    }
  }
  wait();
}

}  // namespace pgtandem::net
