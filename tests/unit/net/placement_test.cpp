// Clients are dealt to loops in blocks.
#include "proxy/net/placement.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace pgtandem::net::test {
namespace {

using loads = std::vector<std::uint32_t>;

loads dealt(std::size_t loops, std::uint32_t together, int clients) {
  loads l(loops);
  for (int i = 0; i < clients; ++i) ++l[choose_loop(l, together)];
  return l;
}

TEST_CASE("clients fill a block of one loop before the next loop begins its own") {
  const struct {
    std::size_t loops;
    std::uint32_t together;
    int clients;
    loads want;
  } rows[] = {
      {1, 8, 20, {20}},
      {3, 1, 4, {2, 1, 1}},
      {3, 8, 7, {7, 0, 0}},
      {3, 8, 8, {8, 0, 0}},
      {3, 8, 9, {8, 1, 0}},
      {3, 8, 24, {8, 8, 8}},
      {3, 8, 25, {9, 8, 8}},
      {3, 8, 33, {16, 9, 8}},
      {2, 100000, 50, {50, 0}},
  };
  for (const auto& r : rows) {
    CAPTURE(r.loops, r.together, r.clients);
    CHECK(dealt(r.loops, r.together, r.clients) == r.want);
  }
}

TEST_CASE("a loop that clients have left is filled first") {
  CHECK(choose_loop(loads{9, 16, 3}, 8) == 2);
  CHECK(choose_loop(loads{7, 16, 3}, 8) == 0);   // both have room in their first block
  CHECK(choose_loop(loads{7, 16, 3}, 1) == 2);
}

}  // namespace
}  // namespace pgtandem::net::test
