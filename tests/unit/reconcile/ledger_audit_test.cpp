// What the audit settles, what it doubts, and what it leaves alone.
#include "reconcile/ledger_audit.hpp"

#include <catch2/catch.hpp>

#include "proxy/database/schema.hpp"
#include "tests/unit/reconcile/two_databases.hpp"
#include "tests/unit/support/results.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;
using test::new_uuid;

namespace {

constexpr const char* open_ops =
    "SELECT count(*) FROM pgtandem.ledger WHERE NOT settled AND target_rev >= (SELECT settled_below FROM "
    "pgtandem.watermark)";
const std::string key_1 = R"([["public.acct",["1"],null]])";

std::string committed_xid(test::session& s) {
  s("BEGIN");
  const std::string xid = s("SELECT pg_current_xact_id()");
  s("COMMIT");
  return xid;
}

audit_report audit(test::two_databases& d, bool at_once = false) {
  ledger_audit a;
  auto r = a.run(d.watcher.connection(), d.secondary.connection(), d.partitions, at_once);
  REQUIRE(r);
  return *r;
}

}  // namespace

TEST_CASE("what an op's state on the primary means for the ledger", "[databases]") {
  test::two_databases d;
  test::session writer = d.open_source();
  d.apply(d.target, new_uuid(1), committed_xid(writer), key_1, "");
  CHECK(audit(d).settled == 1);
  CHECK(d.target(open_ops) == "0");
  CHECK(d.target("SELECT count(*) FROM pgtandem.ledger WHERE settled") ==
        "0");  // the watermark did it, no write per op

  writer("BEGIN");
  const std::string aborted = writer("SELECT pg_current_xact_id()");
  writer("ROLLBACK");
  d.apply(d.target, new_uuid(2), aborted, key_1, "");
  d.apply(d.target, new_uuid(3), committed_xid(writer), R"([["public.acct",["2"],null]])", "",
          new_uuid(99));                                                                // another boot
  d.apply(d.target, new_uuid(4), "4000000000", R"([["public.acct",["3"],null]])", "");  // from the future
  CHECK(audit(d).doubtful == 3);
  CHECK(d.target(open_ops) == "0");
  CHECK(d.source("SELECT string_agg(key::text, '' ORDER BY key) FROM pgtandem.dirty WHERE reason = 'audit'") ==
        "{1}{2}{3}");
}

TEST_CASE("an op in progress is left alone, and what is above it is settled row by row", "[databases]") {
  test::two_databases d;
  test::session writer = d.open_source(), other = d.open_source();
  writer("BEGIN");
  d.apply(d.target, new_uuid(1), writer("SELECT pg_current_xact_id()"), key_1, "");
  d.apply(d.target, new_uuid(2), committed_xid(other), key_1, "");
  const audit_report first = audit(d);
  CHECK(first.in_progress == 1);
  CHECK(d.target(open_ops) == "2");
  audit(d, true);
  CHECK(d.target(open_ops) == "1");
  writer("COMMIT");
  audit(d);
  CHECK(d.target(open_ops) == "0");
}

TEST_CASE("a straggler that commits late on the secondary is never below the watermark", "[databases]") {
  test::two_databases d;
  test::session writer = d.open_source(), straggler = d.open_target();
  straggler("BEGIN; INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev) VALUES ('" + new_uuid(1) +
            "', 1, 'op', '" + d.boot() + "', '" + committed_xid(writer) + "')");
  d.apply(d.target, new_uuid(2), committed_xid(writer), key_1, "");
  audit(d);
  straggler("COMMIT");
  CHECK(d.target(std::string(open_ops) + " AND op_id = '" + new_uuid(1) + "'") == "1");
  audit(d);
  CHECK(d.target(open_ops) == "0");
}

TEST_CASE("rows of a detached partition are settled too", "[databases]") {
  test::two_databases d;
  test::session writer = d.open_source();
  d.apply(d.target, new_uuid(1), committed_xid(writer), key_1, "");
  d.target(database::detach_ledger_sql(1));
  d.target(database::create_ledger_sql(2));
  CHECK(audit(d, true).settled == 1);
  CHECK(d.target("SELECT count(*) FROM pgtandem.ledger_1, pgtandem.watermark WHERE NOT settled AND target_rev >= "
                 "settled_below") == "0");
}
