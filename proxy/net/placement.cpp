#include "proxy/net/placement.hpp"

#include <algorithm>

namespace pgtandem::net {

std::size_t choose_loop(std::span<const std::uint32_t> loads, std::uint32_t together) {
  const auto least = std::ranges::min_element(loads, {}, [together](std::uint32_t n) { return n / together; });
  return static_cast<std::size_t>(least - loads.begin());
}

}  // namespace pgtandem::net
