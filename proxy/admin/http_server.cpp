#include "proxy/admin/http_server.hpp"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <thread>

#include "proxy/telemetry/log.hpp"

namespace pgtandem::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using message = http::request<http::string_body>;

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

http::response<http::string_body> response_to(const message& m, reply&& r) {
  http::response<http::string_body> out{static_cast<http::status>(r.status), m.version()};
  out.set(http::field::server, "pgtandem");
  out.set(http::field::content_type, {r.content_type.data(), r.content_type.size()});
  out.set(http::field::cache_control, "no-store");
  if (r.status == 401) out.set(http::field::www_authenticate, "Bearer");
  out.keep_alive(m.keep_alive());
  if (m.method() != http::verb::head) out.body() = std::move(r.body);
  out.prepare_payload();
  return out;
}

}  // namespace

struct http_server::impl {
  explicit impl(context c) : with(std::move(c)) {}

  context with;
  asio::io_context loop{1};
  asio::thread_pool asking{1};   // the routes that ask a database
  tcp::acceptor acceptor{loop};
  std::thread thread;
  std::size_t connections = 0;   // the loop's thread only
  std::atomic<std::size_t> waiting{0};
  std::uint16_t port = 0;

  asio::awaitable<reply> answer_it(const message& m) {
    request r;
    const std::string method(m.method_string()), target(m.target()), authorization(m[http::field::authorization]);
    r.method = method == "HEAD" ? std::string_view("GET") : std::string_view(method);
    r.path = path_of(target);
    r.body = m.body();
    r.authorization = authorization;
    auto to = find_route(r.method, r.path).to;
    if (!to || !to->blocking) co_return answer(with, r);
    if (waiting.fetch_add(1) >= waiting_max) {
      waiting.fetch_sub(1);
      co_return problem(503, "too many requests wait for the databases");
    }
    co_await asio::post(asking, asio::bind_executor(asking, asio::use_awaitable));
    reply out = answer(with, r);
    waiting.fetch_sub(1);
    co_await asio::post(loop, asio::bind_executor(loop, asio::use_awaitable));
    co_return out;
  }

  asio::awaitable<void> serve(beast::tcp_stream stream) {
    beast::flat_buffer buffer(header_max + body_max);
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(header_max);
      parser.body_limit(body_max);
      stream.expires_after(patience);
      auto [failed, n] = co_await http::async_read(stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
      if (failed) {
        if (failed == http::error::end_of_stream || failed.category() != http::make_error_code(http::error::end_of_stream).category()) break;
        message none;
        none.version(11);
        bool large = failed == http::error::body_limit || failed == http::error::header_limit || failed == http::error::buffer_overflow;
        auto out = response_to(none, problem(large ? 413 : 400, large ? "the request is too large" : "this is no HTTP request"));
        out.keep_alive(false);
        co_await http::async_write(stream, out, asio::as_tuple(asio::use_awaitable));
        break;
      }
      message m = parser.release();
      stream.expires_never();
      reply r = co_await answer_it(m);
      with.metrics.add(telemetry::metric::admin_requests, 1, std::to_string(r.status));
      auto out = response_to(m, std::move(r));
      stream.expires_after(patience);
      auto [unwritten, written] = co_await http::async_write(stream, out, asio::as_tuple(asio::use_awaitable));
      if (unwritten || !out.keep_alive()) break;
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    --connections;
  }

  asio::awaitable<void> accept() {
    for (;;) {
      auto [failed, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (failed == asio::error::operation_aborted) co_return;
      if (failed) continue;
      if (connections >= connections_max) continue;   // closed by the destructor
      ++connections;
      asio::co_spawn(loop, serve(beast::tcp_stream(std::move(socket))), asio::detached);
    }
  }
};

http_server::http_server(context c) : i_(std::make_unique<impl>(std::move(c))) {}
http_server::~http_server() { stop(); }
std::uint16_t http_server::port() const { return i_->port; }

std::string http_server::start(const std::string& address, std::uint16_t port) {
  boost::system::error_code e;
  auto ip = asio::ip::make_address(address, e);
  if (e) return "admin.address " + address + ": " + e.message();
  tcp::endpoint at(ip, port);
  i_->acceptor.open(at.protocol(), e);
  if (!e) i_->acceptor.set_option(tcp::acceptor::reuse_address(true), e);
  if (!e) i_->acceptor.bind(at, e);
  if (!e) i_->acceptor.listen(tcp::acceptor::max_listen_connections, e);
  if (e) return "admin port " + address + ":" + std::to_string(port) + ": " + e.message();
  i_->port = i_->acceptor.local_endpoint(e).port();
  asio::co_spawn(i_->loop, i_->accept(), asio::detached);
  i_->thread = std::thread([this] { i_->loop.run(); });
  telemetry::log::info("admin port", {{"address", address}, {"port", i_->port}});
  return {};
}

void http_server::stop() {
  if (!i_->thread.joinable()) return;
  i_->asking.join();   // each is bounded by the limits of its connections
  i_->loop.stop();
  i_->thread.join();
}

}  // namespace pgtandem::admin
