#include "reconcile/table_compare.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "reconcile/key_batch.hpp"
#include "reconcile/row_hash.hpp"
#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

using database::connection;
using database::result;

constexpr std::int64_t slice_rows = 200000;  // rows of unequal leaves that are held in memory at once
constexpr std::uint32_t leaves_max = 1u << 16;

struct leaf_sum {
  std::int64_t count = 0;
  std::string sum;
  bool operator==(const leaf_sum&) const = default;
};
using leaf_sums = std::unordered_map<std::int64_t, leaf_sum>;

result<std::uint32_t> leaves_for(connection& c, const sql::table& t, std::uint32_t leaf_rows) {
  auto r = c.execute(
      std::string("SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, sum(pg_relation_size(c.oid)) FROM ") +
          holding_relations,
      {t.qualified});
  if (!r) return r.error();
  const std::int64_t rows = std::max<std::int64_t>(r->integer(0, 0), r->integer(0, 1) / 100);
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(rows / std::max(1u, leaf_rows), 1, leaves_max));
}

result<leaf_sums> read_leaves(connection& c, const sql::table& t, std::uint32_t leaves) {
  auto r = c.run(select_leaves(t, leaves));
  if (!r) return r.error();
  leaf_sums out;
  for (int i = 0; i < r->size(); ++i) out[r->integer(i, 0)] = {r->integer(i, 1), std::string(r->at(i, 2))};
  return out;
}

struct seen_row {
  std::int64_t hash = 0, count = 0;
  std::vector<std::string> xmins;
};
using seen_rows = std::map<cells, seen_row>;

// Keyed tables: by key. Keyless: by the hash of the row.
result<seen_rows> read_rows(connection& c, const sql::table& t, std::uint32_t leaves, const std::string& wanted,
                            bool xmins) {
  auto r = c.execute(select_leaf_rows(t, leaves), {wanted});
  if (!r) return r.error();
  seen_rows out;
  for (int i = 0; i < r->size(); ++i) {
    cells key = t.key.empty() ? cells{std::string(r->at(i, 0))} : cells_of(*r, i, 2, r->columns() - 2);
    seen_row& row = out[std::move(key)];
    row.hash = r->integer(i, 0);
    ++row.count;
    if (xmins) row.xmins.emplace_back(r->at(i, 1));
  }
  return out;
}

void add_differences(const sql::table& t, const seen_rows& at_primary, const seen_rows& at_secondary, comparison& out) {
  const auto note = [&](const cells& key, const seen_row* p, const seen_row* s) {
    difference d;
    d.hash = p ? p->hash : s->hash;
    d.primary_count = p ? p->count : 0;
    d.secondary_count = s ? s->count : 0;
    if (s) d.secondary_xmins = s->xmins;
    if (!t.key.empty()) d.key = key;
    out.differences.push_back(std::move(d));
  };
  for (const auto& [key, p] : at_primary) {
    const auto s = at_secondary.find(key);
    if (s == at_secondary.end())
      note(key, &p, nullptr);
    else if (s->second.hash != p.hash || s->second.count != p.count)
      note(key, &p, &s->second);
  }
  for (const auto& [key, s] : at_secondary)
    if (!at_primary.contains(key)) note(key, nullptr, &s);
}

// The unequal leaves, cut into slices of about slice_rows rows.
std::vector<std::string> slices(const leaf_sums& p, const leaf_sums& s, comparison& out) {
  std::map<std::int64_t, std::int64_t> unequal;  // leaf -> rows
  for (const auto& [leaf, sum] : p) {
    const auto other = s.find(leaf);
    if (other == s.end() || !(other->second == sum)) unequal[leaf] = sum.count;
    out.rows += sum.count;
  }
  for (const auto& [leaf, sum] : s)
    if (!p.contains(leaf)) unequal[leaf] = sum.count;
  out.unequal_leaves = static_cast<std::int64_t>(unequal.size());
  std::vector<std::string> cut;
  array_writer now;
  std::int64_t rows = 0;
  for (const auto& [leaf, count] : unequal) {
    now.add(std::string_view(std::to_string(leaf)));
    rows += count;
    if (rows >= slice_rows) cut.push_back(now.take()), rows = 0;
  }
  if (!now.empty()) cut.push_back(now.take());
  return cut;
}

}  // namespace

result<comparison> compare_table(connection& primary, connection& secondary, const sql::table& t,
                                 const compare_options& o) {
  comparison out;
  auto leaves = leaves_for(primary, t, o.leaf_rows);
  if (!leaves) return leaves.error();
  out.leaves = *leaves;
  auto s = read_leaves(secondary, t, *leaves);
  if (!s) return s.error();
  auto p = read_leaves(primary, t, *leaves);
  if (!p) return p.error();
  for (const std::string& slice : slices(*p, *s, out)) {
    if (o.stop() || out.differences.size() > o.differences_max) {
      out.complete = false;
      break;
    }
    auto at_secondary = read_rows(secondary, t, *leaves, slice, t.key.empty());
    if (!at_secondary) return at_secondary.error();
    auto at_primary = read_rows(primary, t, *leaves, slice, false);
    if (!at_primary) return at_primary.error();
    add_differences(t, *at_primary, *at_secondary, out);
  }
  if (out.differences.size() > o.differences_max) {
    out.differences.resize(o.differences_max);
    out.complete = false;
  }
  return out;
}

}  // namespace pgtandem::reconcile
