// The secondary's own catalog decides what is coalesced there, and what the ledger says of it.
#include "proxy/apply/secondary_tables.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/apply/tables.hpp"

using namespace pgtandem;

namespace {

std::shared_ptr<sql::table> table_t() { return test::make_table("public.t", "id*:integer u:text"); }

enum class ops : std::uint8_t { one_upsert, two_upserts, one_delete };

session::op made(ops what, const std::shared_ptr<const sql::table>& t) {
  session::op o;
  if (what == ops::one_delete) return test::remove(o, t, "1,a"), o;
  test::upsert(o, t, "2,b");
  if (what == ops::two_upserts) test::upsert(o, t, "1,a");
  return o;
}

bool replays(apply::secondary_tables& there, const session::op& o) {
  const auto p = apply::parse(o);
  REQUIRE(p);
  return there.must_replay(*p);
}

}  // namespace

TEST_CASE("what the secondary has of its own makes the order count there") {
  struct row {
    const char* what;
    void (*differs)(sql::table& there);
    bool one_upsert, two_upserts, one_delete;
  };
  const row rows[] = {
      {"the same", [](sql::table&) {}, false, false, false},
      {"a unique index of its own", [](sql::table& t) { t.further_unique = 1; }, false, true, false},
      {"a deferrable key", [](sql::table& t) { t.key_deferrable = true; }, false, true, false},
      {"a foreign key that cascades",
       [](sql::table& t) { t.referenced_by.push_back({9, {"p"}, {"id"}, sql::fk_action::cascade, sql::fk_action::none}); },
       false, false, true},
  };
  for (const row& r : rows) {
    INFO(r.what);
    const auto here = table_t(), there = table_t();
    r.differs(*there);
    apply::secondary_tables secondary;
    secondary.learn(test::make_catalog({there}));
    CHECK(replays(secondary, made(ops::one_upsert, here)) == r.one_upsert);
    CHECK(replays(secondary, made(ops::two_upserts, here)) == r.two_upserts);
    CHECK(replays(secondary, made(ops::one_delete, here)) == r.one_delete);
  }
}

TEST_CASE("a table that the secondary's catalog does not know is replayed in order") {
  const auto t = table_t();
  apply::secondary_tables secondary;
  for (int look = 0; look < 2; ++look) {
    CHECK_FALSE(replays(secondary, made(ops::one_upsert, t)));
    CHECK(replays(secondary, made(ops::two_upserts, t)));
    CHECK(replays(secondary, made(ops::one_delete, t)));
    CHECK_FALSE(secondary.index_hash(made(ops::one_upsert, t)));
    secondary.learn(test::make_catalog({}));
  }
}

TEST_CASE("the hash is of the secondary's indexes and follows its catalog") {
  const auto here = table_t(), there = table_t(), changed = table_t();
  here->index_hash = 1;
  there->index_hash = 2;
  changed->index_hash = 3;
  const session::op o = made(ops::two_upserts, here);
  apply::secondary_tables secondary;
  std::vector<std::string> seen;
  for (const auto& now : {there, changed, there}) {
    secondary.learn(test::make_catalog({now}));
    const auto hash = secondary.index_hash(o);
    REQUIRE(hash);
    CHECK(hash->size() == 16);
    seen.push_back(*hash);
  }
  CHECK(seen[0] != seen[1]);
  CHECK(seen[0] == seen[2]);
}
