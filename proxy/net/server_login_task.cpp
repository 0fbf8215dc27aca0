#include "proxy/net/server_login_task.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <stdexcept>

#include "proxy/net/open_server.hpp"
#include "proxy/net/random_bytes.hpp"
#include "proxy/session/server_login.hpp"

namespace pgtandem::net {
namespace {

constexpr std::size_t login_read_bytes = 4096;

struct talk {
  stream_ptr stream;
  bool late = false;
};

// Carries bytes both ways until the login core has its answer.
task<void> converse(boost::asio::io_context& context, stream_ptr stream, session::server_login& login,
                    std::chrono::milliseconds limit) {
  const auto t = std::make_shared<talk>(talk{stream});
  timer watchdog(context);
  watchdog.expires_after(limit);
  watchdog.async_wait([t](error_code ec) {
    if (ec) return;
    t->late = true;
    t->stream->close();
  });
  std::array<char, login_read_bytes> buffer;
  while (login.state() == session::login_state::pending) {
    auto out = login.take_output();
    stream->send(out);
    error_code ec;
    co_await stream->drained(ec);
    std::size_t n = 0;
    if (!ec)
      n = co_await stream->socket().async_read_some(boost::asio::buffer(buffer),
                                                    boost::asio::redirect_error(use_task, ec));
    if (ec) {
      login.server_closed(t->late ? "it did not answer in time" : ec.message());
    } else {
      login.server_data({buffer.data(), n});
    }
  }
}

}  // namespace

void throw_exception_from_error(const login_refusal& r, const boost::source_location&) {
  throw std::runtime_error(r.message);
}

task<login_result> log_in_to(boost::asio::io_context& context, const place_address& address, control::place where,
                             session::identity who) {
  std::string problem = "no host is configured";
  for (const auto& endpoint : address.server.endpoints) {
    auto socket = co_await open_server(context, endpoint, address.connect_timeout());
    if (!socket) {
      problem = socket.error().message();
      continue;
    }
    server_link link{.stream = stream_ptr(new peer_stream(std::move(*socket))), .where = where, .endpoint = endpoint};
    session::server_login login(std::move(who), address.server.database, random_bytes(nonce_bytes));
    co_await converse(context, link.stream, login, address.connect_timeout());
    if (login.state() != session::login_state::ready) {
      const auto& f = login.failure();
      link.stream->close();
      co_return login_refusal{f.sqlstate, f.message, f.raw};
    }
    link.hello = login.hello();
    link.notices = login.notices();
    link.leftover = login.leftover();
    co_return std::move(link);
  }
  const std::string place(control::name_of(where));
  co_return login_refusal{"08001", "could not connect to the " + place + " server: " + problem, {}};
}

}  // namespace pgtandem::net
