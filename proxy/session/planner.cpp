#include "proxy/session/planner.hpp"

#include <algorithm>
#include <set>

#include "proxy/sql/rewrite.hpp"

namespace pgtandem::session {
namespace {

using kind = sql::statement_kind;

decision refuse(std::string why) {
  decision d;
  d.what = course::refuse;
  d.why = std::move(why);
  return d;
}

decision pass() { return {}; }

// Good until the name may mean something else.
decision pass_for_now() {
  decision d;
  d.passing = true;
  return d;
}

// Its rules, its triggers or the table behind a view may be anyone's.
std::string to_temporary(const sql::relation_name& r) {
  return "a write to temporary " + r.quoted() + ", which is not a table without rules and triggers";
}

// A function or view that may write behind the statement's back; empty if none.
std::string hidden_writer(const sql::statement& s, const sql::catalog& c) {
  for (const std::string& f : s.functions)
    if (c.writing_functions.count(f)) return "function " + f + "(), which may write";
  for (const std::string& r : s.read_relations)
    if (c.writing_views.count(r)) return "view " + r + ", which calls a function that may write";
  return {};
}

// Reasons of the table itself.
std::string table_obstacle(const sql::table& t) {
  switch (t.kind) {
    case sql::relation_kind::view: return "a write to view " + t.qualified;
    case sql::relation_kind::foreign: return "a write to foreign table " + t.qualified;
    case sql::relation_kind::other: return "a write to " + t.qualified;
    default: break;
  }
  if (t.inherits) return "a write to " + t.qualified + ", which uses table inheritance";
  if (t.rules) return "a write to " + t.qualified + ", which has rewrite rules";
  if (t.row_security) return "a write to " + t.qualified + ", which has row level security";
  if (!t.user_trigger.empty()) return "a write to " + t.qualified + ", which has trigger " + t.user_trigger;
  if (!t.writing_default.empty()) return "a write to " + t.qualified + ", whose default of " + t.writing_default + " calls a function that may write";
  if (t.key.empty()) return "a write to " + t.qualified + ", which has no primary key, replica identity or non-null unique index";
  return {};
}

bool assigns_key(const sql::statement& s, const sql::table& t) {
  return std::any_of(t.key.begin(), t.key.end(), [&](std::uint16_t k) {
    return std::find(s.set_columns.begin(), s.set_columns.end(), t.columns[k].name) != s.set_columns.end();
  });
}

// ON UPDATE CASCADE and its like: the image has the new value only, so the children could not be named.
bool assigns_referenced(const sql::statement& s, const sql::table& t) {
  for (const sql::reference& r : t.referenced_by)
    if (r.on_update != sql::fk_action::none)
      for (const std::string& c : r.parent_columns)
        if (std::find(s.set_columns.begin(), s.set_columns.end(), c) != s.set_columns.end()) return true;
  return false;
}

// Of what the statement does by foreign keys; empty if none. The secondary repeats it by its own, without images.
std::string cascade_obstacle(const sql::statement& s, const sql::table& t, const sql::catalog& c) {
  if (s.kind == kind::delete_ && !t.cascade_obstacle.empty()) return "a delete from " + t.qualified + ", whose foreign keys " + t.cascade_obstacle;
  if (t.in_scope) return {};
  auto assigned = [&](const std::string& column) { return std::find(s.set_columns.begin(), s.set_columns.end(), column) != s.set_columns.end(); };
  for (const sql::reference& r : t.referenced_by) {
    const sql::table* child = c.find(r.child);
    if (r.on_update == sql::fk_action::none || !child || !child->in_scope) continue;
    if (std::any_of(r.parent_columns.begin(), r.parent_columns.end(), assigned))
      return "an assignment to a column of " + t.qualified + " that a foreign key of " + child->qualified + " follows";
  }
  return {};
}

// The names not yet known go to the primary, all at once.
bool must_ask(const std::vector<sql::relation_name>& relations, const names& known, decision& d) {
  for (const sql::relation_name& r : relations)
    if (!known.find(r.quoted())) d.ask.push_back(r.quoted());
  if (d.ask.empty()) return false;
  d.what = course::resolve;
  return true;
}

decision decide_rows(const sql::statement& s, const sql::catalog& c, const names& known) {
  decision d;
  if (must_ask({s.relation}, known, d)) return d;
  const meaning& m = *known.find(s.relation.quoted());
  if (!m.plain) return refuse(to_temporary(s.relation));
  if (m.id == 0 || m.temporary) return pass_for_now();
  const sql::table* t = c.find(m.id);
  if (!t && m.system) return refuse("a write to system relation " + s.relation.quoted());
  if (!t) {
    d.what = course::unknown_table;
    d.why = s.relation.quoted();
    return d;
  }
  if (std::string why = cascade_obstacle(s, *t, c); !why.empty()) return refuse(why);
  if (!t->in_scope) return pass();
  if (std::string why = table_obstacle(*t); !why.empty()) return refuse(why);
  if (!m.selectable) return refuse("a write to " + t->qualified + ", which this role may not SELECT from");
  if (assigns_key(s, *t)) return refuse("an assignment to a key column of " + t->qualified);
  if (assigns_referenced(s, *t)) return refuse("an assignment to a column of " + t->qualified + " that a foreign key follows");
  d.what = course::capture;
  d.rows.kind = s.kind == kind::delete_ ? effect_kind::remove : effect_kind::upsert;
  d.rows.returning = s.returning;
  d.rows.tables.push_back(c.by_oid.at(t->id));
  return d;
}

// Everything a TRUNCATE … CASCADE empties: tables that reference the named ones, transitively, whatever the key's action.
void close_over_references(std::set<sql::oid>& all, const sql::catalog& c) {
  std::vector<sql::oid> todo(all.begin(), all.end());
  while (!todo.empty()) {
    const sql::table* t = c.find(todo.back());
    todo.pop_back();
    if (!t) continue;
    for (const sql::reference& r : t->referenced_by)
      if (all.insert(r.child).second) todo.push_back(r.child);
  }
}

decision decide_truncate(const sql::statement& s, const sql::catalog& c, const names& known) {
  decision d;
  if (must_ask(s.relations, known, d)) return d;
  std::set<sql::oid> all;
  bool temporary = false;
  for (const sql::relation_name& r : s.relations) {
    const meaning& m = *known.find(r.quoted());
    if (m.id == 0) return pass_for_now();   // the primary will say that it does not exist
    if (m.temporary) {
      temporary = true;
      continue;
    }
    auto root = c.root_of.find(m.id);
    if (root != c.root_of.end()) return refuse("TRUNCATE of partition " + r.quoted());
    if (!c.find(m.id) && m.system) return refuse("TRUNCATE of system relation " + r.quoted());
    if (!c.find(m.id)) {
      d.what = course::unknown_table;
      d.why = r.quoted();
      return d;
    }
    all.insert(m.id);
  }
  if (s.cascade) close_over_references(all, c);
  bool scoped = false, unscoped = temporary;
  for (sql::oid id : all) {
    const sql::table* t = c.find(id);
    if (!t || !t->in_scope) {
      unscoped = true;
      continue;
    }
    scoped = true;
    if (std::string why = table_obstacle(*t); !why.empty()) return refuse(why);
    d.rows.tables.push_back(c.by_oid.at(t->id));
  }
  if (!scoped) return pass_for_now();
  if (unscoped) return refuse("TRUNCATE of tables inside and outside of the migration's scope together");
  d.what = course::capture;
  d.rows.kind = effect_kind::truncate;
  d.rows.restart_identity = s.restart_identity;
  return d;
}

// A statement that is harmless exactly if everything it names is temporary.
decision decide_temporary_only(const sql::statement& s, const std::vector<sql::relation_name>& relations, const names& known) {
  if (relations.empty()) return refuse(s.construct);
  decision d;
  if (must_ask(relations, known, d)) return d;
  const bool rows = s.kind == kind::copy_from || s.construct == "MERGE";
  for (const sql::relation_name& r : relations) {
    const meaning& m = *known.find(r.quoted());
    if (!m.temporary) return refuse(s.construct);
    if (rows && !m.plain) return refuse(to_temporary(r));
  }
  return pass_for_now();
}

}  // namespace

decision decide(const sql::statement& s, const sql::catalog& catalog, const names& known) {
  if (std::string why = hidden_writer(s, catalog); !why.empty()) return refuse(why);
  switch (s.kind) {
    case kind::insert:
    case kind::update:
    case kind::delete_: return decide_rows(s, catalog, known);
    case kind::truncate: return decide_truncate(s, catalog, known);
    case kind::copy_from: return decide_temporary_only(s, {s.relation}, known);
    case kind::uncaptured: return decide_temporary_only(s, s.relations, known);
    default: return pass();
  }
}

std::string census_construct(const sql::statement& s, const sql::catalog* catalog) {
  if (s.kind == kind::uncaptured || s.kind == kind::copy_from) return s.construct;
  if (!catalog) return {};
  if (std::string why = hidden_writer(s, *catalog); !why.empty()) return why;
  if (s.kind != kind::insert && s.kind != kind::update && s.kind != kind::delete_) return {};
  std::string qualified = sql::quote_ident(s.relation.schema.empty() ? "public" : s.relation.schema) + "." + sql::quote_ident(s.relation.name);
  const sql::table* t = catalog->find(qualified);
  if (!t) return {};
  if (std::string why = cascade_obstacle(s, *t, *catalog); !why.empty()) return why;
  if (!t->in_scope) return {};
  if (std::string why = table_obstacle(*t); !why.empty()) return why;
  return assigns_key(s, *t) || assigns_referenced(s, *t) ? "an assignment to a key column of " + t->qualified : std::string();
}

}  // namespace pgtandem::session
