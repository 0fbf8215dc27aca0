#include "proxy/database/cascades.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace pgtandem::database {

namespace {

// A foreign key that acts, because of a DELETE of the parent or an UPDATE of what it references.
struct step {
  const sql::reference* key = nullptr;
  bool by_delete = true;
  bool outside = false;  // a table on the way here is out of scope
  auto operator<=>(const step&) const = default;

  sql::fk_action action() const { return by_delete ? key->on_delete : key->on_update; }
  bool deletes() const { return by_delete && action() == sql::fk_action::cascade; }
};

bool share(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(a, [&](const std::string& name) { return std::ranges::find(b, name) != b.end(); });
}

// What the step meets in the child; empty if nothing. `root_in_scope`: of the table that the statement names.
std::string met(const step& s, const cascade_node& child, bool root_in_scope) {
  const sql::table& t = *child.table;
  if (s.outside && t.in_scope) return "reach it through a table out of scope: " + t.qualified;
  if (!root_in_scope) return {};
  const std::string& risk = s.deletes() ? child.risks->on_delete : child.risks->on_update;
  if (!risk.empty()) return "reach " + risk + " of " + t.qualified;
  if (!s.deletes() && !t.writing_default.empty()) return "reach " + t.writing_default + " of " + t.qualified;
  if (s.action() == sql::fk_action::set_default)
    for (const std::string& c : s.key->child_columns)
      if (child.risks->unsure_defaults.contains(c)) return "reach the default of column " + c + " of " + t.qualified;
  return {};
}

std::string obstacle_of(const sql::table& root, const std::map<sql::oid, cascade_node>& nodes) {
  std::set<step> seen;
  std::vector<step> todo;
  const auto push = [&](step s) {
    if (s.action() != sql::fk_action::none && seen.insert(s).second) todo.push_back(s);
  };
  for (const sql::reference& r : root.referenced_by) push({&r, true, !root.in_scope});
  while (!todo.empty()) {
    const step s = todo.back();
    todo.pop_back();
    const auto child = nodes.find(s.key->child);
    if (child == nodes.end()) continue;
    if (std::string what = met(s, child->second, root.in_scope); !what.empty()) return what;
    const bool outside = s.outside || !child->second.table->in_scope;
    for (const sql::reference& r : child->second.table->referenced_by)
      if (s.deletes() || share(r.parent_columns, s.key->child_columns)) push({&r, s.deletes(), outside});
  }
  return {};
}

}  // namespace

void find_cascade_obstacles(const std::map<sql::oid, cascade_node>& nodes) {
  for (const auto& [id, node] : nodes) node.table->cascade_obstacle = obstacle_of(*node.table, nodes);
}

}  // namespace pgtandem::database
