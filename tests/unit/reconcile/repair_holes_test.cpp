// The counter-examples of the write protocol that a repair must survive, each forced step by step.
#include <catch2/catch.hpp>

#include "reconcile/claims.hpp"
#include "reconcile/dirty_drain.hpp"
#include "reconcile/ledger_audit.hpp"
#include "reconcile/row_images.hpp"
#include "reconcile/row_sync.hpp"
#include "tests/unit/reconcile/two_databases.hpp"
#include "tests/unit/support/results.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;
using test::new_uuid;

namespace {

void make_dirty(test::session& at, const std::string& keys, const std::string& op = "") {
  at("SELECT pgtandem.mark_dirty(" + (op.empty() ? "NULL" : "'" + op + "'") + ", 1, '" + keys + "', 'test')");
}

const settled_by nothing = [](const std::vector<key_state>&) { return std::vector<std::int64_t>(); };

}  // namespace

TEST_CASE("a degraded insert, update and delete are repaired with every type exact", "[databases]") {
  test::two_databases d;
  d.source(R"(INSERT INTO kinds (n, f, r, d, ts, by, j, jb, arr, ints, m, u, c, b, i, net, v) VALUES
    (1.500, 0.1::float8 + 0.2, 1e-7, '0044-03-15 BC', '2026-11-01 01:30:00.123456+02', '\x00ff5c27', '{"a": 1,  "b":null}',
     '{"z":[1,2,{"q":"\"x"}]}', ARRAY['a,b', NULL, '{"', ''], '{1,NULL,3}', 'happy', gen_random_uuid(), 'ab', true,
     '1 mon -2 days 03:04:05.678', '10.1.2.3/24', 'it''s'), (NULL, 'NaN', '-Infinity', 'infinity', '-infinity', '', NULL, NULL,
     '{}', NULL, NULL, NULL, '', false, NULL, NULL, ''))");
  d.source("UPDATE acct SET note = E'tab\\there', bal = NULL WHERE id = 1; DELETE FROM acct WHERE id = 2");
  make_dirty(
      d.source,
      R"([["public.kinds",["1"],null],["public.kinds",["2"],null],["public.acct",["1"],null],["public.acct",["2"],null]])");
  d.settle();
  CHECK(d.differences() == "");
  CHECK(d.source("SELECT count(*) FROM pgtandem.dirty") == "0");
}

TEST_CASE("a straggler that lands after the claim takes no effect", "[databases]") {
  test::two_databases d;
  const std::string op = new_uuid(1);
  d.source("BEGIN; INSERT INTO acct VALUES (500, 1, 'x')");
  const std::string rev = d.source("SELECT pg_current_xact_id()");
  make_dirty(d.source, R"([["public.acct",["500"],null]])", op);
  d.source("COMMIT");
  d.source("DELETE FROM acct WHERE id = 500");  // by a live op, on both sides (the target had no such row)
  d.settle();
  CHECK(d.target.state_of("BEGIN; INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev) VALUES ('" + op +
                          "', 1, 'op', '" + d.boot() + "', '" + rev +
                          "'); INSERT INTO acct VALUES (500, 1, 'x'); COMMIT") == "23505");
  d.target("ROLLBACK");
  CHECK(d.differences() == "");
}

TEST_CASE("the claim waits for a straggler that is under way", "[databases]") {
  test::two_databases d;
  const std::string op = new_uuid(2);
  test::session straggler = d.open_target();
  straggler("BEGIN; INSERT INTO pgtandem.ledger (op_id, epoch, kind, settled) VALUES ('" + op + "', 1, 'op', true)");
  auto w = d.bench();
  auto r = claim(w, {op});
  REQUIRE_FALSE(r);
  CHECK(r.error().sqlstate == "55P03");  // lock_timeout: the repair goes round again
  straggler("COMMIT");
  CHECK(claim(w, {op}));
  CHECK(d.target("SELECT kind FROM pgtandem.ledger") == "op");
}

TEST_CASE("a guarded delete sees that a live op wrote the same image", "[databases]") {
  test::two_databases d;
  d.target("INSERT INTO acct VALUES (600, 1, 'orphan')");
  auto w = d.bench();
  const std::vector<cells> key{{"600"}};
  auto version = read_versions(d.secondary.connection(), d.table("acct"), key);
  REQUIRE(version);
  d.source("INSERT INTO acct VALUES (600, 1, 'orphan')");
  REQUIRE(sync_rows(w, d.table("acct"), key, row_lock::none, nothing));  // another repair, or a live op
  d.target("DELETE FROM acct WHERE ctid = '" + version->at(0).ctid + "' AND xmin = '" + version->at(0).xmin + "'");
  CHECK(d.differences() == "");
}

TEST_CASE("a row that only the secondary has is deleted, but not while its op is between its commits", "[databases]") {
  test::two_databases d;
  d.target("INSERT INTO acct VALUES (700, 1, 'extra')");
  test::session writer = d.open_source();
  writer("BEGIN; INSERT INTO acct VALUES (701, 1, 'live')");
  d.apply(d.target, new_uuid(3), writer("SELECT pg_current_xact_id()"), R"([["public.acct",["701"],null]])",
          "INSERT INTO acct VALUES (701, 1, 'live')");
  auto w = d.bench();
  w.horizon_limit = std::chrono::milliseconds(30);
  const std::vector<cells> keys{{"700"}, {"701"}};
  auto missed = sync_rows(w, d.table("acct"), keys, row_lock::none, nothing);
  REQUIRE(missed);
  CHECK(missed->horizon_missed);
  CHECK(d.target("SELECT count(*) FROM acct WHERE id >= 700") == "2");
  writer("COMMIT");
  auto done = sync_rows(w, d.table("acct"), keys, row_lock::none, nothing);
  REQUIRE(done);
  CHECK(done->removed == 1);
  CHECK(d.differences() == "");
}

TEST_CASE("a repair that loses its primary session is found by the audit", "[databases]") {
  test::two_databases d;
  d.source("UPDATE acct SET bal = 1 WHERE id = 1");
  make_dirty(d.source, R"([["public.acct",["1"],null]])");
  auto w = d.bench();
  const std::string pid = std::to_string(d.primary.connection().backend_pid());
  auto cut = sync_rows(w, d.table("acct"), {{"1"}}, row_lock::share, [&](const std::vector<key_state>&) {
    d.source("SELECT pg_terminate_backend(" + pid + ")");  // after the secondary's commit, before the primary's
    d.source("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid);
    return std::vector<std::int64_t>{1};
  });
  REQUIRE_FALSE(cut);
  CHECK(d.source("SELECT count(*) FROM pgtandem.dirty") == "1");
  CHECK(d.target("SELECT count(*) FROM pgtandem.ledger WHERE kind = 'sync' AND NOT settled") == "1");
  ledger_audit audit;
  auto audited = audit.run(d.watcher.connection(), d.secondary.connection(), d.partitions, true);
  REQUIRE(audited);
  CHECK(audited->doubtful == 1);
  CHECK(d.source("SELECT count(*) FROM pgtandem.dirty") == "2");
}

TEST_CASE("a degraded delete of a parent whose key came back: children follow their scopes", "[databases]") {
  test::two_databases d;
  d.source("DELETE FROM par WHERE id = 1; INSERT INTO par VALUES (1, 9)");
  make_dirty(d.source, R"([["public.par",["1"],null],["public.chd",["1"],["pid"]],["public.nul",["1"],["pid"]]])");
  d.settle();
  CHECK(d.differences() == "");
}

TEST_CASE("a swap of unique values is repaired without cascading into the children", "[databases]") {
  test::two_databases d;
  d.source(
      "UPDATE uq SET u = 'x' WHERE id = 1; UPDATE uq SET u = 'u1' WHERE id = 2; UPDATE uq SET u = 'u2' WHERE id = 1");
  d.target("INSERT INTO uq VALUES (99, 'u98')");
  d.source("INSERT INTO uq VALUES (50, 'u98')");
  make_dirty(d.source, R"([["public.uq",["1"],null],["public.uq",["50"],null]])");
  d.settle();
  CHECK(d.differences() == "");
  CHECK(d.target("SELECT count(*) FROM uqc") == "40");
}

TEST_CASE("a repair takes no row lock that a client's NOWAIT could meet", "[databases]") {
  test::two_databases d;
  d.source("UPDATE acct SET bal = 7 WHERE id = 1");
  make_dirty(d.source, R"([["public.acct",["1"],null]])");
  auto w = d.bench();
  std::string nowait = "not asked";
  auto r = sync_rows(w, d.table("acct"), {{"1"}}, row_lock::none, [&](const std::vector<key_state>&) {
    nowait = d.source.state_of("SELECT FROM acct WHERE id = 1 FOR UPDATE NOWAIT");
    return std::vector<std::int64_t>{1};
  });
  REQUIRE(r);
  CHECK(nowait == "");
  CHECK(d.differences() == "");
}

TEST_CASE("a key that changes under an unlocked repair stays dirty", "[databases]") {
  test::two_databases d;
  d.source("UPDATE acct SET bal = 1 WHERE id = 1");
  test::session writer = d.open_source();
  writer("BEGIN; UPDATE acct SET bal = 2 WHERE id = 1");
  d.apply(d.target, new_uuid(4), writer("SELECT pg_current_xact_id()"), R"([["public.acct",["1"],null]])",
          "UPDATE acct SET bal = 2 WHERE id = 1");
  auto w = d.bench();
  // The writer ends while the repair waits for the horizon.
  w.horizon_limit = std::chrono::milliseconds(100);
  auto r = sync_rows(w, d.table("acct"), {{"1"}}, row_lock::none, nothing);
  REQUIRE(r);
  CHECK(r->keys[0] == key_state::changed);
  writer("COMMIT");
  r = sync_rows(w, d.table("acct"), {{"1"}}, row_lock::none, nothing);
  REQUIRE(r);
  CHECK(r->keys[0] == key_state::synced);
  CHECK(d.differences() == "");
}

TEST_CASE("a whole table in doubt is compared and repaired, with and without a key", "[databases]") {
  test::two_databases d;
  d.source(
      "INSERT INTO log VALUES (1, 'v1'), (1, 'v1'), (77, 'new'); UPDATE line SET v = 5 WHERE a = 2; DELETE FROM line "
      "WHERE a = 1");
  d.target("INSERT INTO log VALUES (66, 'surplus'), (2, 'v2'); INSERT INTO line VALUES (9, 'extra', 1)");
  make_dirty(d.source, R"([["public.log",null,null],["public.line",null,null]])");
  d.settle();
  CHECK(d.differences() == "");
}

TEST_CASE("one key's error does not hold up the others", "[databases]") {
  test::two_databases d;
  d.target("ALTER TABLE acct ADD CHECK (bal < 1000)");
  d.source("UPDATE acct SET bal = 5000 WHERE id = 1; UPDATE acct SET bal = 7 WHERE id = 2");
  make_dirty(d.source, R"([["public.acct",["1"],null],["public.acct",["2"],null]])");
  dirty_drain drain;
  auto w = d.bench();
  auto r = drain.run(w, {200, false});
  REQUIRE(r);
  CHECK(r->synced == 1);
  CHECK(r->failed == 1);
  CHECK(d.source("SELECT key FROM pgtandem.dirty") == "{1}");
  CHECK(d.target("SELECT bal FROM acct WHERE id = 2") == "7");
}
