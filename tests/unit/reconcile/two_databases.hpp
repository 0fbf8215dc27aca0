// A source and a target database for one test, with schema pgtandem in epoch 1 and the family of tables below; both
// servers are started once per process, each test gets databases of its own.
//
// acct(id, bal, note) · uq(id, u unique) <- uqc(id, uid) cascade · par(id, v) <- chd(id, pid) cascade, nul(id, pid) set
// null · line(a, b, v) key (a, b) · kinds(id, …types) · log(src, v) without a key
#pragma once
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "proxy/database/catalog_loader.hpp"
#include "proxy/database/connection.hpp"
#include "reconcile/workbench.hpp"

namespace pgtandem::test {

// One session and shorthands; any error ends the test.
class session {
 public:
  explicit session(const std::string& conninfo);
  std::string operator()(const std::string& sql);  // first cell of the last result
  std::string state_of(const std::string& sql);    // SQLSTATE, empty if it worked
  database::connection& connection() { return c_; }

 private:
  database::connection c_;
};

class two_databases {
 public:
  two_databases();
  config::settings settings;
  session open_source() const { return session(settings.source); }
  session open_target() const { return session(settings.target); }

  session source, target;               // for the test's own statements
  session primary, watcher, secondary;  // of the workbench
  reconcile::ledger_partitions partitions;
  sql::catalog_ptr catalog;
  reconcile::workbench bench();
  const sql::table& table(const std::string& name) const { return *catalog->find("public." + name); }

  // An op's batch on the target: ledger row and effect in one transaction, as an applier writes it.
  void apply(session& at, const std::string& op_id, const std::string& source_rev, const std::string& keys,
             const std::string& effect, const std::string& boot = "");
  std::string boot();
  // Rows that differ, as "table:key …"; empty if the databases are equal.
  std::string differences();
  // One audit and drains until nothing is dirty (at most 20 passes).
  void settle();
};

std::string new_uuid(int n);

}  // namespace pgtandem::test
