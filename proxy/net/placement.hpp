// Which loop a new client goes to. Pure.
//
// The least loaded one, where loads are compared in whole blocks of `together` clients: a loop fills a block before the
// next one begins its own, ties go to the first. So a few clients share one loop, and with it the transactions on the
// secondary and the kernel's wake-ups; many spread evenly, to within one block.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace pgtandem::net {

// `loads`: clients of each loop, at least one loop. `together` >= 1; 1 = by the number of clients alone.
std::size_t choose_loop(std::span<const std::uint32_t> loads, std::uint32_t together);

}  // namespace pgtandem::net
