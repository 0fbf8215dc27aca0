// A blocking HTTP client for one admin port: one connection per request, every request bounded in time and size.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgtandem::admin {

struct admin_address {
  std::string host, port;
};
// "http://host:port", "host:port", "http://[::1]:6433"; the port may be left out. nullopt: not understood.
std::optional<admin_address> parse_address(std::string_view url);

struct http_answer {
  unsigned status = 0;        // 0: not reached, see `body`
  std::string body;
};

class http_client {
 public:
  static constexpr std::chrono::seconds patience{35};     // longer than the server's own
  static constexpr std::size_t body_max = 16u << 20;
  http_client(admin_address at, std::string token) : at_(std::move(at)), token_(std::move(token)) {}
  http_answer get(std::string_view path) { return exchange("GET", path, {}); }
  http_answer post(std::string_view path, std::string_view body) { return exchange("POST", path, body); }

 private:
  http_answer exchange(std::string_view method, std::string_view path, std::string_view body);
  const admin_address at_;
  const std::string token_;
};

}  // namespace pgtandem::admin
