// The backfill through the whole reconciler, and its interleavings.
#include <catch2/catch.hpp>

#include "reconcile/chunk_book.hpp"
#include "reconcile/chunk_copy.hpp"
#include "reconcile/older_transactions.hpp"
#include "tests/unit/reconcile/running_reconciler.hpp"
#include "tests/unit/reconcile/two_databases.hpp"
#include "tests/unit/support/results.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;
using test::eventually;
using test::new_uuid;

namespace {

void enter(test::two_databases& d, const std::string& phase) {
  for (test::session* s : {&d.source, &d.target})
    (*s)("UPDATE pgtandem.migration SET phase = '" + phase + "'; NOTIFY pgtandem");
}
void empty_target(test::two_databases& d) { d.target("TRUNCATE acct, uq, uqc, par, chd, nul, line, kinds, log"); }
bool all_verified(test::two_databases& d) {
  return d.source("SELECT count(*) > 0 AND bool_and(state = 'verified') FROM pgtandem.progress") == "t";
}

struct chunk_fixture : test::two_databases {
  std::atomic<bool> stop{false};
  standing at{1, control::phase::backfill, "steady", 1};
  chunk_fixture() { enter(*this, "backfill"); }
  copy_bench bench_of(test::session& target) {
    return {watcher.connection(), target.connection(), partitions, *catalog, at, stop};
  }
};

}  // namespace

TEST_CASE("a backfill copies every table, also one without a key, and ends", "[databases]") {
  test::two_databases d;
  d.source(
      "INSERT INTO kinds (n, ts, by, jb, arr, m, v) SELECT i, now(), '\\x00ff', '{\"a\":1}', '{a,NULL}', 'ok', 'v' "
      "FROM generate_series(1, 500) i");
  d.source("INSERT INTO line SELECT i, 'ü' || i, i FROM generate_series(100, 900) i");
  empty_target(d);
  d.target("INSERT INTO acct VALUES (1, -1, 'stale')");
  d.settings.reconcile.chunk_rows_max = 300;
  enter(d, "backfill");
  test::running_reconciler r(d.settings);
  REQUIRE(eventually([&] { return all_verified(d); }));
  CHECK(eventually([&] { return d.source("SELECT count(*) FROM pgtandem.dirty") == "0"; }));
  CHECK(d.differences() == "");
  CHECK(d.target("SELECT count(*) FROM pgtandem.chunk WHERE state <> 'verified'") == "0");
  CHECK(d.source("SELECT rows_done FROM pgtandem.progress WHERE relation = 'public.line'") == "851");
}

TEST_CASE("keys that change, vanish or appear while a chunk is copied become dirty", "[databases]") {
  chunk_fixture d;
  empty_target(d);
  test::session writer = d.open_source();
  writer(
      "BEGIN; UPDATE acct SET bal = 1 WHERE id = 1; DELETE FROM acct WHERE id = 2; INSERT INTO acct VALUES (1000, 1, "
      "'new')");
  d.apply(d.target, new_uuid(1), writer("SELECT pg_current_xact_id()"), R"([["public.acct",["1"],null]])",
          "INSERT INTO acct VALUES (1, 1, 'n1'), (1000, 1, 'new')");
  auto bench = d.bench_of(d.secondary);
  std::thread commits([&] {  // after the chunk was read and written: it waits for this op at the horizon
    eventually([&] { return d.target("SELECT count(*) FROM pgtandem.chunk") == "1"; });
    writer("COMMIT");
  });
  auto copied = copy_chunk(bench, d.table("acct"), {}, 1000);
  commits.join();
  REQUIRE(copied);
  CHECK(copied->end == chunk_end::last_verified);
  CHECK(copied->changed == 3);
  d.settle();
  CHECK(d.source("SELECT string_agg(t::text, ',' ORDER BY id) FROM acct t") ==
        d.target("SELECT string_agg(t::text, ',' ORDER BY id) FROM acct t"));
}

TEST_CASE("a chunk that was copied and not verified is read again", "[databases]") {
  chunk_fixture d;
  auto bench = d.bench_of(d.secondary);
  d.stop = true;  // interrupted before the second look
  auto cut = copy_chunk(bench, d.table("acct"), {}, 100);
  REQUIRE(cut);
  CHECK(cut->end == chunk_end::interrupted);
  auto p = read_progress(d.secondary.connection(), "public.acct");
  REQUIRE(p);
  CHECK(p->next.n == 1);
  CHECK_FALSE(p->next.lo);
}

TEST_CASE("a backfill waits for the session that still holds the table's lock", "[databases]") {
  test::two_databases d;
  empty_target(d);
  test::session predecessor = d.open_target();
  predecessor("SELECT pg_advisory_lock(7433011, hashtext('public.acct'))");
  enter(d, "backfill");
  test::running_reconciler r(d.settings);
  CHECK(eventually([&] { return d.source("SELECT count(*) FROM pgtandem.progress WHERE state = 'verified'") == "9"; }));
  CHECK(d.target("SELECT count(*) FROM acct") == "0");
  predecessor("SELECT pg_advisory_unlock_all()");
  CHECK(eventually([&] { return all_verified(d); }));
  CHECK(d.differences() == "");
}

TEST_CASE("a row that the secondary refuses in a chunk comes through the repair engine", "[databases]") {
  test::two_databases d;
  empty_target(d);
  d.target("INSERT INTO uq VALUES (900, 'u3'), (901, 'u4')");
  enter(d, "backfill");
  test::running_reconciler r(d.settings);
  REQUIRE(eventually([&] { return all_verified(d) && d.source("SELECT count(*) FROM pgtandem.dirty") == "0"; }));
  CHECK(d.differences() == "");
}

TEST_CASE("a child is not copied before its parent, even without foreign-key checks", "[databases]") {
  chunk_fixture d;
  d.target("DELETE FROM par WHERE id = 3");  // in doubt; its children went with it
  auto bench = d.bench_of(d.secondary);
  auto copied = copy_chunk(bench, d.table("chd"), {}, 1000);
  REQUIRE(copied);
  CHECK(copied->changed == 2);
  CHECK(d.target("SELECT count(*) FROM chd WHERE pid = 3") == "0");
}

TEST_CASE("transactions that are open now are waited for, later ones are not", "[databases]") {
  test::two_databases d;
  test::session reader = d.open_source(), later = d.open_source();
  reader("BEGIN; SELECT 1");
  // The sessions of the tests have the reconciler's name, which does not count.
  reader("SET application_name = 'psql'");
  later("SET application_name = 'psql'");
  auto older = older_transactions::begin(d.watcher.connection());
  REQUIRE(older);
  later("BEGIN; SELECT pg_current_xact_id()");
  CHECK(*older->remaining(d.watcher.connection()) == 1);
  reader("COMMIT");
  CHECK(*older->remaining(d.watcher.connection()) == 0);
}
