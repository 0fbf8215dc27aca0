// Which partitions of the ledger go, and what keeps them.
#include "reconcile/ledger_prune.hpp"

#include <catch2/catch.hpp>

#include "proxy/database/schema.hpp"
#include "reconcile/ledger_audit.hpp"
#include "tests/unit/reconcile/two_databases.hpp"
#include "tests/unit/support/results.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;
using test::new_uuid;

namespace {

struct prune_fixture : test::two_databases {
  // One more look at each partition, by a pruner that has not looked yet.
  void prune(std::int32_t epoch) {
    REQUIRE(partitions.query(secondary.connection(), "1 AS one", "LIMIT 1"));
    REQUIRE(ledger_prune().run(secondary.connection(), partitions.known(), epoch));
  }
  bool there(int epoch) { return target("SELECT to_regclass('pgtandem.ledger_" + std::to_string(epoch) + "') IS NOT NULL") == "t"; }
  void roll() {   // as control leaves it
    target(database::attach_ledger_sql(2));
    target(database::detach_ledger_sql(1));
  }
  std::string committed_xid() {
    source("BEGIN");
    const std::string xid = source("SELECT pg_current_xact_id()");
    source("COMMIT");
    return xid;
  }
  void audit() { REQUIRE(ledger_audit().run(watcher.connection(), secondary.connection(), partitions, true)); }
};

}  // namespace

TEST_CASE("a partition goes when it is detached, older than the epoch, and settled", "[databases]") {
  prune_fixture d;
  d.apply(d.target, new_uuid(1), d.committed_xid(), "[]", "");
  d.prune(2);
  CHECK(d.there(1));   // attached
  d.roll();
  d.prune(2);
  CHECK(d.there(1));   // not settled
  d.audit();
  d.prune(1);
  CHECK(d.there(1));   // of the present epoch: a flip is at work on it
  d.prune(2);
  CHECK_FALSE(d.there(1));
  CHECK(d.there(2));
}

TEST_CASE("a pair that begins keeps the partitions until it has read them", "[databases]") {
  prune_fixture d;
  d.roll();
  test::session pair = d.open_target();
  {
    pair_beginning begins(pair.connection());
    REQUIRE(begins.enter());
    d.prune(2);
    CHECK(d.there(1));
  }
  d.prune(2);
  CHECK_FALSE(d.there(1));
}

TEST_CASE("a straggler of a detached partition does not land, and neither does its effect", "[databases]") {
  prune_fixture d;
  d.roll();
  test::session late = d.open_target();
  late("BEGIN");
  CHECK(late.state_of("INSERT INTO pgtandem.ledger (op_id, epoch, kind) VALUES ('" + new_uuid(1) + "', 1, 'op')") == "23514");
  late("ROLLBACK");
  d.prune(2);
  CHECK(late.state_of("INSERT INTO pgtandem.ledger (op_id, epoch, kind) VALUES ('" + new_uuid(1) + "', 1, 'op')") == "23514");
}

TEST_CASE("a partition that somebody reads stays, and nothing waits long for it", "[databases]") {
  prune_fixture d;
  d.roll();
  test::session reader = d.open_target();
  reader("BEGIN; SELECT count(*) FROM pgtandem.ledger_1");
  d.prune(2);
  CHECK(d.there(1));
  reader("COMMIT");
  d.prune(2);
  CHECK_FALSE(d.there(1));
}

TEST_CASE("attaching takes no lock that an applier would wait for", "[databases]") {
  prune_fixture d;
  test::session applier = d.open_target();
  applier("BEGIN; INSERT INTO pgtandem.ledger (op_id, epoch, kind) VALUES ('" + new_uuid(1) + "', 1, 'op')");
  d.target("SET lock_timeout = '100ms'");
  CHECK(d.target.state_of(database::attach_ledger_sql(2)) == "");
  CHECK(d.target.state_of(database::attach_ledger_sql(2)) == "");   // again: as it is
  CHECK(applier.state_of("INSERT INTO pgtandem.ledger (op_id, epoch, kind) VALUES ('" + new_uuid(2) + "', 2, 'op')") == "");
  applier("COMMIT");
  d.target(database::detach_ledger_sql(2));
  CHECK(d.target.state_of(database::attach_ledger_sql(2)) == "");   // a detached one comes back
  CHECK(d.target("SELECT count(*) FROM pgtandem.ledger") == "2");
}
