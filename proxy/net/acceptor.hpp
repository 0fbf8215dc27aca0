// Listens, and hands each accepted socket to the loop that has the fewest clients.
//
// Runs on the io_context it is given (one thread, not a loop's). Out of file descriptors it pauses for a moment instead
// of spinning. close() ends it; sockets that were handed over are not its own any more.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "proxy/net/asio_types.hpp"

namespace pgtandem::net {

class acceptor {
 public:
  using taker = std::function<void(int fd, std::string peer)>;  // owns fd from then on

  acceptor(boost::asio::io_context& context, taker take);

  // Empty, or why the address cannot be listened on. Port 0 takes a free one.
  std::string listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;
  void close();

 private:
  void wait();
  void accept_all();

  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, executor> socket_;
  timer pause_;
  taker take_;
};

}  // namespace pgtandem::net
