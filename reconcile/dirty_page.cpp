#include "reconcile/dirty_page.hpp"

#include <algorithm>

#include "reconcile/key_batch.hpp"
#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr int scope_rows_max = 10000;  // children of one scope; beyond it the whole child table is compared

constexpr int gathered_max = 100000;  // dirty rows of one table as a whole that end together

bool complete_key(const sql::table& t, const cells& key) {
  return !t.key.empty() && key.size() == t.key.size() &&
         std::all_of(key.begin(), key.end(), [](const cell& c) { return c.has_value(); });
}

std::vector<std::string> plain(const cells& values) {
  std::vector<std::string> out;
  for (const cell& c : values) out.push_back(c.value_or(""));
  return out;
}

}  // namespace

void table_work::add(std::int64_t seq, const cells& key) {
  const auto [at, fresh] = index.emplace(key, keys.size());
  if (fresh) keys.push_back(key);
  open[seq].insert(at->second);
}

std::vector<std::int64_t> table_work::ends_with(const std::set<std::size_t>& repaired) const {
  std::vector<std::int64_t> out;
  for (const auto& [seq, positions] : open)
    if (std::includes(repaired.begin(), repaired.end(), positions.begin(), positions.end())) out.push_back(seq);
  return out;
}

void table_work::repaired(const std::set<std::size_t>& positions) {
  for (auto at = open.begin(); at != open.end();) {
    std::erase_if(at->second, [&](std::size_t p) { return positions.contains(p); });
    at = at->second.empty() ? open.erase(at) : std::next(at);
  }
}

database::result<dirty_page> read_dirty_page(workbench& w, std::int64_t after, std::uint32_t limit) {
  auto r = w.watcher.execute(
      "SELECT seq, op_id, relation, key, scope FROM pgtandem.dirty WHERE seq > $1::bigint ORDER BY seq LIMIT $2::int",
      {std::to_string(after), std::to_string(limit)});
  if (!r) return r.error();
  dirty_page page;
  page.last_seq = after;
  page.size = r->size();
  std::set<std::string> ops;
  for (int i = 0; i < r->size(); ++i) {
    const std::int64_t seq = r->integer(i, 0);
    page.last_seq = seq;
    if (!r->null(i, 1)) ops.emplace(r->at(i, 1));
    const std::string relation(r->at(i, 2));
    const sql::table* t = w.catalog.find(relation);
    if (!t) {
      page.of_unknown_relations.push_back(seq);
      continue;
    }
    table_work& work = page.by_relation[relation];
    work.table = t;
    const auto key = r->null(i, 3) ? std::optional<cells>() : parse_array(r->at(i, 3));
    const auto scope = r->null(i, 4) ? std::optional<cells>() : parse_array(r->at(i, 4));
    if (key && scope && key->size() == scope->size() && !t->key.empty())
      page.scopes.push_back({seq, relation, plain(*scope), *key});
    else if (key && complete_key(*t, *key))
      work.add(seq, *key);
    else
      work.whole.push_back(seq);
  }
  page.op_ids.assign(ops.begin(), ops.end());
  return page;
}

database::result<void> gather_whole(workbench& w, dirty_page& page) {
  std::set<std::string> ops(page.op_ids.begin(), page.op_ids.end());
  for (auto& [relation, work] : page.by_relation) {
    if (work.whole.empty()) continue;
    auto r = w.watcher.execute(
        "SELECT seq, op_id FROM pgtandem.dirty WHERE relation = $1 AND key IS NULL AND seq > $2::bigint"
        " ORDER BY seq LIMIT $3::int",
        {relation, std::to_string(page.last_seq), std::to_string(gathered_max)});
    if (!r) return r.error();
    for (int i = 0; i < r->size(); ++i) {
      work.whole.push_back(r->integer(i, 0));
      if (!r->null(i, 1)) ops.emplace(r->at(i, 1));
    }
  }
  page.op_ids.assign(ops.begin(), ops.end());
  return {};
}

database::result<std::vector<std::int64_t>> resolve_scopes(workbench& w, dirty_page& page) {
  std::vector<std::int64_t> matched_nothing;
  for (const dirty_page::scope& s : page.scopes) {
    table_work& work = page.by_relation[s.relation];
    const sql::table& t = *work.table;
    int found = 0;
    for (database::connection* side : {&w.secondary, &w.watcher}) {
      auto r = side->execute(select_keys_by(t, s.columns) + " LIMIT " + std::to_string(scope_rows_max + 1),
                             by_column({s.value}, s.columns.size()));
      if (!r) return r.error();
      found = std::max(found, r->size());
      if (r->size() > scope_rows_max) break;
      for (int i = 0; i < r->size(); ++i) work.add(s.seq, cells_of(*r, i, 1, static_cast<int>(t.key.size())));
    }
    if (found > scope_rows_max) {
      work.open.erase(s.seq);
      work.whole.push_back(s.seq);
    } else if (found == 0) {
      matched_nothing.push_back(s.seq);
    }
  }
  return matched_nothing;
}

}  // namespace pgtandem::reconcile
