// The coordinator and two proxies' control threads on two real servers: every phase, there and back.
#include <algorithm>
#include <sstream>

#include "proxy/control/commands.hpp"
#include "proxy/control/statements.hpp"
#include "tests/unit/control/migration_fixture.hpp"

using namespace pgtandem;
using namespace pgtandem::control;
using test::migration;
using test::until;

TEST_CASE("without a schema a proxy passes through, and init is noticed") {
  migration m("c_init");
  m.start_proxies();
  CHECK(m.one->loops.routing().epoch == 0);
  m.init();
  CHECK(until([&] { return m.one->loops.routing().epoch == 1 && m.two->loops.routing().epoch == 1; }));
  CHECK(m.one->loops.routing().now == phase::passthrough);
}

TEST_CASE("a migration goes through every phase, there and back") {
  migration m("c_phases");
  m.to_verify();
  CHECK(m.standing(place::source) == "epoch_2 2 verify steady");
  CHECK(m.standing(place::target) == "pgtandem.ledger_2 2 verify steady");
  CHECK(m.trigger(place::source) == "O");
  CHECK(m.trigger(place::target) == "D");

  auto dry = m.cutover(true);
  CHECK(dry.state == intent_state::done);
  CHECK(dry.gates.size() == 10);
  CHECK(m.standing(place::source) == "epoch_2 2 verify steady");

  m.run(place::source, "SELECT setval('s', 41)");
  auto there = m.cutover();
  INFO(there.message);
  REQUIRE(there.state == intent_state::done);
  CHECK(m.standing(place::target) == "epoch_3 3 tail steady");
  CHECK(m.standing(place::source) == "pgtandem.ledger_3 3 tail steady");
  CHECK(m.trigger(place::source) == "D");
  CHECK(m.trigger(place::target) == "O");
  CHECK(std::stoi(m.run(place::target, "SELECT nextval('s')")) > 41);
  CHECK(there.holds.size() == 2);
  CHECK(m.one->loops.routing().primary() == place::target);
  CHECK_FALSE(m.one->loops.routing().holding);

  auto back = m.rollback();
  INFO(back.message);
  REQUIRE(back.state == intent_state::done);
  CHECK(m.standing(place::source) == "epoch_4 4 verify steady");
  CHECK(m.standing(place::target) == "pgtandem.ledger_4 4 verify steady");
  CHECK(m.trigger(place::source) == "O");

  REQUIRE(m.cutover().state == intent_state::done);
  auto complete = m.change(phase::complete);
  INFO(complete.message);
  REQUIRE(complete.state == intent_state::done);
  CHECK(m.standing(place::target) == "6 complete steady");
  CHECK(m.standing(place::source) == "6 complete steady");
}

TEST_CASE("a flip there and back again holds the clients for milliseconds") {
  migration m("c_time");
  // A trigger would be turned on and off with each flip, and the catalog read again before the release.
  for (auto p : {place::source, place::target}) m.run(p, "DROP TRIGGER trg ON t");
  m.to_verify();
  std::vector<double> all;
  for (int i = 0; i < 5; ++i) {
    auto there = m.cutover();
    INFO(there.message);
    REQUIRE(there.state == intent_state::done);
    auto back = m.rollback();
    INFO(back.message);
    REQUIRE(back.state == intent_state::done);
    all.push_back(there.cutover_ms);
    all.push_back(back.cutover_ms);
  }
  std::sort(all.begin(), all.end());
  WARN("cutover_ms: least " << all.front() << ", median " << all[all.size() / 2] << ", most " << all.back());
  WARN(m.run(place::source, "SELECT detail FROM pgtandem.journal WHERE step = 'moved' ORDER BY seq DESC LIMIT 1"));
  CHECK(all[all.size() / 2] < 1000);  // of an unloaded machine it is 30 to 60; this one may be building
}

TEST_CASE("mirroring can be given up, and starts anew without believing the old evidence") {
  migration m("c_back");
  m.init();
  m.start_proxies();
  REQUIRE(m.change(phase::dual_write).state == intent_state::done);
  m.run(place::target, "INSERT INTO pgtandem.chunk VALUES ('public.t', 1, NULL, NULL, 'verified', 0, 0)");
  REQUIRE(m.change(phase::passthrough).state == intent_state::done);
  CHECK(m.standing(place::source) == "3 passthrough steady");
  CHECK(m.standing(place::target) == "3 passthrough steady");
  CHECK(m.trigger(place::target) == "O");
  REQUIRE(m.change(phase::dual_write).state == intent_state::done);
  CHECK(m.standing(place::source) == "epoch_4 4 dual_write steady");
  CHECK(m.run(place::target, "SELECT count(*) FROM pgtandem.chunk") == "0");
}

TEST_CASE("every trigger of a partition comes back as it was") {
  migration m("c_partitions");
  for (auto p : {place::source, place::target})
    m.run(p, "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); "
             "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id); "
             "CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (10) TO (15); CREATE TABLE p22 PARTITION OF p2 FOR VALUES FROM (15) TO (20); "
             "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30); "
             "CREATE TRIGGER a BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER own BEFORE INSERT ON p1 FOR EACH ROW "
             "EXECUTE FUNCTION f(); ALTER TABLE p2 DISABLE TRIGGER a; ALTER TABLE p22 ENABLE TRIGGER a; ALTER TABLE p3 ENABLE ALWAYS TRIGGER a; "
             "CREATE TRIGGER b AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE p DISABLE TRIGGER b; "
             "ALTER TABLE p1 ENABLE REPLICA TRIGGER b");
  const auto all = [&] {
    return m.run(place::target, "SELECT string_agg(format('%s.%s %s', tgrelid::regclass, tgname, tgenabled), ', ' ORDER BY "
                                "tgrelid::regclass::text, tgname) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid <> 't'::regclass");
  };
  const std::string before = all();
  REQUIRE(before == "p.a O, p.b D, p1.a O, p1.b R, p1.own O, p2.a D, p2.b D, p21.a D, p21.b D, p22.a O, p22.b D, p3.a A, p3.b D");
  m.init();
  m.start_proxies();
  REQUIRE(m.change(phase::dual_write).state == intent_state::done);
  CHECK(all() == "p.a D, p.b D, p1.a D, p1.b D, p1.own D, p2.a D, p2.b D, p21.a D, p21.b D, p22.a D, p22.b D, p3.a D, p3.b D");
  m.run(place::target, "CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (30) TO (40)");
  REQUIRE(m.change(phase::passthrough).state == intent_state::done);
  CHECK(all() == before + ", p4.a O, p4.b D");
}

TEST_CASE("a place that was prepared to follow, and nothing followed, gets its triggers back") {
  // As a coordinator leaves it that ends between preparing the target and opening the epoch on the source.
  const auto prepared = [](migration& m) {
    m.init();
    m.run(place::target, follow_sql({2, phase::dual_write, 2, {}, std::chrono::milliseconds(1000)}, follow_part::without_row));
    REQUIRE(m.trigger(place::target) == "D");
    REQUIRE(m.run(place::target, "SELECT phase FROM pgtandem.migration") == "passthrough");
  };
  SECTION("from whichever proxy coordinates") {
    migration m("c_prepared");
    prepared(m);
    m.start_proxies();
    CHECK(until([&] { return m.trigger(place::target) == "O"; }));
    REQUIRE(m.change(phase::dual_write).state == intent_state::done);
    CHECK(m.trigger(place::target) == "D");
    CHECK(m.standing(place::target) == "pgtandem.ledger_2 2 dual_write steady");
  }
  SECTION("at the latest from uninit") {
    migration m("c_prepared_uninit");
    prepared(m);
    config::settings s;
    s.source = test::conninfo_of(place::source, m.database());
    s.target = test::conninfo_of(place::target, m.database());
    std::ostringstream out, err;
    CHECK(uninit(s, out, err) == 0);
    INFO(err.str());
    CHECK(m.trigger(place::target) == "O");
    CHECK(m.run(place::target, "SELECT to_regnamespace('pgtandem') IS NULL") == "t");
  }
}

TEST_CASE("illegal changes and closed gates are refused and change nothing") {
  migration m("c_gates");
  m.init();
  m.start_proxies();
  CHECK(m.change(phase::verify).state == intent_state::failed);
  CHECK(m.cutover().state == intent_state::failed);
  m.run(place::target, "ALTER TABLE t DROP COLUMN v");
  auto differs = m.change(phase::dual_write);
  CHECK(differs.state == intent_state::failed);
  CHECK(differs.message.find("tables_match") != std::string::npos);
  CHECK(m.standing(place::source) == "1 passthrough steady");
  m.run(place::target, "ALTER TABLE t ADD COLUMN v text");
  REQUIRE(m.change(phase::dual_write).state == intent_state::done);
  REQUIRE(m.change(phase::backfill).state == intent_state::done);
  auto early = m.change(phase::verify);
  CHECK(early.message == "closed gates: backfill_verified");
}

TEST_CASE("a transaction that does not end undoes the flip in its epoch") {
  migration m("c_open");
  m.to_verify();
  m.two->loops.open = 1;
  auto r = m.cutover();
  CHECK(r.state == intent_state::failed);
  CHECK(r.message.find("not holding in time: two") != std::string::npos);
  CHECK(m.standing(place::source) == "epoch_2 2 verify steady");
  CHECK(until([&] { return !m.one->loops.routing().holding; }));
  m.two->loops.open = 0;
  CHECK(m.cutover().state == intent_state::done);
}

TEST_CASE("what stays in doubt undoes the flip into a new epoch") {
  migration m("c_doubt");
  m.to_verify();
  m.run(place::source, "SELECT pgtandem.mark_dirty(gen_random_uuid(), 2, '[[\"public.t\", [\"1\"], null]]', 'test')");
  auto r = m.cutover();
  CHECK(r.state == intent_state::failed);
  CHECK(r.message.find("still in doubt") != std::string::npos);
  CHECK(m.standing(place::source) == "epoch_3 3 verify steady");
  CHECK(m.standing(place::target) == "pgtandem.ledger_3 3 verify steady");
  CHECK(until([&] { return m.one->loops.routing().epoch == 3 && !m.one->loops.routing().holding; }));
  m.run(place::source, "DELETE FROM pgtandem.dirty");
  CHECK(m.cutover().state == intent_state::done);
  CHECK(m.standing(place::target) == "epoch_4 4 tail steady");
}

TEST_CASE("the epoch rolls on without a flip, while a transaction from before keeps the old one open") {
  migration m("c_roll");
  m.to_verify();
  m.two->loops.behind = 1;   // a session that is still under the old epoch
  m.run(place::source, "UPDATE pgtandem.migration SET changed_at = changed_at - interval '1 day'");
  CHECK(until([&] { return m.standing(place::target) == "pgtandem.ledger_2,pgtandem.ledger_3 3 verify steady"; }));
  CHECK(m.standing(place::source) == "epoch_2,epoch_3 3 verify steady");
  CHECK(until([&] { return m.one->loops.routing().epoch == 3 && m.two->loops.routing().epoch == 3; }));
  CHECK(m.one->control.status().ledger.attached >= 1);
  m.two->loops.behind = 0;
  CHECK(until([&] { return m.standing(place::source) == "epoch_3 3 verify steady"; }));
  CHECK(until([&] { return m.standing(place::target) == "pgtandem.ledger_3 3 verify steady"; }));
  CHECK(m.run(place::source, "SELECT attempt->>'course' FROM pgtandem.migration") == "2");
  auto there = m.cutover();
  INFO(there.message);
  CHECK(there.state == intent_state::done);
  CHECK(m.standing(place::target) == "epoch_4 4 tail steady");
}

TEST_CASE("a flip in the midst of a roll takes both epochs along") {
  migration m("c_roll_flip");
  m.to_verify();
  auto holder = database::connection::open(test::conninfo_of(place::source, m.database()));
  REQUIRE(holder);
  REQUIRE(holder->run("BEGIN; SELECT FROM pgtandem.epoch_2"));   // as a proxy would that was passed over
  m.run(place::source, "UPDATE pgtandem.migration SET changed_at = changed_at - interval '1 day'");
  CHECK(until([&] { return m.standing(place::source) == "epoch_2,epoch_3 3 verify steady"; }));
  auto refused = m.cutover();
  CHECK(refused.state == intent_state::failed);   // the old epoch's writer is waited for, in vain
  REQUIRE(holder->run("ROLLBACK"));
  CHECK(until([&] { return m.standing(place::source) == "epoch_3 3 verify steady" || m.standing(place::source) == "epoch_4 4 verify steady"; }));
  auto there = m.cutover();
  INFO(there.message);
  CHECK(there.state == intent_state::done);
  CHECK(m.run(place::source, "SELECT count(*) FROM pg_class WHERE relnamespace = 'pgtandem'::regnamespace AND relname ~ '^epoch_'") == "0");
}

TEST_CASE("an unsettled row in any partition closes the gate and stops a flip") {
  migration m("c_unsettled");
  m.to_verify();
  m.run(place::target, "CREATE TABLE pgtandem.ledger_1 (LIKE pgtandem.ledger INCLUDING ALL); INSERT INTO pgtandem.ledger_1 (op_id, epoch, kind) "
                       "VALUES (gen_random_uuid(), 1, 'op')");
  CHECK(m.run(place::target, "SELECT pgtandem.unsettled(10)") == "1");
  auto r = m.cutover();
  CHECK(r.state == intent_state::failed);
  CHECK(r.message.find("1 unsettled") != std::string::npos);
  m.run(place::target, "UPDATE pgtandem.ledger_1 SET settled = true");
  CHECK(until([&] { return m.cutover().state == intent_state::done; }));
}

TEST_CASE("a sweep is evidence of the incarnations that it has read") {
  migration m("c_restarted");
  m.to_verify();
  for (place p : {place::source, place::target}) {
    const std::string token = m.run(p, "SELECT token FROM pgtandem.boot");
    m.run(p, "UPDATE pgtandem.boot SET token = gen_random_uuid()");   // what a crash comes to
    auto r = m.cutover(true);
    CHECK(r.message == "closed gates: sweep_clean");
    m.run(p, "UPDATE pgtandem.boot SET token = '" + token + "'");
  }
  CHECK(m.cutover(true).state == intent_state::done);
}

TEST_CASE("a coordinator that died with the epoch fenced is made good by another") {
  migration m("c_mend");
  m.to_verify();
  m.run(place::source, "DROP TABLE pgtandem.epoch_2; UPDATE pgtandem.migration SET step = 'fenced', attempt = attempt || "
                       "'{\"moves\": true, \"coordinator\": \"00000000-0000-0000-0000-000000000000\"}'; NOTIFY pgtandem");
  CHECK(until([&] { return m.standing(place::source) == "epoch_3 3 verify steady"; }));
  CHECK(until([&] { return m.standing(place::target) == "pgtandem.ledger_3 3 verify steady"; }));
  CHECK(until([&] { return !m.one->loops.routing().holding; }));
}

TEST_CASE("a secondary that was away is told when it is back") {
  migration m("c_align");
  m.to_verify();
  m.run(place::target, "ALTER TABLE pgtandem.ledger DETACH PARTITION pgtandem.ledger_2; UPDATE pgtandem.migration SET epoch = 1, phase = 'passthrough'");
  CHECK(until([&] { return m.standing(place::target) == "pgtandem.ledger_2 2 verify steady"; }));
}

TEST_CASE("leases are kept where nothing is mirrored yet, too, and not once there is nothing to miss") {
  migration m("c_lease_before");
  m.init();
  m.start_proxies();
  auto locker = database::connection::open(test::conninfo_of(place::source, m.database()));
  REQUIRE(locker);
  REQUIRE(locker->run("BEGIN; LOCK TABLE pgtandem.lease IN ACCESS EXCLUSIVE MODE"));
  CHECK(until([&] { return m.one->loops.routing().holding; }));
  REQUIRE(locker->run("ROLLBACK"));
  CHECK(until([&] { return !m.one->loops.routing().holding; }));
  REQUIRE(locker->run("INSERT INTO pgtandem.journal (step) SELECT 'old' FROM generate_series(1, 10500)"));
  CHECK(until([&] { return m.run(place::source, "SELECT count(*) <= 10000 FROM pgtandem.journal") == "t"; }));
  REQUIRE(locker->run("BEGIN; LOCK TABLE pgtandem.lease IN ACCESS EXCLUSIVE MODE"));
  CHECK(until([&] { return m.one->loops.routing().holding; }));
  REQUIRE(locker->run("DROP SCHEMA pgtandem CASCADE; COMMIT"));
  CHECK(until([&] { return !m.one->loops.routing().holding; }));
}

TEST_CASE("a proxy that cannot renew its lease holds new transactions") {
  migration m("c_lease");
  m.to_verify();
  auto locker = database::connection::open(test::conninfo_of(place::source, m.database()));
  REQUIRE(locker);
  REQUIRE(locker->run("BEGIN; LOCK TABLE pgtandem.lease IN ACCESS EXCLUSIVE MODE"));
  CHECK(until([&] { return m.one->loops.routing().holding; }));
  REQUIRE(locker->run("ROLLBACK"));
  CHECK(until([&] { return !m.one->loops.routing().holding; }));
}
