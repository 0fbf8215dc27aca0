#include "tests/unit/net/fake_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/frontend_messages.hpp"

namespace pgtandem::net::test {
namespace {

constexpr int no_progress_ms = 700;  // then nobody is reading

std::string greeting() {
  std::string out;
  protocol::write_authentication_ok(out);
  protocol::write_parameter_status(out, "server_version", "15.0");
  protocol::write_backend_key(out, fake_server::pid, fake_server::secret);
  protocol::write_ready_for_query(out, protocol::transaction_idle);
  return out;
}

}  // namespace

fake_server::fake_server() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof a;
  ::bind(listener_, reinterpret_cast<sockaddr*>(&a), sizeof a);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&a), &size);
  port_ = ntohs(a.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

fake_server::~fake_server() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& t : threads_) t.join();
  for (const int fd : open_) ::close(fd);
  ::close(listener_);
}

void fake_server::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    open_.push_back(::dup(fd));  // so that the end of the test can wake the thread
    threads_.emplace_back([this, fd] {
      wire w(fd);
      serve(w);
      ::shutdown(fd, SHUT_RDWR);  // close() alone would not reach the peer: open_ holds the socket, too
    });
  }
}

void fake_server::serve(wire& w) {
  const auto length = w.take(4);
  if (!length) return;
  const auto u = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>((*length)[i])); };
  const std::uint32_t size = u(0) << 24 | u(1) << 16 | u(2) << 8 | u(3);
  const auto rest = w.take(size - 4);
  if (!rest) return;
  const std::string packet = *length + *rest;
  const auto f = protocol::scan_startup(packet);
  if (protocol::kind_of(f.code) == protocol::startup_kind::cancel) {
    const auto key = protocol::decode_cancel(f.body);
    cancelled_ = key && key->pid == pid && key->secret == secret;
    return;
  }
  w.send(greeting());
  while (auto m = w.message()) {
    if (m->front() == protocol::frontend::terminate) {
      ++terminated_;
      return;
    }
    if (m->front() == protocol::frontend::query)
      answer(w, protocol::decode_query(std::string_view(*m).substr(protocol::header_size)).value_or(""));
  }
}

void fake_server::answer(wire& w, std::string_view sql) {
  std::string out;
  char status = protocol::transaction_idle;
  if (sql == "flood") {
    flood(w);
  } else if (sql == "sleep") {
    for (int i = 0; i < patience_ms && !cancelled_ && !stopping_; ++i) ::usleep(1000);
    protocol::write_error(out, {.sqlstate = "57014", .message = "canceling statement due to user request"});
    protocol::write_ready_for_query(out, status);
    return w.send(out);
  }
  if (sql == "begin") status = protocol::transaction_open;
  protocol::write_command_complete(out, sql == "begin" ? "BEGIN" : sql == "commit" ? "COMMIT" : "SELECT 0");
  protocol::write_ready_for_query(out, status);
  w.send(out);
}

void fake_server::flood(wire& w) {
  std::string rows;
  const std::string value(8000, 'x');
  const std::optional<std::string_view> column(value);
  const protocol::field_description f{.name = "x"};
  protocol::write_row_description(rows, {&f, 1});
  w.send(rows);
  rows.clear();
  for (int i = 0; i < 8; ++i) protocol::write_data_row(rows, {&column, 1});
  while (flooded_ < flood_bytes && !stopping_) {
    pollfd p{w.fd(), POLLOUT, 0};
    while (::poll(&p, 1, no_progress_ms) == 0) stuck_ = true;
    stuck_ = false;
    if (p.revents & (POLLERR | POLLHUP)) return;
    w.send(rows);
    flooded_ += rows.size();
  }
}

}  // namespace pgtandem::net::test
