#include "proxy/apply/secondary_tables.hpp"

#include <algorithm>
#include <set>

namespace pgtandem::apply {

void secondary_tables::learn(sql::catalog_ptr secondary) {
  secondary_ = std::move(secondary);
  known_.clear();
}

const secondary_tables::facts& secondary_tables::of(const std::shared_ptr<const sql::table>& t) {
  if (const auto found = known_.find(t.get()); found != known_.end()) return found->second;
  if (known_.size() >= kept_max) known_.clear();
  facts f;
  f.asked = t;
  if (const sql::table* there = secondary_ ? secondary_->find(t->qualified) : nullptr) {
    f.index_hash = there->index_hash;
    f.deletes_act = there->cascades();
    f.order_counts = there->further_unique != 0 || there->key_deferrable;
  }
  return known_.emplace(t.get(), std::move(f)).first->second;
}

bool secondary_tables::must_replay(const parsed_op& p) {
  std::vector<const sql::table*> touched;  // of those whose order counts
  const sql::table* last = nullptr;
  const facts* there = nullptr;
  for (const parsed_op::row& r : p.rows) {
    const auto& t = r.effect->table;
    if (t.get() != last) there = &of(t), last = t.get();
    if (r.effect->kind == session::effect_kind::remove && there->deletes_act) return true;
    if (!there->order_counts || p.rows.size() == 1) continue;
    if (std::ranges::find(touched, t.get()) != touched.end()) return true;
    touched.push_back(t.get());
  }
  return false;
}

std::optional<std::string> secondary_tables::index_hash(const session::op& o) {
  std::set<std::uint64_t> hashes;
  const sql::table* last = nullptr;
  for (const session::effect& e : o.effects) {
    if (e.table.get() == last) continue;
    last = e.table.get();
    const facts& there = of(e.table);
    if (!there.index_hash) return std::nullopt;
    hashes.insert(*there.index_hash);
  }
  std::uint64_t mixed = 0xcbf29ce484222325u;  // FNV-1a, a word at a time
  for (std::uint64_t h : hashes) mixed = (mixed ^ h) * 0x100000001b3u;
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[(mixed >> shift) & 15];
  return text;
}

}  // namespace pgtandem::apply
