#include "proxy/apply/applier_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>

#include "proxy/database/schema.hpp"
#include "tests/unit/apply/tables.hpp"
#include "tests/unit/support/results.hpp"
#include "tests/unit/support/temporary_cluster.hpp"

using namespace pgtandem;
using namespace std::chrono_literals;
using session::apply_result;

namespace {

std::string text_of(const database::result<database::rows>& r) {
  if (!r) return "ERROR " + r.error().sqlstate + " " + r.error().message;
  std::string text;
  for (int i = 0; i < r->size(); ++i)
    for (int k = 0; k < r->columns(); ++k)
      text += (text.empty() ? "" : " ") + (r->null(i, k) ? "NULL" : std::string(r->at(i, k)));
  return text;
}

// A secondary with a table or two, a pool, and the answers it has given.
struct lab {
  explicit lab(apply::pool_settings s = {}) : settings(s), db(open()) {
    REQUIRE(db.run(
        "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS pgtandem CASCADE; "
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES t)"));
    REQUIRE(database::install(db));
    REQUIRE(db.run(database::create_ledger_sql(1)));
    t = test::make_table("public.t", "id*:integer v:text", 1);
    child = test::make_table("public.child", "id*:integer p:integer", 2);
    child->fk_rank = 1;
    pool.emplace(loop, cluster().conninfo(), settings);
  }
  static test::temporary_cluster& cluster() {
    static test::temporary_cluster c;
    return c;
  }
  static database::connection open() {
    auto c = database::connection::open(cluster().conninfo());
    if (!c) throw std::runtime_error(c.error().message);
    return std::move(*c);
  }

  session::op_ptr make(int epoch = 1) {
    auto o = std::make_shared<session::op>();
    char id[40];
    std::snprintf(id, sizeof id, "00000000-0000-7000-8000-%012d", ++ids);
    o->op_id = id;
    o->epoch = epoch;
    o->source_rev = std::to_string(1000 + ids);
    o->boot = "00000000-0000-4000-8000-000000000001";
    o->keys = "[]";
    return o;
  }
  session::op_ptr row(int key, const std::string& value) {
    auto o = make();
    test::upsert(*o, t, std::to_string(key) + "," + value);
    return o;
  }
  void submit(const session::op_ptr& o) {
    ++open_ops;
    pool->submit(o, [this](const session::op_ptr& answered, const session::apply_outcome& outcome) {
      --open_ops;
      answers[answered->op_id].push_back(outcome);
    });
  }
  void run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = 10s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done() && std::chrono::steady_clock::now() < end) {
      loop.restart();
      loop.run_one_for(20ms);
    }
    CHECK(done());
  }
  void settle() {
    run_until([this] { return open_ops == 0; });
  }
  std::string answer(const session::op_ptr& o) {
    const auto& a = answers[o->op_id];
    if (a.size() != 1) return std::to_string(a.size()) + " answers";
    static const char* const names[] = {"applied", "refused", "lost", "timed_out", "breaker_open", "queue_full"};
    return std::string(names[static_cast<int>(a[0].result)]) + (a[0].sqlstate.empty() ? "" : " " + a[0].sqlstate);
  }
  std::string query(const std::string& sql) { return text_of(db.run(sql)); }

  apply::pool_settings settings;
  database::connection db;
  boost::asio::io_context loop{1};
  std::optional<apply::applier_pool> pool;
  std::shared_ptr<sql::table> t, child;
  std::map<std::string, std::vector<session::apply_outcome>> answers;
  int open_ops = 0, ids = 0;
};

}  // namespace

TEST_CASE("ops that wait together are applied together") {
  lab l;
  std::vector<session::op_ptr> ops;
  for (int i = 0; i < 50; ++i) l.submit(ops.emplace_back(l.row(i, "v" + std::to_string(i))));
  CHECK(l.answers.empty());  // never from inside submit()
  l.settle();
  for (const auto& o : ops) CHECK(l.answer(o) == "applied");
  CHECK(l.query("SELECT count(*), min(v), count(DISTINCT xmin::text) FROM t") == "50 v0 1");
  CHECK(l.query("SELECT count(*), count(DISTINCT target_rev), min(kind), min(source_rev::text), count(DISTINCT boot) "
                "FROM pgtandem.ledger") == "50 1 op 1001 1");
  CHECK(l.pool->tally().groups == 1);
}

TEST_CASE("an op waits for those that are about to come") {
  apply::pool_settings s;
  s.gather_us = 60'000'000;
  lab l(s);
  auto first = l.row(1, "a"), second = l.row(2, "b"), alone = l.row(3, "c");
  l.pool->expect(2);
  l.pool->expect(-1);
  l.submit(first);
  l.run_until([&] { return l.loop.poll() == 0; });
  CHECK(l.pool->tally().groups == 0);
  l.pool->expect(-1);
  l.submit(second);
  l.settle();
  CHECK(l.query("SELECT count(DISTINCT xmin::text) FROM t") == "1");
  l.submit(alone);   // nobody is expected
  l.settle();
  CHECK(l.answer(alone) == "applied");
  CHECK(l.pool->tally().groups == 2);
}

TEST_CASE("an op does not wait longer than gather_us, nor for more than group_max") {
  apply::pool_settings s;
  s.gather_us = 1000;
  lab l(s);
  auto op = l.row(1, "a");
  l.pool->expect(1);
  l.submit(op);
  l.settle();
  CHECK(l.answer(op) == "applied");

  s.gather_us = 60'000'000;
  s.group_max = 2;
  lab full(s);
  full.pool->expect(1);
  auto one = full.row(1, "a"), two = full.row(2, "b");
  full.submit(one);
  full.submit(two);
  full.settle();
  CHECK(full.answer(one) == "applied");
  CHECK(full.answer(two) == "applied");
}

TEST_CASE("a group that fails is applied op by op") {
  lab l;
  auto good = l.row(1, "a"), also = l.row(2, "b"), orphan = l.make(), malformed = l.make(), bad = l.make();
  test::upsert(*orphan, l.child, "1,99");
  test::upsert(*malformed, l.t, "1");
  test::upsert(*bad, l.t, "x,y");
  for (const auto& o : {good, orphan, malformed, bad, also}) l.submit(o);
  l.settle();
  CHECK(l.answer(good) == "applied");
  CHECK(l.answer(also) == "applied");
  CHECK(l.answer(orphan) == "refused 23503");
  CHECK(l.answer(malformed) == "refused 22P03");
  CHECK(l.answer(bad) == "refused 22P02");
  CHECK(l.answers[bad->op_id][0].message.find("\"x\"") == std::string::npos);  // no row values
  CHECK(l.query("SELECT count(*) FROM t") == "2");
  CHECK(l.query("SELECT count(*) FROM pgtandem.ledger") == "2");
  CHECK(l.pool->tally().groups_fell_apart == 1);
  CHECK(!l.pool->breaker_open());
  auto next = l.row(3, "c");
  l.submit(next);
  l.settle();
  CHECK(l.answer(next) == "applied");
}

TEST_CASE("a claimed op is refused with its effect; an op that had landed is applied") {
  lab l;
  auto claimed = l.row(1, "a"), landed = l.row(2, "b");
  REQUIRE(l.db.execute("INSERT INTO pgtandem.ledger (op_id, epoch, kind) VALUES ($1, 1, 'claim'), ($2, 1, 'op')",
                       {claimed->op_id, landed->op_id}));
  REQUIRE(l.db.run("INSERT INTO t VALUES (2, 'b')"));
  l.submit(claimed);
  l.submit(landed);
  l.settle();
  CHECK(l.answer(claimed) == "refused 23505");
  CHECK(l.answer(landed) == "applied");
  CHECK(l.query("SELECT * FROM t") == "2 b");
}

TEST_CASE("an op of a stale epoch finds no partition") {
  lab l;
  auto stale = l.make(2), fresh = l.row(1, "a");
  test::upsert(*stale, l.t, "5,x");
  l.submit(stale);
  l.submit(fresh);
  l.settle();
  CHECK(l.answer(stale) == "refused 23514");
  CHECK(l.answer(fresh) == "applied");
  CHECK(l.query("SELECT * FROM t") == "1 a");
}

TEST_CASE("all kinds of effect, with and without a group") {
  lab l;
  REQUIRE(
      l.db.run("CREATE TABLE dfr (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, n int); CREATE TABLE gen (id int "
               "GENERATED ALWAYS "
               "AS IDENTITY PRIMARY KEY, a int[], g int GENERATED ALWAYS AS (id * 2) STORED, c text); INSERT INTO t "
               "VALUES (1, 'a'), (2, 'b'); "
               "INSERT INTO dfr VALUES (1, 1); CREATE TABLE bag (v text)"));
  auto dfr = test::make_table("public.dfr", "id*:integer n:integer", 3);
  dfr->key_deferrable = true;
  auto gen = test::make_table("public.gen", "id!*:integer a:integer[] g=:integer c:text", 4);
  auto bag = test::make_table("public.bag", "v:text", 5);
  auto one = l.make(), two = l.make(), three = l.make();
  test::upsert(*one, dfr, "1,10");
  test::upsert(*one, dfr, "2,20");
  test::upsert(*one, gen, "7,\"{1,2}\",\"x\"\"y\\\\z\"");
  test::upsert(*one, bag, "again");
  test::upsert(*one, bag, "again");
  test::remove(*one, l.t, "1,a");
  two->in_order = true;
  test::upsert(*two, l.t, "2,changed");
  test::remove(*two, l.t, "2,changed");
  test::upsert(*two, l.t, "2,back");
  l.submit(one);
  l.submit(two);
  l.settle();
  CHECK(l.answer(one) == "applied");
  CHECK(l.answer(two) == "applied");
  CHECK(l.query("SELECT * FROM t") == "2 back");
  CHECK(l.query("SELECT * FROM dfr ORDER BY 1") == "1 10 2 20");
  CHECK(l.query("SELECT * FROM gen") == "7 {1,2} 14 x\"y\\z");
  CHECK(l.query("SELECT count(*) FROM bag") == "2");
  test::add_effect(*three, session::effect_kind::truncate, gen, " RESTART IDENTITY", 1);
  test::add_effect(*three, session::effect_kind::truncate, dfr, "", 1);
  l.submit(three);
  l.settle();
  CHECK(l.answer(three) == "applied");
  CHECK(l.query("SELECT (SELECT count(*) FROM gen), (SELECT count(*) FROM dfr)") == "0 0");
}

TEST_CASE("a unique index that only the secondary has: the images take their turn there") {
  lab l;
  REQUIRE(l.db.run("CREATE UNIQUE INDEX ON t (v); INSERT INTO t VALUES (2, 'a')"));
  auto there = test::make_table("public.t", "id*:integer v:text", 1);
  there->further_unique = 1;
  there->index_hash = 77;
  l.pool->secondary_changed(lab::cluster().conninfo(), test::make_catalog({there}));
  auto o = l.make();  // UPDATE t SET v = 'b' WHERE id = 2; INSERT INTO t VALUES (1, 'a'): by key, 1 would come first
  test::upsert(*o, l.t, "2,b");
  test::upsert(*o, l.t, "1,a");
  l.submit(o);
  l.settle();
  CHECK(l.answer(o) == "applied");
  CHECK(l.query("SELECT * FROM t ORDER BY 1") == "1 a 2 b");
  CHECK(l.query("SELECT length(index_hash) FROM pgtandem.ledger") == "16");
}

TEST_CASE("an upsert always writes a new row version") {
  lab l;
  REQUIRE(l.db.run("INSERT INTO t VALUES (1, 'a')"));
  const std::string before = l.query("SELECT xmin FROM t");
  auto same = l.row(1, "a");
  l.submit(same);
  l.settle();
  CHECK(l.query("SELECT xmin FROM t") != before);
}

TEST_CASE("a key whose type lives in an extension's schema is found by its own operator") {
  lab l;
  if (!l.db.run("CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext")) return;  // contrib not installed
  REQUIRE(l.db.run("CREATE TABLE ci (k ext.citext PRIMARY KEY); INSERT INTO ci VALUES ('ABC')"));
  auto ci = test::make_table("public.ci", "k*:ext.citext", 9);
  auto o = l.make();
  test::remove(*o, ci, "abc");
  l.submit(o);
  l.settle();
  CHECK(l.answer(o) == "applied");
  CHECK(l.query("SELECT count(*) FROM ci") == "0");
}

TEST_CASE("an op of 20,000 images in order does not choke the pipeline") {
  lab l(apply::pool_settings{.budget_ms = 20000});
  auto o = l.make();
  o->in_order = true;
  for (int i = 0; i < 20000; ++i)
    test::upsert(*o, l.t, std::to_string(i) + ",some value that takes room in the buffers of both sides");
  l.submit(o);
  l.run_until([&] { return l.open_ops == 0; }, 60s);
  CHECK(l.answer(o) == "applied");
  CHECK(l.query("SELECT count(*) FROM t") == "20000");
}

TEST_CASE("a locked row fails its own op only, within the budget") {
  constexpr auto budget = 1000ms;
  lab l(apply::pool_settings{.budget_ms = budget.count()});
  REQUIRE(l.db.run("INSERT INTO t VALUES (1, 'a')"));
  auto holder = lab::open();
  REQUIRE(holder.run("BEGIN; SELECT * FROM t WHERE id = 1 FOR UPDATE"));
  auto free = l.row(2, "b"), blocked = l.row(1, "x"), other = l.row(3, "c");
  const auto start = std::chrono::steady_clock::now();
  for (const auto& o : {free, blocked, other}) l.submit(o);
  l.settle();
  CHECK(std::chrono::steady_clock::now() - start < budget);
  CHECK(l.answer(free) == "applied");
  CHECK(l.answer(blocked) == "refused 55P03");
  CHECK(l.answer(other) == "applied");
  auto alone = l.row(1, "y");
  l.submit(alone);
  l.settle();
  CHECK(l.answer(alone) == "refused 55P03");
  REQUIRE(holder.run("ROLLBACK"));
  CHECK(l.query("SELECT v FROM t ORDER BY id") == "a b c");
}

TEST_CASE("an op that its client has given up is not sent") {
  lab l;
  auto gone = l.row(1, "a"), kept = l.row(2, "b");
  l.submit(gone);
  l.submit(kept);
  gone->given_up = true;
  l.settle();
  CHECK(l.answer(gone) == "timed_out");
  CHECK(l.answer(kept) == "applied");
  CHECK(l.query("SELECT * FROM t") == "2 b");
  CHECK(l.query("SELECT count(*) FROM pgtandem.ledger") == "1");
}

TEST_CASE("beyond its bound the queue says so") {
  apply::pool_settings s;
  s.queue_max = 3;
  lab l(s);
  std::vector<session::op_ptr> ops;
  for (int i = 0; i < 5; ++i) l.submit(ops.emplace_back(l.row(i, "a")));
  l.settle();
  CHECK(l.answer(ops[2]) == "applied");
  CHECK(l.answer(ops[3]) == "queue_full");
  CHECK(l.answer(ops[4]) == "queue_full");
}

TEST_CASE("a secondary that stands still: the ops time out, the breaker opens, and closes again afterwards") {
  apply::pool_settings s;
  s.budget_ms = 100;
  s.breaker_failures = 3;
  s.breaker_successes = 2;
  s.probe_interval_ms = 50;
  lab l(s);
  auto before = l.row(1, "a");
  l.submit(before);
  l.settle();
  CHECK(l.answer(before) == "applied");
  lab::cluster().freeze();
  std::vector<session::op_ptr> ops;
  for (int i = 10; i < 14; ++i) l.submit(ops.emplace_back(l.row(i, "b")));
  const auto start = std::chrono::steady_clock::now();
  l.settle();
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  for (const auto& o : ops) CHECK(l.answer(o) == "timed_out 57014");
  CHECK(l.pool->breaker_open());
  auto refused = l.row(20, "c");
  l.submit(refused);
  CHECK(l.answers.count(refused->op_id) == 0);
  l.settle();
  CHECK(l.answer(refused) == "breaker_open");
  lab::cluster().thaw();
  l.run_until([&] { return !l.pool->breaker_open(); });
  auto after = l.row(30, "d");
  l.submit(after);
  l.settle();
  CHECK(l.answer(after) == "applied");
  CHECK(l.pool->tally().breaker_opened == 1);
}

TEST_CASE("a secondary that takes writes, but not within the budget, is not asked again") {
  apply::pool_settings s;
  s.budget_ms = 100;
  s.breaker_failures = 1;
  s.breaker_successes = 1;
  s.probe_interval_ms = 10;
  lab l(s);
  REQUIRE(l.db.run(
      "CREATE SEQUENCE probes; CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN PERFORM nextval(''public.probes''), pg_sleep(0.2); RETURN NULL; END'; "
      "CREATE TRIGGER slow AFTER UPDATE ON pgtandem.beat EXECUTE FUNCTION slow()"));
  auto before = l.row(1, "a");
  l.submit(before);
  l.settle();
  l.pool->overdue(l.row(2, "b"));
  CHECK(l.pool->breaker_open());
  l.run_until([&] { return l.query("SELECT last_value > 3 FROM probes") == "t"; });
  CHECK(l.pool->breaker_open());
  REQUIRE(l.db.run("DROP TRIGGER slow ON pgtandem.beat"));
  l.run_until([&] { return !l.pool->breaker_open(); });
}

TEST_CASE("a budget that is changed holds for the appliers too") {
  lab l(apply::pool_settings{.budget_ms = 60000});
  REQUIRE(l.db.run("INSERT INTO t VALUES (1, 'a')"));
  auto before = l.row(2, "b"), blocked = l.row(1, "x");
  l.submit(before);
  l.settle();
  auto holder = lab::open();
  REQUIRE(holder.run("BEGIN; SELECT * FROM t WHERE id = 1 FOR UPDATE"));
  l.pool->use_budget(100);
  l.submit(blocked);
  l.settle();  // within 10 s
  CHECK(l.answer(blocked) == "refused 55P03");
}

TEST_CASE("ops whose clients have waited the whole budget open the breaker at once, for those that wait behind them") {
  apply::pool_settings s;
  s.appliers = 1;
  s.budget_ms = 2000;  // the answers themselves would take 4 × that
  s.breaker_failures = 2;
  lab l(s);
  auto before = l.row(1, "a");
  l.submit(before);
  l.settle();
  lab::cluster().freeze();
  auto sent = l.row(2, "b"), second = l.row(3, "c"), third = l.row(4, "d");
  l.submit(sent);
  l.run_until([&] { return l.pool->tally().groups == 2; });
  l.submit(second);
  l.submit(third);
  l.pool->overdue(sent);
  CHECK_FALSE(l.pool->breaker_open());
  l.pool->overdue(second);  // it never left the queue: its client has waited all the same
  CHECK(l.pool->breaker_open());
  l.run_until([&] { return l.open_ops == 1; });
  CHECK(l.answer(third) == "breaker_open");
  lab::cluster().thaw();
  l.settle();
  CHECK(l.pool->tally().breaker_opened == 1);
}

TEST_CASE("a killed connection loses what was in flight and nothing else; an idle loss is not noticed at all") {
  lab l(apply::pool_settings{.budget_ms = 20000});
  auto first = l.row(1, "a");
  l.submit(first);
  l.settle();
  const char* kill =
      "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = 'pgtandem applier'";
  CHECK(l.query(kill) != "0");
  auto second = l.row(2, "b");
  l.submit(second);
  l.settle();
  CHECK(l.answer(second) == "applied");

  auto holder = lab::open();
  REQUIRE(holder.run("BEGIN; SELECT * FROM t WHERE id = 1 FOR UPDATE"));
  auto in_flight = l.row(1, "x");
  l.submit(in_flight);
  l.run_until([&] { return l.query("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1"; });
  CHECK(l.query(kill) == "1");
  l.settle();
  CHECK(l.answer(in_flight).starts_with("lost"));
  REQUIRE(holder.run("ROLLBACK"));
  auto third = l.row(3, "c");
  l.submit(third);
  l.settle();
  CHECK(l.answer(third) == "applied");
}

TEST_CASE("an unreachable secondary answers at once, and a new place is used at once") {
  lab l;
  l.pool->secondary_changed("host=/nowhere port=1", nullptr);
  auto lost = l.row(1, "a");
  l.submit(lost);
  const auto start = std::chrono::steady_clock::now();
  l.settle();
  CHECK(l.answer(lost) == "lost 08001");
  CHECK(std::chrono::steady_clock::now() - start < 1s);
  l.pool->secondary_changed(lab::cluster().conninfo(), nullptr);
  auto applied = l.row(2, "b");
  l.submit(applied);
  l.settle();
  CHECK(l.answer(applied) == "applied");
}

TEST_CASE("a table altered under a prepared statement costs one op, not the connection's life") {
  lab l;
  auto first = l.row(1, "a");
  l.submit(first);
  l.settle();
  REQUIRE(l.db.run("ALTER TABLE t RENAME v TO w"));
  auto refused = l.row(2, "b");
  l.submit(refused);
  l.settle();
  CHECK(l.answer(refused) == "refused 42703");
  REQUIRE(l.db.run("ALTER TABLE t RENAME w TO v"));
  auto second = l.row(3, "c");
  l.submit(second);
  l.settle();
  CHECK(l.answer(second) == "applied");
}

TEST_CASE("a pool that goes forgets what it has not answered") {
  lab l(apply::pool_settings{.budget_ms = 20000});
  auto queued = l.row(1, "a");
  l.submit(queued);
  l.pool.reset();
  auto holder = lab::open();
  REQUIRE(holder.run("BEGIN; INSERT INTO t VALUES (5, 'x')"));
  l.pool.emplace(l.loop, lab::cluster().conninfo(), l.settings);
  auto in_flight = l.row(5, "y");
  l.submit(in_flight);
  l.run_until([&] { return l.query("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1"; });
  l.pool.reset();
  l.loop.restart();
  l.loop.run_for(100ms);  // the coroutines end by themselves
  CHECK(l.answer(queued) == "0 answers");
  CHECK(l.answer(in_flight) == "0 answers");
  CHECK(queued.use_count() == 1);
  CHECK(in_flight.use_count() == 1);
}
