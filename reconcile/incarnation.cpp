#include "reconcile/incarnation.hpp"

#include "proxy/telemetry/log.hpp"
#include "reconcile/boot_token.hpp"
#include "reconcile/doubts.hpp"

namespace pgtandem::reconcile {
namespace {

using control::place;
using database::result;

// The token that was recorded for a place, empty if none was.
result<std::string> recorded(database::connection& primary, place p) {
  auto r = primary.execute("SELECT token FROM pgtandem.incarnation WHERE place = $1", {std::string(name_of(p))});
  if (!r) return r.error();
  return r->size() == 1 ? std::string(r->at(0, 0)) : std::string();
}

result<void> record(database::connection& primary, place p, const std::string& token) {
  auto r = primary.execute(
      "INSERT INTO pgtandem.incarnation VALUES ($1, $2::uuid) ON CONFLICT (place) DO UPDATE SET token = excluded.token",
      {std::string(name_of(p)), token});
  if (!r) return r.error();
  return {};
}

}  // namespace

result<std::vector<std::string>> unlogged_tables(database::connection& c, const sql::catalog& primary) {
  auto r = c.run(
      "SELECT DISTINCT format('%I.%I', n.nspname, root.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class root ON root.oid = "
      "CASE WHEN c.relispartition THEN coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid) ELSE c.oid END "
      "JOIN pg_catalog.pg_namespace n ON n.oid = root.relnamespace "
      "WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'p') AND n.nspname <> 'pgtandem' ORDER BY 1");
  if (!r) return r.error();
  std::vector<std::string> out;
  for (int i = 0; i < r->size(); ++i)
    if (const sql::table* t = primary.find(r->at(i, 0)); t && t->in_scope) out.emplace_back(r->at(i, 0));
  return out;
}

result<bool> note_restarts(place_pair& pair, const sql::catalog& primary) {
  for (const place p : {place::source, place::target}) {
    database::connection& there = p == pair.now().primary() ? pair.watcher() : pair.secondary();
    auto token = boot_token(there);
    if (!token) return token.error();
    auto known = recorded(pair.watcher(), p);
    if (!known) return known.error();
    if (*known == *token) continue;
    // Nothing is recorded: before the first backfill, which copies everything, that is no doubt; after a flip it may hide a crash.
    if (!known->empty() || pair.now().row().sweeps) {
      auto tables = unlogged_tables(there, primary);
      if (!tables) return tables.error();
      std::vector<doubt> doubts;
      for (const std::string& name : *tables) doubts.push_back({name, {}, {}, true});
      auto marked = mark_doubts(pair.watcher(), pair.now(), doubts, "restart");
      if (!marked) return marked.error();
      if (!*marked) return false;
      telemetry::log::info("new incarnation", {{"place", name_of(p)}, {"unlogged_tables", doubts.size()}});
    }
    if (auto r = record(pair.watcher(), p, *token); !r) return r.error();
  }
  return true;
}

}  // namespace pgtandem::reconcile
