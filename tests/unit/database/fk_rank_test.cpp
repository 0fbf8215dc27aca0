#include "proxy/database/fk_rank.hpp"

#include <catch2/catch.hpp>

using pgtandem::database::rank_by_references;
using list = std::vector<std::uint32_t>;

TEST_CASE("parents rank below their children, cycles share a rank") {
  struct row {
    const char* what;
    std::vector<list> parents;
    list ranks;
  };
  const row table[] = {
      {"nothing", {}, {}},
      {"alone", {{}, {}}, {0, 0}},
      {"a chain, children first", {{1}, {2}, {}}, {2, 1, 0}},
      {"a chain, parents first", {{}, {0}, {1}}, {0, 1, 2}},
      {"itself", {{0}}, {0}},
      {"two in a circle", {{1}, {0}}, {0, 0}},
      {"a child of a circle", {{1}, {0}, {0}}, {0, 0, 1}},
      {"a circle of children", {{}, {0, 2}, {1}}, {0, 1, 1}},
      {"a diamond", {{}, {0}, {0}, {1, 2}}, {0, 1, 1, 2}},
      {"the longer way counts", {{}, {0}, {0, 1}}, {0, 1, 2}},
  };
  for (const row& r : table) {
    INFO(r.what);
    CHECK(rank_by_references(r.parents) == r.ranks);
  }
}

TEST_CASE("a chain as long as a database is wide does not need a deep stack") {
  std::vector<list> parents(200000);
  for (std::uint32_t i = 0; i + 1 < parents.size(); ++i) parents[i] = {i + 1};
  CHECK(rank_by_references(parents).front() == parents.size() - 1);
}
