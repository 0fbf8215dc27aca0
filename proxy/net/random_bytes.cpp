#include "proxy/net/random_bytes.hpp"

#include <sys/random.h>

namespace pgtandem::net {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const auto n = ::getrandom(bytes.data() + have, count - have, 0);
    if (n > 0) have += static_cast<std::size_t>(n);  // below 256 bytes it fails only when interrupted
  }
  return bytes;
}

}  // namespace pgtandem::net
