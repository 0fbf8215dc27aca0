#include "proxy/net/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace pgtandem::net {
namespace {

void set(int fd, int level, int name, std::uint32_t value) {
  const int v = static_cast<int>(value);
  (void)::setsockopt(fd, level, name, &v, sizeof v);
}

void prepare(int fd, std::uint32_t user_timeout_ms) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_seconds);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_seconds);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
}

}  // namespace

void prepare_client_socket(int fd) { prepare(fd, client_user_timeout_ms); }
void prepare_server_socket(int fd) { prepare(fd, server_user_timeout_ms); }

}  // namespace pgtandem::net
