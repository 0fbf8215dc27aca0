#include "reconcile/cascade_scopes.hpp"

#include "reconcile/key_batch.hpp"
#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr int deepest = 16;            // levels of cascades
constexpr std::size_t widest = 10000;  // rows of one child

struct level {
  const sql::table* table;
  std::vector<cells> keys;
  int depth;
};

}  // namespace

database::result<std::vector<doubt>> cascade_scopes(workbench& w, database::connection& at, const sql::table& t,
                                                    const std::vector<cells>& keys) {
  std::vector<doubt> out;
  std::vector<level> open{{&t, keys, 0}};
  while (!open.empty()) {
    const level now = std::move(open.back());
    open.pop_back();
    if (now.keys.empty() || now.table->key.empty()) continue;
    for (const sql::reference& ref : now.table->referenced_by) {
      const sql::table* child = w.catalog.find(ref.child);
      if (!child || ref.on_delete == sql::fk_action::none) continue;
      auto values =
          at.execute(select_by_key(*now.table, ref.parent_columns), by_column(now.keys, now.table->key.size()));
      if (!values) return values.error();
      std::vector<cells> referenced;
      for (int i = 0; i < values->size(); ++i) {
        referenced.push_back(cells_of(*values, i, 1, static_cast<int>(ref.parent_columns.size())));
        out.push_back({child->qualified, referenced.back(), ref.child_columns, false});
      }
      if (referenced.empty() || ref.on_delete != sql::fk_action::cascade || child->referenced_by.empty()) continue;
      auto found = at.execute(select_keys_by(*child, ref.child_columns) + " LIMIT " + std::to_string(widest + 1),
                              by_column(referenced, ref.child_columns.size()));
      if (!found) return found.error();
      if (found->size() > static_cast<int>(widest) || now.depth + 1 >= deepest) {
        for (const sql::reference& further : child->referenced_by)
          if (const sql::table* grandchild = w.catalog.find(further.child))
            out.push_back({grandchild->qualified, {}, {}, true});
        continue;
      }
      std::vector<cells> child_keys;
      for (int i = 0; i < found->size(); ++i)
        child_keys.push_back(cells_of(*found, i, 1, static_cast<int>(child->key.size())));
      open.push_back({child, std::move(child_keys), now.depth + 1});
    }
  }
  return out;
}

}  // namespace pgtandem::reconcile
