#include "proxy/database/catalog_builder.hpp"

#include <algorithm>
#include <charconv>

#include "proxy/database/fk_rank.hpp"
#include "proxy/sql/custom_settings.hpp"

namespace pgtandem::database {

namespace {

template <class T>
T number(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<int> numbers(std::string_view text) {
  std::vector<int> found;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    found.push_back(number<int>(text.substr(0, space)));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return found;
}

sql::relation_kind kind_of(std::string_view relkind) {
  if (relkind == "r") return sql::relation_kind::table;
  if (relkind == "p") return sql::relation_kind::partitioned;
  if (relkind == "v") return sql::relation_kind::view;
  if (relkind == "f") return sql::relation_kind::foreign;
  return sql::relation_kind::other;
}

sql::fk_action action_of(std::string_view code) {
  if (code == "c") return sql::fk_action::cascade;
  if (code == "n") return sql::fk_action::set_null;
  if (code == "d") return sql::fk_action::set_default;
  return sql::fk_action::none;
}

std::string plain_name(const sql::table& t) { return t.schema + "." + t.name; }

}  // namespace

catalog_builder::catalog_builder(const load_options& o) : options_(o) {}

catalog_builder::draft* catalog_builder::find(std::string_view oid_text) {
  const auto id = number<sql::oid>(oid_text);
  const auto root = root_of_.find(id);
  const auto found = drafts_.find(root == root_of_.end() ? id : root->second);
  return found == drafts_.end() ? nullptr : &found->second;
}

bool catalog_builder::allowed(std::string_view schema, std::string_view name) const {
  const std::string qualified = std::string(schema) + "." + std::string(name);
  return std::ranges::any_of(options_.allowed_functions,
                             [&](const std::string& a) { return a == name || a == qualified; });
}

void catalog_builder::relations(const rows& r) {
  for (int i = 0; i < r.size(); ++i) {
    const auto id = number<sql::oid>(r.at(i, 0)), root = number<sql::oid>(r.at(i, 5));
    if (id != root) {
      root_of_[id] = root;
      continue;
    }
    auto t = std::make_shared<sql::table>();
    t->id = id;
    t->schema = r.at(i, 1);
    t->name = r.at(i, 2);
    t->qualified = r.at(i, 3);
    t->kind = kind_of(r.at(i, 4));
    t->row_security = r.boolean(i, 6);
    t->rules = r.boolean(i, 7);
    const std::string name = plain_name(*t);
    t->in_scope = std::ranges::none_of(options_.exclude, [&](const std::string& g) { return glob_matches(g, name); });
    drafts_[id].table = std::move(t);
  }
  for (int i = 0; i < r.size();
       ++i)  // a partition's own row security and rules count for whoever addresses it directly
    if (draft* d = root_of_.contains(number<sql::oid>(r.at(i, 0))) ? find(r.at(i, 0)) : nullptr) {
      d->table->row_security |= r.boolean(i, 6);
      d->table->rules |= r.boolean(i, 7);
    }
}

void catalog_builder::inheritance(const rows& r) {
  for (int i = 0; i < r.size(); ++i)
    if (draft* d = find(r.at(i, 0))) d->table->inherits = true;
}

void catalog_builder::unsure_defaults(const rows& r) {
  for (int i = 0; i < r.size(); ++i)
    if (draft* d = find(r.at(i, 0))) d->risks.unsure_defaults.emplace(r.at(i, 1));
}

void catalog_builder::columns(const rows& r) {
  for (int i = 0; i < r.size(); ++i) {
    draft* d = find(r.at(i, 0));
    if (!d) continue;
    const auto index = static_cast<std::uint16_t>(d->table->columns.size());
    sql::column c;
    c.name = r.at(i, 2);
    c.type = r.at(i, 3);
    c.fragile = r.boolean(i, 4);
    c.styled = r.boolean(i, 8);
    c.generated = r.boolean(i, 5);
    c.identity_always = r.boolean(i, 6);
    c.blurred = r.boolean(i, 9);
    d->by_attnum[number<int>(r.at(i, 1))] = index;
    if (r.boolean(i, 7)) d->not_null.insert(index);
    d->table->any_fragile |= c.fragile && !c.generated;
    d->table->any_styled |= c.styled && !c.generated;
    d->table->columns.push_back(std::move(c));
  }
}

void catalog_builder::indexes(const rows& r) {
  for (int i = 0; i < r.size(); ++i) {
    draft* d = find(r.at(i, 0));
    if (!d) continue;
    unique_index u;
    u.primary = r.boolean(i, 1);
    u.replica_identity = r.boolean(i, 2);
    u.immediate = r.boolean(i, 3);
    if (r.boolean(i, 4))
      for (int attnum : numbers(r.at(i, 5))) {
        const auto at = d->by_attnum.find(attnum);
        // a nullable column names no row, and a generated one is not in the image
        if (at == d->by_attnum.end() || !d->not_null.contains(at->second) || d->table->columns[at->second].generated) {
          u.columns.clear();
          break;
        }
        u.columns.push_back(at->second);
      }
    d->unique.push_back(std::move(u));
  }
}

// Primary key, else replica identity, else the first immediate one, else the first.
void catalog_builder::choose_key(draft& d) {
  const auto worth = [](const unique_index& u) {
    if (u.columns.empty()) return 0;
    return u.primary ? 4 : u.replica_identity ? 3 : u.immediate ? 2 : 1;
  };
  const auto best = std::ranges::max_element(d.unique, {}, worth);
  d.table->further_unique = static_cast<std::uint16_t>(d.unique.size());
  if (best == d.unique.end() || worth(*best) == 0) return;
  --d.table->further_unique;
  d.table->key = best->columns;
  // ON CONFLICT infers every unique index over these columns and refuses all if one is deferrable.
  d.table->key_deferrable = std::ranges::any_of(d.unique, [&](const unique_index& u) {
    return !u.immediate && std::ranges::is_permutation(u.columns, best->columns);
  });
}

void catalog_builder::index_hashes(const rows& r) {
  for (int i = 0; i < r.size(); ++i)
    if (draft* d = find(r.at(i, 0))) d->table->index_hash = static_cast<std::uint64_t>(r.integer(i, 1));
}

void catalog_builder::add_foreign_key(const std::string& child, const std::string& parent, sql::reference r) {
  draft *c = find(child), *p = find(parent);
  if (!c || !p) return;
  r.child = c->table->id;
  const auto same = [&](const sql::reference& o) {
    return o.child == r.child && o.child_columns == r.child_columns && o.parent_columns == r.parent_columns &&
           o.on_delete == r.on_delete && o.on_update == r.on_update;
  };
  if (std::ranges::none_of(p->table->referenced_by, same)) p->table->referenced_by.push_back(std::move(r));
  auto& parents = c->table->parents;
  if (std::ranges::find(parents, p->table->id) == parents.end()) parents.push_back(p->table->id);
}

void catalog_builder::foreign_keys(const rows& r) {
  sql::reference now;
  for (int i = 0; i < r.size(); ++i) {
    now.on_delete = action_of(r.at(i, 3));
    now.on_update = action_of(r.at(i, 4));
    now.child_columns.emplace_back(r.at(i, 6));
    now.parent_columns.emplace_back(r.at(i, 7));
    if (i + 1 < r.size() && r.at(i + 1, 0) == r.at(i, 0)) continue;
    add_foreign_key(std::string(r.at(i, 1)), std::string(r.at(i, 2)), std::move(now));
    now = {};
  }
}

void catalog_builder::deferrable(const rows& r) {
  for (int i = 0; i < r.size(); ++i)
    if (draft* d = find(r.at(i, 0))) d->table->deferrable = true;
}

void catalog_builder::triggers(const rows& r) {
  for (int i = 0; i < r.size(); ++i) {
    draft* d = find(r.at(i, 0));
    if (!d) continue;
    const bool vouched = !r.boolean(i, 5) || allowed(r.at(i, 2), r.at(i, 3)), alters = r.boolean(i, 4);
    if (d->table->user_trigger.empty() && !vouched) d->table->user_trigger = r.at(i, 1);
    if (vouched && !alters) continue;  // what it makes of a row that a statement names is in the row's image; here is none
    const std::string what = "trigger " + std::string(r.at(i, 1));
    if (r.boolean(i, 6) && d->risks.on_delete.empty()) d->risks.on_delete = what;
    if (r.boolean(i, 7) && d->risks.on_update.empty()) d->risks.on_update = what;
  }
}

void catalog_builder::writing_functions(const rows& r) {
  for (int i = 0; i < r.size(); ++i) {
    if (allowed(r.at(i, 1), r.at(i, 2))) continue;
    writing_oids_.emplace(r.at(i, 0));
    writing_names_.emplace(r.at(i, 2));
  }
}

void catalog_builder::default_calls(const rows& r) {
  for (int i = 0; i < r.size(); ++i) {
    draft* d = find(r.at(i, 0));
    if (d && d->table->writing_default.empty() && writing_oids_.contains(std::string(r.at(i, 2))))
      d->table->writing_default = r.at(i, 1);
  }
}

void catalog_builder::view_calls(const rows& r) {
  for (int i = 0; i < r.size(); ++i)
    if (writing_oids_.contains(std::string(r.at(i, 1)))) writing_views_.insert(number<sql::oid>(r.at(i, 0)));
}

void catalog_builder::view_reads(const rows& r) {
  for (int i = 0; i < r.size(); ++i) readers_[number<sql::oid>(r.at(i, 1))].push_back(number<sql::oid>(r.at(i, 0)));
}

void catalog_builder::setting_bodies(const rows& r) {
  for (int i = 0; i < r.size(); ++i)
    for (std::string& name : sql::custom_settings_in(r.at(i, 0))) custom_settings_.insert(std::move(name));
}

void catalog_builder::close_writing_views() {
  std::vector<sql::oid> pending(writing_views_.begin(), writing_views_.end());
  while (!pending.empty()) {  // ends: a view enters once
    const sql::oid view = pending.back();
    pending.pop_back();
    const auto found = readers_.find(view);
    if (found == readers_.end()) continue;
    for (sql::oid reader : found->second)
      if (writing_views_.insert(reader).second) pending.push_back(reader);
  }
}

void catalog_builder::rank() {
  std::unordered_map<sql::oid, std::uint32_t> place;
  for (const auto& [id, d] : drafts_) place.emplace(id, static_cast<std::uint32_t>(place.size()));
  std::vector<std::vector<std::uint32_t>> parents(drafts_.size());
  for (const auto& [id, d] : drafts_)
    for (sql::oid p : d.table->parents) parents[place[id]].push_back(place[p]);
  const auto ranks = rank_by_references(parents);
  for (auto& [id, d] : drafts_) d.table->fk_rank = ranks[place[id]];
}

void catalog_builder::cascades() {
  std::map<sql::oid, cascade_node> nodes;
  for (auto& [id, d] : drafts_) {
    if (d.table->rules) d.risks.on_delete = d.risks.on_update = "the rewrite rules";
    nodes[id] = {d.table.get(), &d.risks};
  }
  find_cascade_obstacles(nodes);
}

sql::catalog_ptr catalog_builder::finish(std::int64_t ddl_version, sql::oid ddl_version_sequence) {
  rank();
  cascades();
  close_writing_views();
  auto c = std::make_shared<sql::catalog>();
  c->ddl_version = ddl_version;
  c->ddl_version_sequence = ddl_version_sequence;
  c->writing_functions = std::move(writing_names_);
  c->custom_settings.assign(custom_settings_.begin(), custom_settings_.end());
  for (auto& [id, d] : drafts_) {
    choose_key(d);
    if (writing_views_.contains(id)) c->writing_views.insert({d.table->qualified, plain_name(*d.table), d.table->name});
    c->by_name.emplace(d.table->qualified, id);
    c->by_oid.emplace(id, std::move(d.table));
  }
  for (const auto& [leaf, root] : root_of_)
    if (c->by_oid.contains(root)) c->root_of.emplace(leaf, root);
  return c;
}

}  // namespace pgtandem::database
