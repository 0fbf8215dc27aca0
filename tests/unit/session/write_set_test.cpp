// Which ops may be coalesced on the secondary, and which are replayed image by image.
#include "proxy/session/write_set.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/apply/tables.hpp"

using namespace pgtandem;
using session::effect_kind;

namespace {

bool in_order(const std::vector<std::pair<effect_kind, std::shared_ptr<sql::table>>>& effects) {
  sql::catalog c;
  for (const auto& [kind, t] : effects) c.by_oid[t->id] = t;
  session::write_set w;
  w.open(1);
  for (const auto& [kind, t] : effects)
    REQUIRE(w.add(kind, t, c, "(" + std::to_string(t->id) + ",,1,2)", false, 1 << 20) ==
            session::write_set::verdict::kept);
  return w.finish(c, 100)->in_order;
}

std::shared_ptr<sql::table> keyed(const std::string& type, sql::oid id = 7) {
  return test::make_table("public.t", "k*:" + type + " v:integer", id);
}

}  // namespace

TEST_CASE("a row that goes and comes back in one op is coalesced only if its key has one text") {
  struct row {
    const char* type;
    bool in_order;
  };
  const row rows[] = {{"integer", false}, {"bigint", false},     {"uuid", false},         {"date", false},
                      {"numeric", true},  {"text", true},        {"public.citext", true}, {"double precision", true},
                      {"interval", true}, {"character(3)", true}};
  for (const row& r : rows) {
    INFO(r.type);
    const auto t = keyed(r.type);
    CHECK(in_order({{effect_kind::remove, t}, {effect_kind::upsert, t}}) == r.in_order);
    CHECK(in_order({{effect_kind::upsert, t}, {effect_kind::remove, t}}) == r.in_order);
    CHECK_FALSE(in_order({{effect_kind::upsert, t}, {effect_kind::upsert, t}}));
    CHECK_FALSE(in_order({{effect_kind::remove, t}, {effect_kind::remove, t}}));
  }
  const auto two = test::make_table("public.t", "k*:integer l*:numeric", 7);
  CHECK(in_order({{effect_kind::remove, two}, {effect_kind::upsert, two}}));
}

TEST_CASE("tables that reference each other keep the order of the client's writes") {
  const auto dept = keyed("integer", 1), emp = keyed("integer", 2), other = keyed("integer", 3);
  dept->parents = {2};
  emp->parents = {1};
  CHECK(in_order({{effect_kind::upsert, dept}, {effect_kind::upsert, emp}, {effect_kind::upsert, dept}}));
  CHECK_FALSE(in_order({{effect_kind::upsert, dept}, {effect_kind::upsert, other}}));
  emp->fk_rank = 1;  // a parent of lower rank: no cycle
  dept->parents.clear();
  CHECK_FALSE(in_order({{effect_kind::upsert, emp}, {effect_kind::upsert, dept}}));
}
