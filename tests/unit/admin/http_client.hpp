// A blocking HTTP exchange over loopback, as raw as a test wants it.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace pgtandem::test {

// Sends the bytes, reads until the server closes or five seconds have passed.
inline std::string converse(std::uint16_t port, const std::string& bytes) {
  int s = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval limit{5, 0};
  ::setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::string answer;
  if (::connect(s, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      ssize_t n = ::send(s, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    char buffer[4096];
    for (ssize_t n; (n = ::recv(s, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(s);
  return answer;
}

inline std::string ask(std::uint16_t port, const std::string& method, const std::string& path, const std::string& body = {},
                       const std::string& header = {}) {
  return converse(port, method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header +
                            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

}  // namespace pgtandem::test
