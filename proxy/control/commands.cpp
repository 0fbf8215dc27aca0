#include "proxy/control/commands.hpp"

#include <array>
#include <chrono>
#include <fstream>
#include <ostream>

#include "proxy/control/control_settings.hpp"
#include "proxy/control/statements.hpp"
#include "proxy/control/structure_match.hpp"
#include "proxy/control/table_match.hpp"
#include "proxy/database/catalog_loader.hpp"
#include "proxy/database/pairing.hpp"
#include "proxy/database/preflight.hpp"
#include "proxy/database/schema.hpp"

namespace pgtandem::control {
namespace {

constexpr std::array places{place::source, place::target};
constexpr std::chrono::milliseconds uninit_lock_limit{10000};

struct command {
  const config::settings& s;
  std::ostream &out, &err;
  bool ok = true;

  void complain(std::string_view where, const database::error& e) {
    err << where << ": " << e.message << (e.sqlstate.empty() ? "" : " (" + e.sqlstate + ")") << "\n";
    ok = false;
  }
  std::optional<database::connection> open(place p) {
    auto c = database::connection::open(p == place::source ? s.source : s.target);
    if (!c) {
      complain(name_of(p), c.error());
      return std::nullopt;
    }
    return std::move(*c);
  }
  void show(std::string_view where, const database::result<database::preflight_report>& r) {
    if (!r) return complain(where, r.error());
    for (const std::string& w : r->warnings) out << where << ": warning: " << w << "\n";
    for (const std::string& w : r->refusals) out << where << ": refused: " << w << "\n";
    ok = ok && r->refusals.empty();
  }
};

constexpr std::string_view how_to_forget = "; what is left over of another migration goes with `pgtandem uninit --force`";

std::string new_pair() {
  std::ifstream source("/proc/sys/kernel/random/uuid");
  std::string id;
  std::getline(source, id);
  return id;
}

// Untouched since its init: nothing was ever mirrored there.
bool untouched(const database::pairing& p) { return p.epoch == 1 && p.phase == row_of(phase::passthrough).name; }

std::string called_otherwise(const database::pairing& p, place as) {
  if (p.place.empty() || p.place == name_of(as)) return {};
  return std::string(name_of(as)) + ": this database is the " + p.place + " of a migration";
}

// Why `init` must not say that the two belong together; empty: it may. An init that was interrupted may be run again.
std::string cannot_pair(const database::pairing& source, const database::pairing& target) {
  if (!source.server.empty() && source.server == target.server) return "source and target are the same database";
  for (place p : places)
    if (std::string why = called_otherwise(p == place::source ? source : target, p); !why.empty()) return why + std::string(how_to_forget);
  if (source.installed() != target.installed()) {
    const bool at_source = source.installed();
    const database::pairing& alone = at_source ? source : target;
    if (untouched(alone)) return {};
    return "only the " + std::string(name_of(at_source ? place::source : place::target)) + " has a schema pgtandem, in phase " + alone.phase +
           " and epoch " + std::to_string(alone.epoch) + std::string(how_to_forget);
  }
  if (source.pair == target.pair && !source.pair.empty()) return {};
  if (!source.pair.empty() && !target.pair.empty()) return database::not_a_pair(source, target) + std::string(how_to_forget);
  if (source.epoch == target.epoch && source.phase == target.phase) return {};   // of version 1
  return "the two rows of pgtandem.migration do not agree (epoch " + std::to_string(source.epoch) + " " + source.phase + ", epoch " +
         std::to_string(target.epoch) + " " + target.phase + ")" + std::string(how_to_forget);
}

// Why `uninit` must not remove the schema from those that could be reached; empty: it may.
std::string must_stay(std::array<std::optional<database::connection>, 2>& both) {
  std::array<database::pairing, 2> selves;
  for (place p : places)
    if (auto& there = both[static_cast<std::size_t>(p)])
      if (auto self = database::read_pairing(*there)) selves[static_cast<std::size_t>(p)] = *self;   // else: named when it is to be cleaned
  for (place p : places)
    if (std::string why = called_otherwise(selves[static_cast<std::size_t>(p)], p); !why.empty()) return why;
  if (std::string why = database::not_a_pair(selves[0], selves[1]); !why.empty()) return why;
  for (place p : places) {
    const std::string& name = selves[static_cast<std::size_t>(p)].phase;
    if (const auto phase = phase_named(name); phase && row_of(*phase).mirrors)
      return std::string(name_of(p)) + ": the phase is " + name + ": go to passthrough or complete first";
  }
  return {};
}

// An installation of an older version is for init to renew; it refuses nothing here.
database::result<database::preflight_report> belonging_of(database::connection& source, database::connection& target) {
  auto a = database::read_pairing(source), b = database::read_pairing(target);
  if (!a) return a.error();
  if (!b) return b.error();
  database::preflight_report r;
  if (!a->server.empty() && a->server == b->server) return r;   // preflight_pair says so
  for (place p : places)
    if (std::string why = database::misplaced(p == place::source ? *a : *b, name_of(p)); !why.empty())
      r.refusals.push_back(std::string(name_of(p)) + ": " + why);
  if (std::string why = database::not_a_pair(*a, *b); r.refusals.empty() && !why.empty()) r.refusals.push_back(why);
  return r;
}

// What stops a flip only is a warning: the target may still be in preparation.
void compare_structures(command& c, database::connection& source, database::connection& target) {
  auto primary = database::read_structure(source, c.s.scope.exclude), secondary = database::read_structure(target, c.s.scope.exclude);
  if (!primary) return c.complain("source", primary.error());
  if (!secondary) return c.complain("target", secondary.error());
  for (const structure_finding& f : compare_structure(*primary, *secondary)) {
    c.out << "target: " << (f.what == verdict::closes_all ? "refused: " : "warning: ") << f.text
          << (f.what == verdict::closes_flips ? " (no cutover before it matches)" : "") << "\n";
    c.ok = c.ok && f.what != verdict::closes_all;
  }
}

void compare(command& c, database::connection& source, database::connection& target) {
  database::load_options o{c.s.scope.exclude, c.s.dual_write.allowed_functions};
  auto primary = database::load_catalog(source, o), secondary = database::load_catalog(target, o);
  if (!primary) return c.complain("source", primary.error());
  if (!secondary) return c.complain("target", secondary.error());
  table_report found = compare_tables(**primary, **secondary);
  c.out << found.tables << " tables compared, " << found.differences.size() << " differences\n";
  for (const std::string& d : found.differences) c.out << "target: refused: " << d << "\n";
  c.ok = c.ok && found.differences.empty();
  compare_structures(c, source, target);
  for (const std::string& hint : table_hints(**primary)) c.out << "source: hint: " << hint << "\n";
}

}  // namespace

int init(const config::settings& s, std::ostream& out, std::ostream& err) {
  command c{s, out, err};
  std::array<std::optional<database::connection>, 2> both{c.open(place::source), c.open(place::target)};
  if (!c.ok) return 1;   // both or none
  std::array<database::pairing, 2> selves;
  for (place p : places) {
    auto self = database::read_pairing(*both[static_cast<std::size_t>(p)]);
    if (!self) {
      c.complain(name_of(p), self.error());
      return 1;
    }
    selves[static_cast<std::size_t>(p)] = std::move(*self);
  }
  if (const std::string why = cannot_pair(selves[0], selves[1]); !why.empty()) {
    err << "refused: " << why << "\n";
    return 1;
  }
  const std::string pair = !selves[0].pair.empty() ? selves[0].pair : !selves[1].pair.empty() ? selves[1].pair : new_pair();
  for (place p : places) {
    auto done = database::install(*both[static_cast<std::size_t>(p)], {pair, std::string(name_of(p))});
    if (!done) {
      c.complain(name_of(p), done.error());
      return 1;
    }
    for (const std::string& w : done->warnings) out << name_of(p) << ": warning: " << w << "\n";
    out << name_of(p) << ": schema pgtandem " << (done->created ? "installed" : "is there") << ", version "
        << database::schema_version << "\n";
  }
  return 0;
}

int uninit(const config::settings& s, std::ostream& out, std::ostream& err, bool force) {
  command c{s, out, err};
  std::array<std::optional<database::connection>, 2> both{c.open(place::source), c.open(place::target)};
  if (std::string why = force ? std::string() : must_stay(both); !why.empty()) {
    err << why << "; `uninit --force` removes the schema all the same\n";
    return 1;
  }
  for (place p : places) {
    auto& there = both[static_cast<std::size_t>(p)];
    if (!there) continue;
    // Before the record goes of which were disabled here.
    if (auto enabled = there->run(enable_triggers_sql(uninit_lock_limit)); !enabled) {
      c.complain(name_of(p), enabled.error());
      continue;
    }
    auto gone = database::uninstall(*there);
    if (!gone) c.complain(name_of(p), gone.error());
    else out << name_of(p) << ": " << (*gone ? "schema pgtandem removed" : "nothing to remove") << "\n";
  }
  return c.ok ? 0 : 1;
}

int check(const config::settings& s, std::ostream& out, std::ostream& err) {
  command c{s, out, err};
  auto source = c.open(place::source), target = c.open(place::target);
  if (!c.ok) return 1;
  c.show("source", database::preflight(*source, database::role::primary));
  c.show("target", database::preflight(*target, database::role::secondary));
  c.show("source and target", database::preflight_pair(*source, *target));
  c.show("source and target", belonging_of(*source, *target));
  compare(c, *source, *target);
  out << (c.ok ? "fit for a migration\n" : "not fit for a migration\n");
  return c.ok ? 0 : 1;
}

std::vector<std::string> table_hints(const sql::catalog& primary) {
  struct rule {
    bool (*applies)(const sql::table&);
    std::string_view text;
  };
  static constexpr std::array rules{
      rule{[](const sql::table& t) { return t.key.empty(); },
           "no key: no primary key, replica identity or unique index over NOT NULL columns, so UPDATE and DELETE are refused"},
      rule{[](const sql::table& t) { return !t.user_trigger.empty(); },
           "a user trigger may write what cannot be seen: writes are refused unless its function is in dual_write.allowed_functions"},
      rule{[](const sql::table& t) { return t.row_security; }, "row security: a row may be invisible to RETURNING"},
      rule{[](const sql::table& t) { return t.rules; }, "rewrite rules: what a statement writes cannot be told"},
      rule{[](const sql::table& t) { return t.inherits; }, "inheritance without partitioning"},
      rule{[](const sql::table& t) { return !t.writing_default.empty(); }, "a default or generated column calls a function that may write"},
  };
  std::vector<std::string> out;
  for (const auto& [name, id] : primary.by_name) {
    const sql::table* t = primary.find(id);
    if (!t || t->schema == "pgtandem") continue;
    if (!t->cascade_obstacle.empty()) out.push_back(name + ": a DELETE is refused, since its foreign keys " + t->cascade_obstacle);
    if (!t->in_scope) continue;
    if (t->kind == sql::relation_kind::foreign) out.push_back(name + ": a foreign table: its rows are not copied");
    if (t->kind != sql::relation_kind::table && t->kind != sql::relation_kind::partitioned) continue;
    for (const rule& r : rules)
      if (r.applies(*t)) out.push_back(name + ": " + std::string(r.text));
  }
  return out;
}

}  // namespace pgtandem::control
