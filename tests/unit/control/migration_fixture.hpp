// Two servers, and control threads of proxies without loops on them: a migration as the databases see it.
#pragma once
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "proxy/control/control_thread.hpp"
#include "proxy/database/schema.hpp"
#include "tests/unit/control/fake_fleet.hpp"
#include "tests/unit/support/results.hpp"
#include "tests/unit/support/temporary_cluster.hpp"

namespace pgtandem::test {

// Waits for a condition; false after thirty seconds.
inline bool until(const std::function<bool()>& condition) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

// Fit as a secondary: the durability that preflight asks for.
inline temporary_cluster::settings durable() { return {{"fsync", "on"}, {"full_page_writes", "on"}}; }

struct clusters {
  temporary_cluster source{durable()}, target{durable()};
};
inline clusters& shared_clusters() {
  static clusters c;
  return c;
}

inline std::string conninfo_of(control::place p, const std::string& database) {
  auto& c = p == control::place::source ? shared_clusters().source : shared_clusters().target;
  return c.conninfo(database);
}

// One proxy process' control.
struct proxy {
  fake_fleet loops;
  telemetry::meter meter;
  control::control_thread control;
  proxy(const std::string& name, const std::string& database) : control(settings(name, database), loops, meter) { control.start(); }
  static control::control_settings settings(const std::string& name, const std::string& database) {
    control::control_settings s;
    s.name = name;
    s.source = conninfo_of(control::place::source, database);
    s.target = conninfo_of(control::place::target, database);
    s.lease = std::chrono::milliseconds(1500);
    s.hold_deadline = std::chrono::milliseconds(700);
    s.drain_deadline = std::chrono::milliseconds(700);
    return s;
  }
};

// A fresh database on both servers, with a table and two proxies.
class migration {
 public:
  explicit migration(std::string database) : database_(std::move(database)) {
    for (auto p : {control::place::source, control::place::target}) {
      auto admin = database::connection::open(conninfo_of(p, "postgres"));
      REQUIRE(admin);
      REQUIRE(admin->run("CREATE DATABASE " + database_));
      run(p, "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE SEQUENCE s; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
             "'BEGIN RETURN NEW; END'; CREATE TRIGGER trg BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()");
    }
  }

  std::string run(control::place p, const std::string& sql) {
    auto c = database::connection::open(conninfo_of(p, database_));
    REQUIRE(c);
    auto r = c->run(sql);
    INFO(sql);
    REQUIRE(r);
    return r->size() > 0 && r->columns() > 0 ? std::string(r->at(0, 0)) : std::string();
  }

  void init() {
    for (auto p : {control::place::source, control::place::target}) {
      auto c = database::connection::open(conninfo_of(p, database_));
      REQUIRE(c);
      REQUIRE(database::install(*c, {"00000000-0000-4000-8000-000000000001", std::string(name_of(p))}));
    }
  }

  void start_proxies() {
    one = std::make_unique<proxy>("one", database_);
    two = std::make_unique<proxy>("two", database_);
    REQUIRE(one->control.wait_ready(std::chrono::seconds(30)));
    REQUIRE(two->control.wait_ready(std::chrono::seconds(30)));
  }

  control::intent_report want(control::intent what) {
    auto id = one->control.desk().submit(what);
    REQUIRE(id);
    auto ended = [&] {
      auto s = one->control.desk().report(*id)->state;
      return s == control::intent_state::done || s == control::intent_state::failed;
    };
    REQUIRE(until(ended));
    return *one->control.desk().report(*id);
  }
  control::intent_report change(control::phase to) { return want({control::intent_verb::change_phase, to, false}); }
  control::intent_report cutover(bool dry = false) { return want({control::intent_verb::cutover, {}, dry}); }
  control::intent_report rollback() { return want({control::intent_verb::rollback, {}, false}); }

  // What the reconciler would leave: every table copied, a clean sweep.
  void backfilled_and_swept() {
    const std::string secondary = run(control::place::target, "SELECT token FROM pgtandem.boot");
    run(control::place::source, "INSERT INTO pgtandem.progress VALUES ('public.t', 'verified', 0, 0, 0, now()); "
                                "INSERT INTO pgtandem.sweep (epoch, started_at, ended_at, leaves, row_count, clean, primary_boot, secondary_boot) "
                                "SELECT epoch, now(), now(), 1, 0, true, token, '" + secondary + "' FROM pgtandem.migration, pgtandem.boot");
  }
  void to_verify() {
    init();
    start_proxies();
    REQUIRE(change(control::phase::dual_write).message == "phase dual_write");
    REQUIRE(change(control::phase::backfill).message == "phase backfill");
    backfilled_and_swept();
    REQUIRE(change(control::phase::verify).message == "phase verify");
  }

  // "source: epoch_3 / ledger_2, row 3 verify steady": what is open where.
  std::string standing(control::place p) {
    return run(p, "SELECT concat_ws(' ', (SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = "
                  "'pgtandem'::regnamespace AND relname ~ '^epoch_[0-9]+$'), (SELECT string_agg(inhrelid::regclass::text, ',') FROM "
                  "pg_inherits WHERE inhparent = 'pgtandem.ledger'::regclass), epoch, phase, step) FROM pgtandem.migration");
  }
  std::string trigger(control::place p) { return run(p, "SELECT tgenabled FROM pg_trigger WHERE tgname = 'trg'"); }

  std::unique_ptr<proxy> one, two;
  const std::string& database() const { return database_; }

 private:
  std::string database_;
};

}  // namespace pgtandem::test
