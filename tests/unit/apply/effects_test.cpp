#include "proxy/apply/effects.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "proxy/apply/secondary_tables.hpp"

#include "tests/unit/apply/tables.hpp"

using namespace pgtandem;
using test::remove;
using test::upsert;

namespace {

using tables = std::vector<std::shared_ptr<const sql::table>>;

// The tables of the ops, each once.
tables touched_by(const std::vector<const session::op*>& ops) {
  tables all;
  for (const session::op* o : ops)
    for (const session::effect& e : o->effects)
      if (std::find(all.begin(), all.end(), e.table) == all.end()) all.push_back(e.table);
  return all;
}

// "INSERT INTO public.t {1,2} {a,b}" per statement: the verb, the table, the arrays. The secondary knows `known`.
std::vector<std::string> effects_of(const std::vector<const session::op*>& ops, const tables& known) {
  std::vector<apply::parsed_op> parsed;
  for (const session::op* o : ops) {
    auto p = apply::parse(*o);
    if (!p) return {"malformed"};
    parsed.push_back(std::move(*p));
  }
  apply::table_sql_cache cache;
  std::vector<apply::statement> out;
  apply::secondary_tables there;
  there.learn(test::make_catalog(known));
  apply::append_effects(parsed, cache, there, out);
  std::vector<std::string> texts;
  for (const auto& s : out) {
    std::string text = s.text->sql;
    if (!s.parameters.empty()) {
      const auto from = text.find("public.");
      text = text.substr(0, 6) + " " + text.substr(from, text.find(' ', from) - from);
    }
    for (const std::string& p : s.parameters) text += " " + p;
    texts.push_back(text);
  }
  return texts;
}

// The same tables on both sides.
std::vector<std::string> effects_of(const std::vector<const session::op*>& ops) { return effects_of(ops, touched_by(ops)); }

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("the last image per key, parents first, then deletes, children first") {
  auto parent = test::make_table("public.parent", "id*:integer v:text", 1),
       child = test::make_table("public.child", "id*:integer p:integer", 2);
  child->fk_rank = 1;
  session::op a, b;
  upsert(a, child, "10,1");
  upsert(a, parent, "1,x");
  upsert(a, parent, "1,y");
  remove(a, child, "11,1");
  upsert(b, parent, "2,z");
  remove(b, parent, "3,gone");
  upsert(b, parent, "4,was");
  remove(b, parent, "4,was");
  CHECK(effects_of({&a, &b}) == strings{R"(INSERT public.parent {"1","2"} {"y","z"})",
                                        R"(INSERT public.child {"10"} {"1"})", R"(DELETE public.child {"11"})",
                                        R"(DELETE public.parent {"3","4"})"});
}

TEST_CASE("an op in order is replayed image by image, before the others") {
  auto t = test::make_table("public.t", "id*:integer v:text");
  session::op a, b;
  upsert(a, t, "5,e");
  b.in_order = true;
  remove(b, t, "1,a");
  upsert(b, t, "1,b");
  upsert(b, t, "1,c");
  CHECK(effects_of({&a, &b}) == strings{R"(DELETE public.t {"1"})", R"(INSERT public.t {"1"} {"b"})",
                                        R"(INSERT public.t {"1"} {"c"})", R"(INSERT public.t {"5"} {"e"})"});
}

TEST_CASE("truncate is one statement per group and keeps its place") {
  auto a = test::make_table("public.a", "id*:integer", 1), b = test::make_table("public.b", "id*:integer", 2);
  session::op o;
  upsert(o, a, "1");
  test::add_effect(o, session::effect_kind::truncate, a, " RESTART IDENTITY", 1);
  test::add_effect(o, session::effect_kind::truncate, b, "", 1);
  test::add_effect(o, session::effect_kind::truncate, b, "", 2);
  upsert(o, a, "2");
  CHECK(effects_of({&o}) == strings{R"(INSERT public.a {"1"})", "TRUNCATE public.a, public.b RESTART IDENTITY",
                                    "TRUNCATE public.b", R"(INSERT public.a {"2"})"});
}

TEST_CASE("values reach the array as they are") {
  auto t = test::make_table("public.t", "id*:integer v:text w:text");
  struct row {
    const char *image, *v, *w;
  };
  const row table[] = {
      {"1,,\"\"", "{NULL}", R"({""})"},           {R"(1,NULL,null)", R"({"NULL"})", R"({"null"})"},
      {R"(1,"a,b",c)", R"({"a,b"})", R"({"c"})"}, {R"(1,"a""b","{""x"",y}")", R"({"a\"b"})", R"({"{\"x\",y}"})"},
      {R"(1,"a\\b",)", R"({"a\\b"})", "{NULL}"},  {"1,\"line\nbreak\",\" \"", "{\"line\nbreak\"}", R"({" "})"},
  };
  for (const row& r : table) {
    INFO(r.image);
    session::op o;
    upsert(o, t, r.image);
    CHECK(effects_of({&o}) == strings{std::string("INSERT public.t {\"1\"} ") + r.v + " " + r.w});
  }
}

TEST_CASE("rows of a table without key are all kept, and none can be removed") {
  auto t = test::make_table("public.t", "v:text");
  session::op o, gone;
  upsert(o, t, "a");
  upsert(o, t, "a");
  CHECK(effects_of({&o}) == strings{R"(INSERT public.t {"a","a"})"});
  remove(gone, t, "a");
  CHECK(effects_of({&gone}) == strings{"malformed"});
}

TEST_CASE("generated columns are not in an image") {
  auto t = test::make_table("public.t", "g=:integer id*:integer v:text");
  session::op o;
  upsert(o, t, "7,x");
  remove(o, t, "8,y");
  CHECK(effects_of({&o}) == strings{R"(INSERT public.t {"7"} {"x"})", R"(DELETE public.t {"8"})"});
}

TEST_CASE("an image that does not fit is refused") {
  auto t = test::make_table("public.t", "id*:integer v:text");
  for (const char* image : {"1", "1,a,b", ",a", "1,\"a", "1,a)x"}) {
    INFO(image);
    session::op o;
    upsert(o, t, image);
    CHECK(effects_of({&o}) == strings{"malformed"});
  }
  session::op beyond;
  upsert(beyond, t, "1,a");
  beyond.effects[0].length = 100;
  CHECK(effects_of({&beyond}) == strings{"malformed"});
}

TEST_CASE("the ledger rows of a group are one statement") {
  session::op a, b;
  a.op_id = "id-a";
  a.epoch = 7;
  a.boot = "tok";
  a.source_rev = "123";
  a.keys = R"([["public.t",["a\"b"],null]])";
  b.op_id = "id-b";
  b.epoch = 7;
  const session::op* ops[] = {&a, &b};
  apply::table_sql_cache cache;
  apply::secondary_tables there;
  const auto s = apply::ledger_rows(ops, cache.number(apply::ledger_insert), there);
  REQUIRE(s.parameters.size() == 6);
  CHECK(s.parameters[0] == R"({"id-a","id-b"})");
  CHECK(s.parameters[1] == R"({"7","7"})");
  CHECK(s.parameters[2] == R"({"tok",NULL})");
  CHECK(s.parameters[3] == R"({"123",NULL})");
  CHECK(s.parameters[5] == R"({"[[\"public.t\",[\"a\\\"b\"],null]]","[]"})");
}
