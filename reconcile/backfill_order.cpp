#include "reconcile/backfill_order.hpp"

#include <algorithm>

namespace pgtandem::reconcile {

std::vector<const sql::table*> followed_tables(const sql::catalog& c) {
  std::vector<const sql::table*> out;
  for (const auto& [id, t] : c.by_oid) {
    const bool rows_of_its_own = t->kind == sql::relation_kind::table || t->kind == sql::relation_kind::partitioned;
    const bool ours = t->schema == "pgtandem" && t->name != "idempotency";
    if (rows_of_its_own && t->in_scope && !ours) out.push_back(t.get());
  }
  std::sort(out.begin(), out.end(), [](const sql::table* a, const sql::table* b) {
    return a->fk_rank != b->fk_rank ? a->fk_rank < b->fk_rank : a->qualified < b->qualified;
  });
  return out;
}

backfill_order::backfill_order(const sql::catalog& c) : tables_(followed_tables(c)) {
  for (const sql::table* t : tables_) states_[t->id] = state::waiting;
}

bool backfill_order::may_begin(const sql::table& t) const {
  for (const sql::oid parent : t.parents) {
    const auto p = states_.find(parent);
    if (p == states_.end() || parent == t.id || p->second == state::done) continue;
    // In a cycle of foreign keys the ranks are equal: somebody has to begin.
    for (const sql::table* other : tables_)
      if (other->id == parent && other->fk_rank < t.fk_rank) return false;
  }
  return true;
}

const sql::table* backfill_order::take() {
  for (const sql::table* t : tables_)
    if (states_[t->id] == state::waiting && may_begin(*t)) {
      states_[t->id] = state::taken;
      return t;
    }
  return nullptr;
}

void backfill_order::done(const sql::table& t) { states_[t.id] = state::done; }
void backfill_order::give_back(const sql::table& t) {
  states_[t.id] = state::waiting;
  // Last in the row, so that the others are not kept from their turn.
  const auto at = std::find(tables_.begin(), tables_.end(), &t);
  if (at != tables_.end()) std::rotate(at, at + 1, tables_.end());
}

bool backfill_order::all_done() const {
  return std::all_of(states_.begin(), states_.end(), [](const auto& s) { return s.second == state::done; });
}

}  // namespace pgtandem::reconcile
