// Holding, moving and leaving: what a routing change does to a session at each of its moments.
#include <catch2/catch.hpp>

#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::stage;

namespace {

session::world_ptr holding(session::world_ptr of) {
  auto w = std::make_shared<session::world>(*of);
  w->routing.holding = w->routing.warming = true;
  return w;
}

}  // namespace

TEST_CASE("hold: a session in a transaction goes on to its end, then waits, and loses nothing") {
  stage s;
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  s.query("BEGIN");
  s.session().world_changed(holding(test::mirrored_world()));
  CHECK_FALSE(s.session().held());
  s.query("INSERT INTO t VALUES (1, 10)");
  s.query("COMMIT");
  CHECK(s.take() == "C:BEGIN Z:T C:INSERT 0 1 Z:T C:COMMIT Z:I");
  CHECK(s.session().held());
  s.query("INSERT INTO t VALUES (1, 10)");
  CHECK(s.take() == "");
  CHECK(s.session().held());
  s.session().world_changed(test::mirrored_world());
  s.pump();
  CHECK(s.take() == "C:INSERT 0 1 Z:I");
  CHECK(s.submitted.size() == 2);
}

TEST_CASE("move: the spare connection is opened ahead and taken at the boundary") {
  stage s;
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  session::world_ptr hold = holding(test::mirrored_world());
  s.session().world_changed(hold);
  CHECK(std::exchange(s.session().out().next, session::next_primary::none) == session::next_primary::connect);
  s.session().next_primary_ready({{{"client_encoding", "UTF8"}, {"server_version", "15.9"}}, 5, 6});
  s.query("INSERT INTO t VALUES (1, 10)");
  CHECK(s.take() == "");
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  CHECK(std::exchange(s.session().out().swap_primary, false));
  s.pump();
  CHECK(s.take() == "S C:INSERT 0 1 Z:I");
  REQUIRE(s.submitted.size() == 1);
  CHECK(s.submitted[0]->epoch == 8);
}

TEST_CASE("an epoch that rolls on is followed at the next transaction, and its fence leaves nothing behind") {
  stage s;
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  for (int epoch : {7, 8, 9}) {
    s.query("INSERT INTO t VALUES (1, 10)");
    CHECK(s.take() == "C:INSERT 0 1 Z:I");
    CHECK(s.primary.has("pgtandem_fence_" + std::to_string(epoch)));
    CHECK_FALSE(s.primary.has("pgtandem_fence_" + std::to_string(epoch - 1)));
    s.session().world_changed(test::world_in(control::phase::dual_write, epoch + 1));
    CHECK(s.session().epoch() == epoch + 1);
  }
  s.query("BEGIN");
  s.query("INSERT INTO t VALUES (1, 10)");
  s.session().world_changed(test::world_in(control::phase::dual_write, 11));
  CHECK(s.session().epoch() == 10);   // a transaction keeps the epoch it began with
  s.query("COMMIT");
  CHECK(s.session().epoch() == 11);
  REQUIRE(s.submitted.size() == 4);
  for (int i : {0, 1, 2, 3}) CHECK(s.submitted[static_cast<std::size_t>(i)]->epoch == 7 + i);
}

TEST_CASE("move: undone before the flip, the spare is dropped") {
  stage s;
  s.session().world_changed(holding(test::mirrored_world()));
  s.session().out().next = session::next_primary::none;
  s.session().next_primary_ready({});
  s.session().world_changed(test::mirrored_world());
  CHECK(s.session().out().next == session::next_primary::drop);
  CHECK_FALSE(s.session().out().swap_primary);
}

TEST_CASE("move: settings are read from the old primary and made again on the new one") {
  stage s;
  s.primary.when("pg_settings", {{"what", "name", "value"}, {{"set", "work_mem", "9000"}, {"listen", "ch", ""}, {"prepare", "q", "PREPARE q AS SELECT 1"}}, "SELECT 3", ""});
  s.query("SET work_mem = '9000kB'");
  CHECK(s.take() == "C:SET Z:I");
  s.session().world_changed(holding(test::mirrored_world()));
  s.session().next_primary_ready({});
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  s.pump();
  s.query("SELECT 1");
  CHECK(s.take() == "C:SELECT Z:I");
  auto& heard = s.primary.heard;
  CHECK(std::any_of(heard.begin(), heard.end(), [](auto& t) { return t.find("set_config('work_mem', '9000', false)") != std::string::npos; }));
  CHECK(std::any_of(heard.begin(), heard.end(), [](auto& t) { return t.find("LISTEN") != std::string::npos; }));
  CHECK(std::any_of(heard.begin(), heard.end(), [](auto& t) { return t == "PREPARE q AS SELECT 1"; }));
}

TEST_CASE("move: what cannot move is named, then closed with 57P01") {
  stage s;
  s.query("CREATE TEMP TABLE x (a int)");
  CHECK(s.session().unmovable() == "a temporary relation");
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  s.pump();
  CHECK(s.take().find("E:57P01") != std::string::npos);
  CHECK(s.closed);
}

TEST_CASE("shutdown: at the next idle moment, or at once") {
  stage s;
  s.query("BEGIN");
  s.session().shutdown(false);
  s.pump();
  CHECK_FALSE(s.closed);
  s.query("COMMIT");
  CHECK(s.take() == "C:BEGIN Z:T C:COMMIT Z:I E:57P01");
  CHECK(s.closed);

  stage now;
  now.query("BEGIN");
  now.session().shutdown(true);
  now.pump();
  CHECK(now.closed);
}
