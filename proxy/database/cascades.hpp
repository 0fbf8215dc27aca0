// What a DELETE reaches through the actions of foreign keys and only the primary would do: the children's triggers and
// rules, defaults that are not the same everywhere, and tables in scope behind one that is not. The secondary repeats a
// cascade by its own foreign keys, with user triggers off and without an image of the children. Pure.
#pragma once
#include <map>
#include <string>
#include <unordered_set>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::database {

struct cascade_risks {
  std::string on_delete, on_update;                 // the first trigger or rule that such a cascade meets; empty = none
  std::unordered_set<std::string> unsure_defaults;  // columns whose default may differ from call to call
};

struct cascade_node {
  sql::table* table = nullptr;
  const cascade_risks* risks = nullptr;
};

// Sets table::cascade_obstacle of each. Ends: a foreign key is walked once per table and event.
void find_cascade_obstacles(const std::map<sql::oid, cascade_node>& nodes);

}  // namespace pgtandem::database
