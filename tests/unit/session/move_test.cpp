// Holding, moving and leaving: what a routing change does to a session at each of its moments.
#include <algorithm>
#include <catch2/catch.hpp>

#include "proxy/session/own_query.hpp"
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
  s.pump();
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

TEST_CASE("move: a PREPARE is taken out of the string that it came in, as often as the session moves") {
  const std::string string = "SELECT set_config('a.b', 'PREPARE r AS', false);PREPARE q (int) AS SELECT 'x', $1; PREPARE r AS SELECT 2;LISTEN ch;";
  struct row {
    std::string name, text;
    const char* again;   // null: the session cannot move
  };
  const row rows[] = {{"q", string, "PREPARE q (int) AS SELECT 'x', $1"},
                      {"r", string, "PREPARE r AS SELECT 2"},
                      {"r", "PREPARE r AS SELECT 1; DEALLOCATE r; PREPARE r AS SELECT 2", nullptr},
                      {"other", string, nullptr}};
  for (const row& r : rows) {
    INFO(r.text);
    stage s;
    s.primary.when("pg_settings", {{"what", "name", "value"}, {{"prepare", r.name, r.text}}, "SELECT 1", ""});
    s.query("SET work_mem = '9000kB'");
    s.take();
    s.session().world_changed(holding(test::mirrored_world()));
    s.session().next_primary_ready({});
    s.session().world_changed(test::world_in(control::phase::tail, 8));
    s.pump();
    auto& heard = s.primary.heard;
    CHECK(std::count_if(heard.begin(), heard.end(), [&](auto& t) { return r.again && t.find(r.again) != std::string::npos; }) == (r.again ? 1 : 0));
    CHECK((s.take().find("57P01") != std::string::npos) == !r.again);
  }
}

namespace {

// What the primary answers when it is asked what the session holds.
void holds(stage& s, std::vector<std::string> what) {
  std::vector<std::vector<std::string>> rows;
  for (auto& w : what) rows.push_back({w});
  s.primary.when("pg_my_temp_schema", {{"case"}, std::move(rows), "SELECT " + std::to_string(what.size()), ""});
}

std::size_t times_asked(const stage& s) {
  const auto& heard = s.primary.heard;
  return static_cast<std::size_t>(std::count_if(heard.begin(), heard.end(), [](auto& t) { return t.find("pg_my_temp_schema") != std::string::npos; }));
}

session::world_ptr warming(session::world_ptr of) {
  auto w = std::make_shared<session::world>(*of);
  w->routing.warming = true;
  return w;
}

session::next_primary wish(stage& s) { return std::exchange(s.session().out().next, session::next_primary::none); }

}  // namespace

TEST_CASE("move: what cannot move is suspected by its statement, known by its server, then closed with 57P01; at every cut") {
  for (std::size_t piece : {0, 1, 2, 3, 5, 8, 13, 40}) {
    stage s(test::mirrored_world(), piece);
    holds(s, {"a temporary table", "a session advisory lock"});
    s.query("CREATE TEMP TABLE x (a int)");
    CHECK(s.session().unmovable() == "a temporary table");
    CHECK(times_asked(s) == 0);
    s.take();
    s.session().world_changed(warming(test::mirrored_world()));
    CHECK_FALSE(s.session().warm());
    s.pump();
    CHECK(s.session().warm());   // no connection ahead is waited for
    CHECK(wish(s) == session::next_primary::none);
    CHECK(s.session().unmovable() == "a temporary table and a session advisory lock");
    s.session().world_changed(holding(test::mirrored_world()));
    s.pump();
    CHECK(times_asked(s) == 1);   // nothing was said since
    CHECK(s.session().held());
    CHECK(s.take() == "");
    s.session().world_changed(test::world_in(control::phase::tail, 8));
    s.pump();
    CHECK(s.take() == "E:57P01");
    CHECK(s.closed);
  }
}

TEST_CASE("move: a transaction of a session that cannot move ends first") {
  stage s;
  holds(s, {"a temporary table"});
  s.query("BEGIN");
  s.query("CREATE TEMP TABLE x (a int)");
  s.session().world_changed(holding(test::mirrored_world()));
  s.pump();
  CHECK_FALSE(s.session().held());
  CHECK(s.session().warm());
  CHECK(times_asked(s) == 0);
  s.query("COMMIT");
  CHECK(s.session().held());
  CHECK(times_asked(s) == 1);
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  s.pump();
  CHECK(s.take() == "C:BEGIN Z:T C:CREATE Z:T C:COMMIT Z:I E:57P01");
}

TEST_CASE("move: a session that let go is warmed and moves") {
  stage s;
  holds(s, {});
  s.query("SELECT pg_advisory_lock(1)");
  s.query("SELECT pg_advisory_unlock(1)");
  CHECK(s.session().unmovable() == "a session advisory lock or a cursor WITH HOLD");
  s.session().world_changed(warming(test::mirrored_world()));
  s.pump();
  CHECK(s.session().unmovable().empty());
  CHECK(wish(s) == session::next_primary::connect);
  CHECK_FALSE(s.session().warm());
  s.session().next_primary_ready({{{"client_encoding", "UTF8"}, {"server_version", "15.9"}}, 5, 6});
  CHECK(s.session().warm());
  s.query("SELECT 1");   // once warm, it is asked again only when it counts
  CHECK(times_asked(s) == 1);
  s.session().world_changed(holding(test::mirrored_world()));
  CHECK_FALSE(s.session().held());
  s.pump();
  CHECK(times_asked(s) == 2);
  CHECK(s.session().held());
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  CHECK(std::exchange(s.session().out().swap_primary, false));
  CHECK_FALSE(s.closed);
}

TEST_CASE("move: what a function left behind is found although no statement names it, also without any warming") {
  stage s;
  holds(s, {"a session advisory lock"});
  s.query("SELECT take()");
  CHECK(s.session().unmovable().empty());
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  CHECK_FALSE(s.session().out().swap_primary);
  s.session().next_primary_ready({});
  s.pump();
  CHECK_FALSE(s.session().out().swap_primary);
  CHECK(s.take() == "C:SELECT Z:I E:57P01");
  CHECK(s.closed);
}

TEST_CASE("move: a question that was cancelled is asked again; one that is never answered counts as something held") {
  stage s;
  s.primary.when("pg_my_temp_schema", {{}, {}, "", "57014"});
  s.session().world_changed(warming(test::mirrored_world()));
  s.pump();
  CHECK(s.take() == "");
  CHECK(s.session().unmovable() == "what its server did not tell");
  CHECK(s.session().warm());
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

TEST_CASE("move: a PREPARE that ends in a comment does not hide what is made again behind it") {
  CHECK(session::replay_query({{"prepare", "q", "PREPARE q AS SELECT 1 -- x"}, {"role", "", "bob"}}) ==
        "PREPARE q AS SELECT 1 -- x\n;SET ROLE bob;");
}
