// What a session may know beyond its own conversation: the routing, both catalogs, the limits. Immutable snapshots, published
// by the control thread to every loop; a session takes a new one only between transactions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "proxy/control/phase.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

enum class policy : std::uint8_t { degrade, strict };

// From the configuration. Bounds are the settings' own.
struct limits {
  policy secondary_policy = policy::degrade;
  std::uint32_t budget_ms = 250;                       // how long a commit may wait for the secondary
  std::size_t statement_max = 64u << 20;               // Query/Parse texts beyond it are not analyzed (bytes)
  std::size_t write_set_max = 64u << 20;               // image bytes of an op; beyond it the op's tables become dirty as a whole
  std::size_t keys_max = 100000;                       // keys named by one op; beyond it likewise
  std::size_t prepared_max = 16384;                    // prepared statements of a session
  std::size_t idempotent_outcome_max = 64u << 10;      // bytes of a recorded outcome
};

struct world {
  control::routing routing;
  sql::catalog_ptr primary;    // of the present primary; null until loaded
  sql::catalog_ptr secondary;  // of the present secondary; null while unreachable
  limits bounds;
};
using world_ptr = std::shared_ptr<const world>;

}  // namespace pgtandem::session
