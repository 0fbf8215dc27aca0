// The parts of the reconciler that only decide.
#include <catch2/catch.hpp>

#include "reconcile/backfill_order.hpp"
#include "reconcile/chunk_pace.hpp"
#include "reconcile/doubt_json.hpp"
#include "reconcile/doubt_set.hpp"
#include "reconcile/hot_keys.hpp"
#include "reconcile/ledger_partitions.hpp"
#include "reconcile/standing.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;
using control::phase;
using std::chrono::milliseconds;

TEST_CASE("which of two migration rows is right") {
  const standing verify_1{1, phase::verify, "steady"}, fenced_1{1, phase::verify, "fenced"},
      tail_2{2, phase::tail, "steady"}, opening_2{2, phase::tail, "opening"};
  struct row {
    std::optional<standing> source, target, right;
  };
  for (const row& r : {row{verify_1, fenced_1, verify_1},  // the same epoch: the primary's, the source's
                       {verify_1, tail_2, tail_2},         // the higher epoch
                       {tail_2, verify_1, tail_2},
                       {opening_2, tail_2, tail_2},  // the primary of epoch 2 is the target
                       {std::nullopt, tail_2, tail_2},
                       {verify_1, std::nullopt, verify_1},
                       {std::nullopt, std::nullopt, std::nullopt}})
    CHECK(authority(r.source, r.target) == r.right);
  CHECK(fenced_1.ledger_epoch() == 2);
  CHECK(verify_1.ledger_epoch() == 1);
  CHECK_FALSE(read_standing(1, "no such phase", "steady"));
}

TEST_CASE("what goes on across a rolling epoch, and what does not") {
  const standing begun = *read_standing(3, "verify", "steady");
  CHECK(begun.course == 3);
  CHECK(read_standing(4, "verify", "steady", 3)->goes_on(begun));        // rolled on
  CHECK_FALSE(read_standing(4, "verify", "steady", 4)->goes_on(begun));  // flipped there and back, or undone
  CHECK_FALSE(read_standing(4, "shadow", "steady", 3)->goes_on(begun));
  CHECK_FALSE(read_standing(3, "verify", "holding", 3)->goes_on(begun));
}

TEST_CASE("the names of what is in doubt, as JSON") {
  CHECK(to_json({}) == "[]");
  CHECK(to_json({{"public.t", {"1", "a\"\\\n"}, {}, false},
                 {"public.c", {"1"}, {"pid"}, false},
                 {"public.u", {}, {}, true}}) ==
        R"([["public.t",["1","a\"\\\u000a"],null],["public.c",["1"],["pid"]],["public.u",null,null]])");
}

TEST_CASE("chunks grow while the databases are quick and shrink when they are not") {
  chunk_pace pace({20000, milliseconds(250), 0});
  CHECK(pace.rows() == 100);
  pace.took(100, 1000, milliseconds(5));
  CHECK(pace.rows() == 200);
  for (int i = 0; i < 20; ++i) pace.took(pace.rows(), 1000, milliseconds(5));
  CHECK(pace.rows() == 20000);
  pace.took(20000, 1000, milliseconds(400));
  CHECK(pace.rows() == 10000);
  pace.took(10000, 1000, milliseconds(100));
  CHECK(pace.rows() == 10500);
  pace.took(10500, 10500ull << 20, milliseconds(100));  // rows of a megabyte
  CHECK(pace.rows() == 10);
  CHECK(pace.pause_after(1000, milliseconds(1)) == milliseconds(0));
  CHECK(chunk_pace({20000, milliseconds(250), 1000}).pause_after(500, milliseconds(100)) == milliseconds(400));
}

TEST_CASE("a table is copied after those that it references") {
  sql::catalog c;
  const auto add = [&](sql::oid id, const char* name, std::uint32_t rank, std::vector<sql::oid> parents) {
    auto t = std::make_shared<sql::table>();
    t->id = id, t->schema = "public", t->name = name, t->qualified = std::string("public.") + name;
    t->fk_rank = rank, t->parents = std::move(parents);
    c.by_oid[id] = t;
  };
  add(1, "parent", 0, {});
  add(2, "child", 1, {1});
  add(3, "tree", 0, {3});
  backfill_order order(c);
  const sql::table *parent = order.take(), *tree = order.take();
  CHECK(parent->name == "parent");
  CHECK(tree->name == "tree");
  CHECK(order.take() == nullptr);  // the child waits
  order.give_back(*parent);
  CHECK(order.take() == parent);
  order.done(*parent);
  CHECK(order.take()->name == "child");
  CHECK_FALSE(order.all_done());
}

TEST_CASE("keys that do not come through") {
  hot_keys hot;
  const cells key{"1"};
  const auto now = hot_keys::clock::now();
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(hot.locked_next("t", key));
    hot.changed("t", key);
  }
  CHECK(hot.locked_next("t", key));
  CHECK(hot.failed("t", key, hot_keys::fault::of_the_key, now) == 1);
  CHECK(hot.resting("t", key, now + milliseconds(49)));
  CHECK_FALSE(hot.resting("t", key, now + milliseconds(50)));
  CHECK_FALSE(hot.resting("u", key, now));
  hot.came_through("t", key);
  CHECK_FALSE(hot.locked_next("t", key));
}

TEST_CASE("the doubts of a pair") {
  doubt_set d;
  d.add({"t", {"1"}, {}, false}, 10);
  d.add({"c", {"7"}, {"pid"}, false}, 10);
  d.add({"log", {}, {}, true}, (1ull << 32) + 5);
  CHECK(d.names_key("t", {"1"}));
  CHECK_FALSE(d.names_key("t", {"2"}));
  CHECK(d.scopes("c").at(0).values.contains({"7"}));
  CHECK(d.names_whole("log"));
  CHECK_FALSE(d.dirty_whole("log"));
  CHECK(d.explained("log", {"5", "6"}) == 1);
  d.add({"log", {}, {}, true});
  CHECK(d.dirty_whole("log"));
}

TEST_CASE("the list of partitions") {
  CHECK(parse_partitions("1:f,12:t") == std::vector<ledger_partition>{{1, false}, {12, true}});
  CHECK(parse_partitions("").empty());
  CHECK(parse_partitions("x:t").empty());
}

TEST_CASE("a key that failed by itself is tried in company, at first and now and then; a lock says nothing about it") {
  hot_keys hot;
  const cells key{"1"};
  const auto now = hot_keys::clock::now();
  CHECK(hot.failed("t", key, hot_keys::fault::of_the_moment, now) == 1);
  CHECK(hot.resting("t", key, now));
  CHECK_FALSE(hot.failed_before("t", key));
  CHECK_FALSE(hot.company_next("t", key));
  int in_company = 0;
  for (int n = 0; n < 16; ++n) {
    hot.failed("t", key, hot_keys::fault::of_the_key, now);
    in_company += hot.company_next("t", key);
  }
  CHECK(hot.failed_before("t", key));
  CHECK(in_company == 6);  // 1 to 4, 8, 16
}
