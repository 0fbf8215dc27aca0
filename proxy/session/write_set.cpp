#include "proxy/session/write_set.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <vector>

#include "proxy/session/keys.hpp"
#include "proxy/session/op_id.hpp"
#include "proxy/session/own_query.hpp"

namespace pgtandem::session {
namespace {

struct header {
  sql::oid table = 0;
  std::int64_t ddl_version = 0;   // 0: the sequence was never called
};

// "(16401,3,…" — the two numbers in front of every image.
bool read_header(std::string_view image, header& h) {
  if (image.empty() || image.front() != '(') return false;
  const char* end = image.data() + image.size();
  auto [p, e] = std::from_chars(image.data() + 1, end, h.table);
  if (e != std::errc() || p == end || *p != ',') return false;
  ++p;
  if (p != end && (*p == ',' || *p == ')')) return true;
  auto [q, f] = std::from_chars(p, end, h.ddl_version);
  return f == std::errc() && q != end && (*q == ',' || *q == ')');
}

}  // namespace

void write_set::open(std::int32_t epoch) {
  if (op_) return;
  op_ = std::make_shared<op>();
  op_->op_id = new_op_id();
  op_->epoch = epoch;
}

void write_set::identify(std::string_view source_rev, std::string_view boot) {
  op_->source_rev = source_rev;
  op_->boot = boot;
}

write_set::verdict write_set::add(effect_kind kind, const std::shared_ptr<const sql::table>& table, const sql::catalog& catalog,
                                  std::string_view image, bool hex, std::size_t bytes_max) {
  std::string& arena = op_->images;
  std::size_t at = arena.size();
  if (!hex) arena += image;
  else if (!from_hex(image, arena)) return verdict::malformed;
  header h;
  if (!read_header(std::string_view(arena).substr(at), h)) return verdict::malformed;
  auto root = catalog.root_of.find(h.table);
  if ((root == catalog.root_of.end() ? h.table : root->second) != table->id) return verdict::other_table;
  if (h.ddl_version != catalog.ddl_version) return verdict::schema_changed;
  deferrable_ |= table->deferrable;
  if (arena.size() > bytes_max) {
    whole_.insert(table->qualified);
    arena.resize(at);
    return verdict::kept;
  }
  op_->effects.push_back({kind, table, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(arena.size() - at), 0});
  return verdict::kept;
}

void write_set::add_truncate(const std::vector<std::shared_ptr<const sql::table>>& tables, bool restart_identity) {
  static constexpr std::string_view restart = " RESTART IDENTITY";
  auto at = static_cast<std::uint32_t>(op_->images.size());
  if (restart_identity) op_->images += restart;
  ++groups_;
  for (const auto& t : tables)
    op_->effects.push_back({effect_kind::truncate, t, at, restart_identity ? static_cast<std::uint32_t>(restart.size()) : 0, groups_});
}

void write_set::back_to(mark m) {
  if (!op_ || op_->effects.size() <= m.effects) return;
  op_->effects.resize(m.effects);
  op_->images.resize(m.bytes);
}

namespace {

// Of these types equal values have one text. Of others (text under a collation, numeric, citext, …) the images of one row may name it differently.
bool one_text(const std::string& type) {
  static constexpr std::string_view types[] = {"smallint", "integer", "bigint", "oid", "boolean", "uuid", "date", "bytea", "\"char\"",
                                               "timestamp without time zone", "timestamp with time zone"};
  return std::ranges::find(types, type) != std::end(types);
}

bool key_has_one_text(const sql::table& t) {
  return std::ranges::all_of(t.key, [&](std::uint16_t c) { return one_text(t.columns[c].type); });
}

// Foreign keys lead from each to the other: only then have a table and its parent the same rank.
bool in_one_cycle(const sql::table& a, const sql::table& b) {
  return a.fk_rank == b.fk_rank && (std::ranges::find(a.parents, b.id) != a.parents.end() || std::ranges::find(b.parents, a.id) != b.parents.end());
}

}  // namespace

// DESIGN §3, order within an op: coalescing is right only if nothing is deleted from a table that foreign keys reference with an
// action, no table with a further unique index is touched twice, and nothing is truncated. Besides, a row that goes and comes back must
// be known by its key's text, and of tables that reference each other none may come first.
bool write_set::must_replay() const {
  struct touched {
    const sql::table* table;
    bool upserts, removes;
  };
  std::vector<touched> seen;
  for (const effect& e : op_->effects) {
    if (e.kind == effect_kind::truncate) return true;
    const bool removes = e.kind == effect_kind::remove;
    if (removes && e.table->cascades()) return true;
    auto at = std::ranges::find(seen, e.table.get(), &touched::table);
    if (at == seen.end()) {
      if (std::ranges::any_of(seen, [&](const touched& t) { return in_one_cycle(*t.table, *e.table); })) return true;
      seen.push_back({e.table.get(), !removes, removes});
      continue;
    }
    if (e.table->further_unique || e.table->key_deferrable) return true;
    at->upserts |= !removes;
    at->removes |= removes;
    if (at->upserts && at->removes && !key_has_one_text(*e.table)) return true;
  }
  return false;
}

op_ptr write_set::finish(const sql::catalog& catalog, std::size_t keys_max) {
  op_->in_order = must_replay();
  op_->keys = keys_json(*op_, catalog, keys_max, whole_);
  return op_;
}

void write_set::clear() {
  op_.reset();
  whole_.clear();
  deferrable_ = false;
  groups_ = 0;
}

}  // namespace pgtandem::session
