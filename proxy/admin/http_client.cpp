#include "proxy/admin/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace pgtandem::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

// Runs one asynchronous step to its end; the stream's own deadline bounds it.
template <class F>
boost::system::error_code step(asio::io_context& loop, F&& start) {
  boost::system::error_code result;
  start([&](boost::system::error_code e, auto&&...) { result = e; });
  loop.restart();
  loop.run();
  return result;
}

}  // namespace

std::optional<admin_address> parse_address(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (url.starts_with(scheme)) url.remove_prefix(scheme.size());
  else if (url.find("://") != std::string_view::npos) return std::nullopt;
  while (!url.empty() && url.back() == '/') url.remove_suffix(1);
  if (url.empty() || url.find('/') != std::string_view::npos) return std::nullopt;
  std::string_view host = url, port = "6433";
  if (url.front() == '[') {
    auto end = url.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = url.substr(1, end - 1);
    std::string_view rest = url.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    if (!rest.empty()) port = rest.substr(1);
  } else if (auto colon = url.rfind(':'); colon != std::string_view::npos) {
    host = url.substr(0, colon);
    port = url.substr(colon + 1);
  }
  if (host.empty() || port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return admin_address{std::string(host), std::string(port)};
}

http_answer http_client::exchange(std::string_view method, std::string_view path, std::string_view body) {
  asio::io_context loop;
  tcp::resolver resolver(loop);
  boost::system::error_code e;
  auto found = resolver.resolve(at_.host, at_.port, e);
  if (e) return {0, at_.host + ": " + e.message()};
  beast::tcp_stream stream(loop);
  stream.expires_after(patience);
  if (e = step(loop, [&](auto done) { stream.async_connect(found, done); }); e)
    return {0, at_.host + ":" + at_.port + ": " + e.message()};
  http::request<http::string_body> ask{http::string_to_verb({method.data(), method.size()}), {path.data(), path.size()}, 11};
  ask.set(http::field::host, at_.host);
  ask.set(http::field::connection, "close");
  if (!token_.empty()) ask.set(http::field::authorization, "Bearer " + token_);
  ask.set(http::field::content_type, "application/json");
  ask.body() = std::string(body);
  ask.prepare_payload();
  if (e = step(loop, [&](auto done) { http::async_write(stream, ask, done); }); e) return {0, e.message()};
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_max);
  if (e = step(loop, [&](auto done) { http::async_read(stream, buffer, parser, done); }); e) return {0, e.message()};
  return {parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace pgtandem::admin
