// The admin port: HTTP/1.1 on a thread of its own. A slow database, a slow reader or a flood of connections here never reaches the
// loops of the clients.
//
// Bounds: connections_max at a time (more are closed at once), a request of at most body_max bytes and header_max of header, each
// read, write and idle time at most `patience`. Routes that ask a database run on one further thread, at most waiting_max of them
// at a time; beyond it 503. The context outlives the server.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/admin/routes.hpp"

namespace pgtandem::admin {

class http_server {
 public:
  static constexpr std::size_t connections_max = 64, body_max = 64 << 10, header_max = 8 << 10, waiting_max = 16;
  static constexpr std::chrono::seconds patience{30};

  explicit http_server(context c);
  ~http_server();   // stop()

  // Empty, or why it cannot listen. Port 0 takes a free one.
  std::string start(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;
  void stop();

 private:
  struct impl;
  std::unique_ptr<impl> i_;
};

}  // namespace pgtandem::admin
