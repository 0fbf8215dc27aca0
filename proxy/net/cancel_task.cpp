#include "proxy/net/cancel_task.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "protocol/startup_packet.hpp"
#include "proxy/net/open_server.hpp"

namespace pgtandem::net {
namespace {

constexpr std::chrono::milliseconds cancel_limit{5000};  // for the connection, and again for the server's close

// What it is for may be held in the session itself, on a loop of its own.
task<bool> session_took(boost::asio::io_context& context, const cancel_registry& keys, cancel_key key) {
  const auto session = keys.session_of(key);
  if (!session) co_return false;
  struct waiting {
    explicit waiting(boost::asio::io_context& c) : bell(c) {}
    timer bell;
    bool took = false;
  };
  const auto w = std::make_shared<waiting>(context);
  w->bell.expires_after(cancel_limit);
  session([w, &context](bool took) {
    boost::asio::post(context, [w, took] {
      w->took = took;
      w->bell.cancel();
    });
  });
  error_code ec;
  co_await w->bell.async_wait(boost::asio::redirect_error(use_task, ec));
  co_return w->took;
}

}  // namespace

task<void> forward_cancel(boost::asio::io_context& context, const cancel_registry& keys, cancel_key key) {
  if (co_await session_took(context, keys, key)) co_return;
  const auto target = keys.find(key);
  if (!target) co_return;
  auto opened = co_await open_server(context, target->endpoint, cancel_limit);
  if (!opened) co_return;
  const auto socket = std::make_shared<stream_socket>(std::move(*opened));
  timer watchdog(context);
  watchdog.expires_after(cancel_limit);
  watchdog.async_wait([socket](error_code ec) {
    if (!ec) socket->close(ec);
  });
  std::string request;
  protocol::write_cancel_request(request, target->pid, target->secret);
  error_code ec;
  co_await boost::asio::async_write(*socket, boost::asio::buffer(request), boost::asio::redirect_error(use_task, ec));
  std::array<char, 64> nothing;  // the server says nothing: it closes
  while (!ec) co_await socket->async_read_some(boost::asio::buffer(nothing), boost::asio::redirect_error(use_task, ec));
}

}  // namespace pgtandem::net
