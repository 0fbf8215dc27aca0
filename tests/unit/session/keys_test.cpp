#include "proxy/session/keys.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem;

namespace {

struct schema {
  std::shared_ptr<sql::table> add(const std::string& name, std::vector<std::string> columns,
                                  std::vector<std::uint16_t> key) {
    auto t = std::make_shared<sql::table>();
    t->id = static_cast<sql::oid>(catalog.by_oid.size() + 1);
    t->qualified = "public." + name;
    for (auto& c : columns) {
      sql::column k;
      k.generated = c.starts_with('=');
      k.name = k.generated ? c.substr(1) : c;
      t->columns.push_back(k);
    }
    t->key = std::move(key);
    catalog.by_oid[t->id] = t;
    catalog.by_name[t->qualified] = t->id;
    return t;
  }
  static void refer(const std::shared_ptr<sql::table>& child, std::vector<std::string> from,
                    const std::shared_ptr<sql::table>& parent, std::vector<std::string> to, sql::fk_action on_delete) {
    parent->referenced_by.push_back({child->id, std::move(from), std::move(to), on_delete, sql::fk_action::none});
  }
  sql::catalog catalog;
};

void add(session::op& o, session::effect_kind kind, std::shared_ptr<const sql::table> t, const std::string& values) {
  const std::string image = kind == session::effect_kind::truncate ? "" : "(1,1," + values + ")";
  o.effects.push_back(
      {kind, std::move(t), static_cast<std::uint32_t>(o.images.size()), static_cast<std::uint32_t>(image.size()), 0});
  o.images += image;
}
constexpr auto up = session::effect_kind::upsert, gone = session::effect_kind::remove,
               cut = session::effect_kind::truncate;
using enum sql::fk_action;

}  // namespace

TEST_CASE("each key is named once, whatever happened to it") {
  schema s;
  auto t = s.add("t", {"v", "=g", "b", "a"}, {3, 2});
  session::op o;
  add(o, up, t, "x,2,1");
  add(o, gone, t, "y,2,1");
  add(o, up, t, "z,\"quo\"\"te\\\\\n\",1");
  CHECK(session::keys_json(o, s.catalog, 100) ==
        R"([["public.t",["1","2"],null],["public.t",["1","quo\"te\\\u000a"],null]])");
  session::op none;
  CHECK(session::keys_json(none, s.catalog, 100) == "[]");
}

TEST_CASE("a delete names the children a cascade may reach, by value, and what lies beyond as a whole") {
  schema s;
  auto parent = s.add("parent", {"id", "u"}, {0}), child = s.add("child", {"id", "p"}, {0}),
       by_u = s.add("by_u", {"id", "pu"}, {0});
  auto grand = s.add("grand", {"id", "c"}, {0}), kept = s.add("kept", {"id", "p"}, {0}),
       nulled = s.add("nulled", {"id", "p"}, {0});
  auto below_nulled = s.add("below_nulled", {"id", "n"}, {0});
  schema::refer(child, {"p"}, parent, {"id"}, cascade);
  schema::refer(by_u, {"pu"}, parent, {"u"}, set_default);
  schema::refer(kept, {"p"}, parent, {"id"}, sql::fk_action::none);
  schema::refer(nulled, {"p"}, parent, {"id"}, set_null);
  schema::refer(grand, {"c"}, child, {"id"}, cascade);
  schema::refer(below_nulled, {"n"}, nulled, {"id"}, cascade);
  session::op o;
  add(o, gone, parent, "1,77");
  CHECK(
      session::keys_json(o, s.catalog, 100) ==
      R"([["public.parent",["1"],null],["public.child",["1"],["p"]],["public.grand",null,null],["public.by_u",["77"],["pu"]],)"
      R"(["public.nulled",["1"],["p"]]])");
  session::op without_u;
  add(without_u, gone, parent, "1,");  // NULL references nothing
  CHECK(session::keys_json(without_u, s.catalog, 100).find("by_u") == std::string::npos);
  session::op changed;
  add(changed, up, parent, "1,77");
  CHECK(session::keys_json(changed, s.catalog, 100) == R"([["public.parent",["1"],null]])");
}

TEST_CASE("a table that refers to itself is named as a whole: its grandchildren have no name") {
  schema s;
  auto tree = s.add("tree", {"id", "up"}, {0});
  schema::refer(tree, {"up"}, tree, {"id"}, cascade);
  session::op o;
  add(o, gone, tree, "1,");
  CHECK(session::keys_json(o, s.catalog, 100) ==
        R"([["public.tree",["1"],null],["public.tree",["1"],["up"]],["public.tree",null,null]])");
}

TEST_CASE("a circle of cascades ends, and comes back to where it began") {
  schema s;
  auto a = s.add("a", {"id", "b"}, {0}), b = s.add("b", {"id", "a"}, {0});
  schema::refer(b, {"a"}, a, {"id"}, cascade);
  schema::refer(a, {"b"}, b, {"id"}, cascade);
  session::op o;
  add(o, gone, a, "1,");
  CHECK(session::keys_json(o, s.catalog, 100) ==
        R"([["public.a",["1"],null],["public.b",["1"],["a"]],["public.a",null,null],["public.b",null,null]])");
}

TEST_CASE("truncated, keyless, unreadable, too many: whole tables") {
  schema s;
  auto t = s.add("t", {"id"}, {0}), bag = s.add("bag", {"v"}, {}), child = s.add("child", {"id", "t"}, {0});
  schema::refer(child, {"t"}, t, {"id"}, cascade);
  session::op truncated, keyless, unreadable, many;
  add(truncated, cut, t, "");
  CHECK(session::keys_json(truncated, s.catalog, 100) == R"([["public.t",null,null]])");
  add(keyless, up, bag, "x");
  CHECK(session::keys_json(keyless, s.catalog, 100) == R"([["public.bag",null,null]])");
  add(unreadable, up, t, "\"x");
  CHECK(session::keys_json(unreadable, s.catalog, 100) == R"([["public.t",null,null]])");
  for (int i = 0; i < 5; ++i) add(many, gone, t, std::to_string(i));
  CHECK(session::keys_json(many, s.catalog, 4) == R"([["public.t",null,null],["public.child",null,null]])");
  CHECK(session::keys_json(many, s.catalog, 100, {"public.x"}) ==
        R"([["public.x",null,null],["public.t",null,null],["public.child",null,null]])");
}

TEST_CASE("keys for a connection in any encoding are ASCII") {
  struct row {
    std::string utf8, ascii;
  };
  const row rows[] = {{R"(["a\"b",null])", R"(["a\"b",null])"},
                      {"\"\u00e9\"", R"("\u00e9")"},
                      {"\"\u20ac \u4e2d\"", R"("\u20ac \u4e2d")"},
                      {"\"\U0001f600\"", R"("\ud83d\ude00")"},
                      {"\xff\xe2\x82 \xc3", "\xff\xe2\x82 \xc3"}};  // no UTF-8: as it is
  for (const row& r : rows) CHECK(session::ascii_json(r.utf8) == r.ascii);
}
