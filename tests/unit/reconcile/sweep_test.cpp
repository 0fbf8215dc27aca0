// Certified sweeps: no false alarm, no drift missed.
#include <catch2/catch.hpp>
#include <set>

#include "reconcile/certified_pair.hpp"
#include "reconcile/doubt_set.hpp"
#include "reconcile/sweep_pass.hpp"
#include "tests/unit/reconcile/running_reconciler.hpp"
#include "tests/unit/reconcile/two_databases.hpp"
#include "tests/unit/support/results.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;
using test::eventually;
using test::new_uuid;

namespace {

struct sweep_fixture : test::two_databases {
  test::session in_s, in_f;
  stop_bell stop;
  standing at{1, control::phase::verify, "steady", 1};
  sweep_fixture() : in_s(settings.source), in_f(settings.target) {
    for (test::session* s : {&source, &target}) (*s)("UPDATE pgtandem.migration SET phase = 'verify'");
    for (test::session* s : {&in_s, &in_f}) (*s)("SET search_path = pg_catalog");
  }
  pair_sessions sessions() {
    return {in_s.connection(), in_f.connection(), watcher.connection(), secondary.connection()};
  }
  pass_tally pass() {
    block_watch watch({settings.source, in_s.connection().backend_pid()},
                      {settings.target, in_f.connection().backend_pid()}, stop);
    auto r = sweep_pass(settings, at, *catalog, sessions(), watch, stop).run([](const std::string&) { return true; });
    REQUIRE(r);
    return *r;
  }
};

}  // namespace

TEST_CASE("two equal databases make a clean pass", "[databases]") {
  sweep_fixture d;
  const pass_tally t = d.pass();
  CHECK(t.clean());
  CHECK(t.tables == 10);
  CHECK(t.rows == 300 + 20 + 40 + 20 + 40 + 20 + 50 + 20);
}

TEST_CASE("planted drift is found, in every kind of table, repaired, and the next pass is clean", "[databases]") {
  sweep_fixture d;
  d.target(
      "UPDATE acct SET note = 'drift' WHERE id = 7; DELETE FROM acct WHERE id = 8; INSERT INTO acct VALUES (999, 0, "
      "'extra')");
  d.target(
      "UPDATE line SET v = 1 WHERE b = 'b3' AND a = 2; INSERT INTO log VALUES (5, 'surplus'); DELETE FROM log WHERE "
      "src = 4");
  const pass_tally t = d.pass();
  CHECK(t.differing == 6);
  CHECK(t.repaired == 6);
  CHECK_FALSE(t.clean());
  d.settle();
  CHECK(d.differences() == "");
  CHECK(d.pass().clean());
}

TEST_CASE("an op between its commits is no drift, and is compared again later", "[databases]") {
  sweep_fixture d;
  test::session writer = d.open_source();
  writer(
      "BEGIN; UPDATE acct SET bal = 1 WHERE id = 1; INSERT INTO log VALUES (100, 'live'); DELETE FROM par WHERE id = "
      "5");
  d.apply(
      d.target, new_uuid(1), writer("SELECT pg_current_xact_id()"),
      R"([["public.acct",["1"],null],["public.log",null,null],["public.par",["5"],null],["public.chd",["5"],["pid"]],["public.nul",["5"],["pid"]]])",
      "UPDATE acct SET bal = 1 WHERE id = 1; INSERT INTO log VALUES (100, 'live'); DELETE FROM par WHERE id = 5");
  test::session looker = d.open_source();
  const std::string begun =
      "SELECT coalesce(min(xact_start)::text, '') FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid = " +
      std::to_string(d.in_s.connection().backend_pid());
  std::set<std::string> pairs;  // that have taken their snapshot while the op is open: the first, and some later ones
  std::thread commits([&] {
    test::eventually([&] {
      if (const std::string at = looker(begun); !at.empty()) pairs.insert(at);
      return pairs.size() > 3;
    });
    writer("COMMIT");
  });
  const pass_tally t = d.pass();
  commits.join();
  CHECK(pairs.size() > 3);
  CHECK(t.clean());
  CHECK(t.set_aside == 6);  // acct 1, par 5, two of chd, one of nul, one row of log
}

TEST_CASE("an op that aborted on the primary is no drift but a doubt", "[databases]") {
  sweep_fixture d;
  test::session writer = d.open_source();
  writer("BEGIN; UPDATE acct SET bal = 1 WHERE id = 1");
  const std::string rev = writer("SELECT pg_current_xact_id()");
  d.apply(d.target, new_uuid(1), rev, R"([["public.acct",["1"],null]])", "UPDATE acct SET bal = 1 WHERE id = 1");
  writer("ROLLBACK");
  d.source("BEGIN; SELECT pg_current_xact_id(); COMMIT");  // later than it, so that a snapshot calls it visible
  certified_pair pair(d.sessions());
  REQUIRE(pair.begin());
  CHECK(pair.doubts().names_key("public.acct", {"1"}));
}

TEST_CASE("an op that is committed and only not settled yet is no doubt", "[databases]") {
  sweep_fixture d;
  test::session writer = d.open_source();
  writer("BEGIN; UPDATE acct SET bal = 1 WHERE id = 1");
  d.apply(d.target, new_uuid(1), writer("SELECT pg_current_xact_id()"), R"([["public.acct",["1"],null]])",
          "UPDATE acct SET bal = 1 WHERE id = 1");
  writer("COMMIT");
  certified_pair pair(d.sessions());
  REQUIRE(pair.begin());
  CHECK(pair.doubts().size() == 0);
}

TEST_CASE("a key degraded after s and repaired before f is in doubt", "[databases]") {
  sweep_fixture d;
  certified_pair pair(d.sessions());
  // s is taken by hand: the repair falls between the two snapshots.
  d.in_s("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const std::string s = d.in_s("SELECT pg_current_snapshot()");
  d.source(
      "UPDATE acct SET bal = 5 WHERE id = 1; SELECT pgtandem.mark_dirty(NULL, 1, '[[\"public.acct\",[\"1\"],null]]', "
      "'test')");
  d.settle();
  CHECK(
      d.target("SELECT count(*) FROM pgtandem.ledger WHERE kind = 'sync' AND NOT pg_visible_in_snapshot(source_rev, '" +
               s + "') AND keys @> '[[\"public.acct\",[\"1\"],null]]'") == "1");
  d.in_s("ROLLBACK");
}

TEST_CASE("a sweep gives way to DDL", "[databases]") {
  sweep_fixture d;
  certified_pair pair(d.sessions());
  REQUIRE(pair.begin());
  d.in_f("SELECT count(*) FROM public.acct");
  block_watch watch({d.settings.source, d.in_s.connection().backend_pid()},
                    {d.settings.target, d.in_f.connection().backend_pid()}, d.stop);
  std::thread ddl([&] { d.target("ALTER TABLE acct ADD COLUMN more int"); });
  CHECK(eventually([&] { return watch.tripped(); }));
  pair.end();
  ddl.join();
}

TEST_CASE("a pass is recorded, and sequences are kept ahead", "[databases]") {
  test::two_databases d;
  for (test::session* s : {&d.source, &d.target})
    (*s)("CREATE SEQUENCE numbers; UPDATE pgtandem.migration SET phase = 'verify'");
  d.source("SELECT setval('numbers', 4711)");
  for (const auto& [id, t] : d.catalog->by_oid)
    d.target("INSERT INTO pgtandem.chunk (relation, n, state) VALUES ('" + t->qualified + "', 1, 'verified')");
  d.settings.reconcile.sweep_pause_ms = 10;
  d.source("INSERT INTO pgtandem.sweep (epoch) SELECT 1 FROM generate_series(1, 1500)");
  test::running_reconciler r(d.settings);
  CHECK(eventually(
      [&] { return d.source("SELECT bool_or(clean) FROM pgtandem.sweep WHERE ended_at IS NOT NULL") == "t"; }));
  CHECK(eventually([&] { return std::stoll(d.target("SELECT last_value FROM numbers")) >= 14711; }));
  CHECK(eventually([&] { return d.source("SELECT count(*) <= 1001 FROM pgtandem.sweep") == "t"; }));
  d.target("UPDATE acct SET bal = -1 WHERE id = 3");
  CHECK(eventually([&] { return d.target("SELECT bal FROM acct WHERE id = 3") == "100"; }));
  CHECK(eventually([&] { return d.source("SELECT max(differing) FROM pgtandem.sweep") == "1"; }));
}

TEST_CASE("a table that is truncated after s leaves the pair", "[databases]") {
  sweep_fixture d;
  certified_pair pair(d.sessions());
  REQUIRE(pair.begin());
  d.source("TRUNCATE log");
  auto left = pair.left_the_pair("public.log");
  REQUIRE(left);
  CHECK(*left);
  CHECK_FALSE(*pair.left_the_pair("public.acct"));
}
