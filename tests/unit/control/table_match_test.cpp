#include "proxy/control/table_match.hpp"

#include <catch2/catch.hpp>

#include "proxy/control/commands.hpp"

using namespace pgtandem;

namespace {

sql::table plain() {
  sql::table t;
  t.id = 1;
  t.schema = "public";
  t.name = "t";
  t.qualified = "public.t";
  t.columns = {{"id", "integer"}, {"v", "text"}};
  t.key = {0};
  return t;
}

sql::catalog catalog_of(const sql::table& t) {
  sql::catalog c;
  c.by_oid[t.id] = std::make_shared<sql::table>(t);
  c.by_name[t.qualified] = t.id;
  return c;
}

}  // namespace

TEST_CASE("differences are named") {
  struct row {
    void (*change)(sql::table&);
    const char* said;
  };
  const row rows[] = {
      {[](sql::table& t) { t.columns.pop_back(); }, "public.t.v is missing"},
      {[](sql::table& t) { t.columns[1].type = "bigint"; }, "public.t.v is bigint instead of text"},
      {[](sql::table& t) { t.columns[1].generated = true; }, "public.t.v is generated"},
      {[](sql::table& t) { t.columns.push_back({"w", "text"}); }, "public.t.w is on the secondary only"},
      {[](sql::table& t) { t.key = {1}; }, "public.t has the key (v) instead of (id)"},
      {[](sql::table& t) { t.kind = sql::relation_kind::view; }, "public.t is of another kind"},
      {[](sql::table& t) { t.qualified = "public.u"; }, "public.t is missing"},
  };
  for (const row& r : rows) {
    sql::table other = plain();
    r.change(other);
    auto found = control::compare_tables(catalog_of(plain()), catalog_of(other));
    REQUIRE(found.differences.size() == 1);
    CHECK(found.differences[0] == r.said);
  }
}

TEST_CASE("columns may stand in another order, and excluded tables may differ") {
  sql::table other = plain();
  std::swap(other.columns[0], other.columns[1]);
  other.key = {1};
  CHECK(control::compare_tables(catalog_of(plain()), catalog_of(other)).differences.empty());
  sql::table excluded = plain();
  excluded.in_scope = false;
  CHECK(control::compare_tables(catalog_of(excluded), sql::catalog{}).differences.empty());
}

TEST_CASE("what dual_write would refuse is hinted at") {
  CHECK(control::table_hints(catalog_of(plain())).empty());
  sql::table t = plain();
  t.key.clear();
  t.user_trigger = "trg";
  t.row_security = t.rules = t.inherits = true;
  t.writing_default = "id";
  t.cascade_obstacle = "reach trigger x of public.y";
  CHECK(control::table_hints(catalog_of(t)).size() == 7);
}
