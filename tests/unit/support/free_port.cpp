#include "tests/unit/support/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>

namespace pgtandem::test {
namespace {

constexpr int first = 10000;  // below live well-known servers
constexpr int beyond = 65536;
constexpr std::size_t enough_blocks = 40;

std::vector<int> blocks_between(int from, int to) {
  std::vector<int> found;
  from = (from + block_ports - 1) / block_ports * block_ports;
  for (int start = from; start + block_ports <= to; start += block_ports) found.push_back(start);
  return found;
}

bool can_be_bound(int port) {
  const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool ok = s >= 0 && ::bind(s, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0;
  if (s >= 0) ::close(s);
  return ok;
}

// The socket stays open until the process ends: that is what holds the block.
bool claimed(int block) {
  const int s = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const std::string name = "pgtandem-ports-" + std::to_string(block);
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::memcpy(a.sun_path + 1, name.data(), name.size());  // a first byte of zero: abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (s >= 0 && ::bind(s, reinterpret_cast<sockaddr*>(&a), size) == 0) return true;
  if (s >= 0) ::close(s);
  return false;
}

int another_block() {
  auto starts = port_blocks(ephemeral_range());
  std::shuffle(starts.begin(), starts.end(), std::mt19937(std::random_device{}()));
  for (int start : starts)
    if (claimed(start)) return start;
  throw std::runtime_error("every block of ports is taken");
}

// The ports of this process; a child after fork() takes a block of its own.
struct ports {
  std::mutex mutex;
  pid_t owner = 0;
  int next = 0, end = 0;
};

}  // namespace

std::vector<int> port_blocks(std::pair<int, int> ephemeral) {
  const auto below = blocks_between(first, std::min(ephemeral.first, beyond));
  if (below.size() >= enough_blocks) return below;
  const auto above = blocks_between(std::max(ephemeral.second + 1, first), beyond);
  return above.size() >= enough_blocks ? above : blocks_between(first, beyond);
}

std::pair<int, int> ephemeral_range() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  std::pair<int, int> range;
  if (!(file >> range.first >> range.second)) throw std::runtime_error("no ip_local_port_range");
  return range;
}

int free_port() {
  static ports mine;
  const std::lock_guard lock(mine.mutex);
  if (mine.owner != ::getpid()) {
    mine.owner = ::getpid();
    mine.next = mine.end = 0;
  }
  for (;;) {
    while (mine.next < mine.end)
      if (const int port = mine.next++; can_be_bound(port)) return port;
    mine.next = another_block();
    mine.end = mine.next + block_ports;
  }
}

}  // namespace pgtandem::test
