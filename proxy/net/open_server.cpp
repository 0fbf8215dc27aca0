#include "proxy/net/open_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <memory>
#include <vector>

#include "proxy/net/socket_options.hpp"

namespace pgtandem::net {
namespace {

using generic_endpoint = boost::asio::generic::stream_protocol::endpoint;
using tcp_resolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, executor>;

// What the watchdog cancels: a resolution or a connect, whichever is under way.
struct attempt {
  explicit attempt(boost::asio::io_context& c) : resolver(c), socket(c), watchdog(c) {}
  tcp_resolver resolver;
  stream_socket socket;
  timer watchdog;
  bool late = false;
};

void watch(const std::shared_ptr<attempt>& a, std::chrono::milliseconds limit) {
  a->watchdog.expires_after(limit);
  a->watchdog.async_wait([a](error_code ec) {
    if (ec) return;
    a->late = true;
    a->resolver.cancel();
    error_code ignored;
    a->socket.close(ignored);
  });
}

task<std::vector<generic_endpoint>> addresses_of(attempt& a, const database::endpoint& e, error_code& ec) {
  std::vector<generic_endpoint> found;
  if (e.unix_socket) {
    const std::string path = e.unix_path();
    // A longer path does not fit into sockaddr_un.
    if (path.size() < sizeof(sockaddr_un::sun_path)) {
      found.emplace_back(boost::asio::local::stream_protocol::endpoint(path));
    } else {
      ec = boost::asio::error::invalid_argument;
    }
    co_return found;
  }
  if (const auto literal = boost::asio::ip::make_address(e.address.empty() ? e.host : e.address, ec); !ec) {
    found.emplace_back(boost::asio::ip::tcp::endpoint(literal, e.port));
    co_return found;
  }
  ec = {};
  const auto answers =
      co_await a.resolver.async_resolve(e.host, std::to_string(e.port), boost::asio::redirect_error(use_task, ec));
  for (const auto& answer : answers) found.emplace_back(answer.endpoint());
  co_return found;
}

}  // namespace

task<boost::system::result<stream_socket>> open_server(boost::asio::io_context& context, database::endpoint endpoint,
                                                       std::chrono::milliseconds limit) {
  const auto a = std::make_shared<attempt>(context);
  watch(a, limit);
  error_code ec;
  const auto addresses = co_await addresses_of(*a, endpoint, ec);
  if (!ec && addresses.empty()) ec = boost::asio::error::host_not_found;
  for (const auto& address : addresses) {
    if (a->late) break;
    ec = {};
    a->socket = stream_socket(context);
    co_await a->socket.async_connect(address, boost::asio::redirect_error(use_task, ec));
    if (!ec) break;
  }
  a->watchdog.cancel();
  if (a->late) co_return make_error_code(boost::asio::error::timed_out);
  if (ec) co_return ec;
  a->socket.non_blocking(true, ec);
  if (!endpoint.unix_socket) prepare_server_socket(a->socket.native_handle());
  co_return std::move(a->socket);
}

}  // namespace pgtandem::net
