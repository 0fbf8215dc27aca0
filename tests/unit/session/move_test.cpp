// Holding, moving and leaving: what a routing change does to a session at each of its moments.
#include <algorithm>
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
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

namespace {

void flip(stage& s) {
  s.session().world_changed(holding(test::mirrored_world()));
  s.session().next_primary_ready({{{"client_encoding", "UTF8"}, {"server_version", "15.6"}}, 5, 6});
  s.pump();
  s.primary.heard.clear();
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  s.pump();
}

std::size_t place(const stage& s, std::string_view text) {
  const auto& heard = s.primary.heard;
  auto i = std::find_if(heard.begin(), heard.end(), [&](auto& t) { return t.find(text) != std::string::npos; });
  return static_cast<std::size_t>(i - heard.begin());
}

using test::carried;

}  // namespace

TEST_CASE("move: what the old primary tells is made again on the new one, each part before what depends on it; at every cut") {
  for (std::size_t piece : {0, 1, 7, 40}) {
    stage s(test::mirrored_world(), piece);
    s.carries({carried("set", "statement_timeout", "2"), carried("set", "work_mem", "9000"), carried("set", "app.tenant", "ac'me"),
               carried("set", "client_encoding", "LATIN1"), carried("role", "", "Clerk"), carried("authorization", "", "joe"),
               carried("listen", "ch", ""), carried("prepare", "q", "PREPARE q AS SELECT 1")});
    flip(s);
    const char* order[] = {"SET client_encoding TO 'UTF8'", "set_config('work_mem', '9000', false)", "set_config('app.tenant', 'ac''me', false)",
                           "SET SESSION AUTHORIZATION joe", "SET ROLE \"Clerk\"", "LISTEN ch", "PREPARE q AS SELECT 1",
                           "set_config('statement_timeout', '2', false)", "set_config('client_encoding', 'LATIN1', false)"};
    for (std::size_t i = 0; i < std::size(order); ++i) {
      INFO(order[i]);
      CHECK(place(s, order[i]) == i);
    }
    CHECK(s.primary.heard.size() == std::size(order));
    s.query("SELECT 1");
    CHECK(s.take() == "C:SELECT Z:I");
  }
}

TEST_CASE("move: an encoding that the client has not set is the next server's own again, and a session with nothing is told nothing") {
  stage s;
  s.carries({carried("set", "work_mem", "9000")});
  flip(s);
  CHECK(place(s, "RESET client_encoding") == 2);
  stage bare;
  flip(bare);
  CHECK(bare.primary.heard.empty());
}

TEST_CASE("move: custom settings are asked for by the names that statements, parameters and functions mention") {
  stage s;
  s.query("SET App.Tenant = 'acme'");
  s.query("SELECT set_config('app.other', 'x', false), set_config('search_path', 'p', false)");
  s.query("PREPARE p AS SELECT set_config('app.third', $1, false)");
  std::string m;
  std::vector<std::optional<std::string_view>> values{"app.fourth", "x"};
  protocol::write_parse(m, "", "SELECT set_config($1::text, $2, false)");
  protocol::write_bind(m, "", "", values);
  protocol::write_execute(m, "");
  protocol::write_sync(m);
  s.send(m);
  s.query("SET pgtandem.idempotency_key = 'k'");
  s.take();
  auto knows = std::make_shared<sql::catalog>(*test::mirrored_world()->primary);
  knows->custom_settings = {"app.made_by_function"};
  auto w = std::make_shared<session::world>(*holding(test::mirrored_world()));
  w->primary = knows;
  s.session().world_changed(w);
  s.pump();
  const auto& heard = s.primary.heard;
  auto asked = std::find_if(heard.begin(), heard.end(), [](auto& t) { return t.find("pg_settings") != std::string::npos; });
  REQUIRE(asked != heard.end());
  for (const char* name : {"'app.tenant'", "'app.other'", "'app.third'", "'app.fourth'", "'app.made_by_function'", "'pgtandem.idempotency_key'"}) {
    INFO(name);
    CHECK(asked->find(name) != std::string::npos);
  }
  CHECK(asked->find("search_path'") == std::string::npos);
  CHECK(s.session().unmovable().empty());
}

TEST_CASE("move: a setting whose name cannot be known keeps a session from moving, one for its transaction only does not") {
  struct row {
    const char* sql;
    bool unknown;
  };
  const row rows[] = {{"SELECT set_config('app.' || 'x', 'v', false)", true},
                      {"SELECT set_config('app.' || 'x', 'v', true)", false},
                      {"SELECT set_config(n, 'v', false) FROM t", true},
                      {"PREPARE p AS SELECT set_config($1, 'v', false)", true},
                      {"SELECT set_config('app.x'::text, 'v', false)", false}};
  for (const row& r : rows) {
    INFO(r.sql);
    stage s;
    s.query(r.sql);
    CHECK((s.session().unmovable() == "a setting whose name is not known") == r.unknown);
    s.query("DISCARD ALL");
    CHECK(s.session().unmovable().empty());
  }
}

TEST_CASE("move: a statement that cannot be prepared any more costs its name, anything else the session") {
  struct row {
    const char *what, *sqlstate;
    bool closes;
  };
  const row rows[] = {{"PREPARE q", "42P01", false}, {"PREPARE q", "3F000", false}, {"PREPARE q", "57014", true}, {"work_mem", "42501", true},
                      {"SET ROLE", "42501", true}};
  for (const row& r : rows) {
    INFO(r.what << " " << r.sqlstate);
    stage s;
    s.carries({carried("set", "work_mem", "9000"), carried("role", "", "clerk"), carried("prepare", "q", "PREPARE q AS SELECT 1"),
               carried("prepare", "r", "PREPARE r AS SELECT 2")});
    s.primary.for_now(r.what, {{}, {}, "", r.sqlstate});
    flip(s);
    CHECK(s.closed == r.closes);
    if (r.closes) {
      CHECK(s.take() == "E:57P01");
      continue;
    }
    CHECK(place(s, "PREPARE r AS SELECT 2") < s.primary.heard.size());
    s.query("SELECT 1");
    CHECK(s.take() == "C:SELECT Z:I");
  }
}

TEST_CASE("move: what the old primary does not tell is not lost: asked again, then the session is closed") {
  stage s;
  s.primary.for_now("pg_settings", {{}, {}, "", "22P05"});
  s.session().world_changed(holding(test::mirrored_world()));
  s.session().next_primary_ready({});
  s.pump();
  CHECK(s.session().held());
  CHECK(s.session().unmovable() == "what its server did not tell");
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  s.pump();
  CHECK(s.take() == "E:57P01");
}

TEST_CASE("move: parameters of the new server are told once, as they are when the session has been made again") {
  stage s;
  s.carries({carried("set", "client_encoding", "LATIN1"), carried("set", "work_mem", "1")});
  s.primary.for_now("SET client_encoding", {{}, {}, "SET", "", {"client_encoding", "UTF8"}});
  s.primary.for_now("set_config('client_encoding'", {{}, {}, "SELECT 1", "", {"client_encoding", "LATIN1"}});
  s.primary.for_now("SET NAMES", {{}, {}, "SET", "", {"client_encoding", "LATIN1"}});
  s.query("SET NAMES 'LATIN1'");
  s.take();
  s.session().world_changed(holding(test::mirrored_world()));
  s.session().next_primary_ready({{{"client_encoding", "UTF8"}, {"server_version", "15.9"}}, 5, 6});
  s.pump();
  s.session().world_changed(test::world_in(control::phase::tail, 8));
  s.pump();
  CHECK(s.take() == "S");   // of server_version
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
    s.carries({carried("prepare", r.name, r.text)});
    flip(s);
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

TEST_CASE("move: what it takes along is asked while it is warmed, and again only if the client has spoken since") {
  for (bool speaks : {false, true}) {
    stage s;
    auto asked = [&] {
      const auto& heard = s.primary.heard;
      return std::count_if(heard.begin(), heard.end(), [](auto& t) { return t.find("pg_settings") != std::string::npos; });
    };
    s.session().world_changed(warming(test::mirrored_world()));
    s.session().next_primary_ready({});
    s.pump();
    CHECK(asked() == 1);
    if (speaks) s.query("SELECT 1");
    CHECK(asked() == 1);
    s.session().world_changed(holding(test::mirrored_world()));
    s.pump();
    CHECK(asked() == (speaks ? 2 : 1));
    CHECK(s.session().held());
    s.session().world_changed(test::world_in(control::phase::tail, 8));
    CHECK(std::exchange(s.session().out().swap_primary, false));
    CHECK(asked() == (speaks ? 2 : 1));
  }
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

TEST_CASE("cancel: what is held is answered with 57014 and never sent, whole or in pieces; what comes behind it is") {
  std::string query, extended;
  protocol::write_query(query, "INSERT INTO t VALUES (1, 10)");
  protocol::write_parse(extended, "", "INSERT INTO t VALUES (1, 10)");
  protocol::write_bind(extended, "", "");
  protocol::write_execute(extended, "");
  protocol::write_sync(extended);
  for (const std::string& work : {query, extended})
    for (std::size_t there : {std::size_t{5}, std::size_t{12}, work.size() - 1, work.size()}) {
      stage s;
      s.session().world_changed(holding(test::mirrored_world()));
      s.pump();
      CHECK_FALSE(s.session().cancel());   // nothing is here: the primary's business
      s.session().client_data(std::string_view(work).substr(0, there));
      CHECK(s.session().cancel());
      CHECK_FALSE(s.session().cancel());
      s.send(work.substr(there) + query);
      CHECK(s.take() == "E:57014 Z:I");
      CHECK(s.session().held());
      CHECK(s.submitted.empty());
      s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
      s.session().world_changed(test::mirrored_world());
      s.pump();
      CHECK(s.take() == "C:INSERT 0 1 Z:I");
      CHECK(s.submitted.size() == 1);
    }
}

TEST_CASE("cancel: our own questions for a move are not hit; a transaction under way is the primary's business") {
  stage s;
  s.session().world_changed(holding(test::mirrored_world()));   // asks
  CHECK(s.session().cancel());
  s.pump();
  CHECK(s.take() == "");
  CHECK(s.session().held());
  stage open;
  open.query("BEGIN");
  open.session().world_changed(holding(test::mirrored_world()));
  CHECK_FALSE(open.session().cancel());
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
