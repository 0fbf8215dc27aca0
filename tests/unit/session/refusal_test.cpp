// What the proxy itself refuses is counted by the SQLSTATE that the client hears; errors of the primary are not.
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "proxy/session/planner.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::stage;

namespace {

session::world_ptr strict() {
  auto w = std::make_shared<session::world>(*test::mirrored_world());
  w->bounds.secondary_policy = session::policy::strict;
  return w;
}

session::world_ptr short_texts() {
  auto w = std::make_shared<session::world>(*test::mirrored_world());
  w->bounds.statement_max = 100;
  return w;
}

using counted = std::vector<std::string>;

}  // namespace

TEST_CASE("refusals: each by its SQLSTATE") {
  struct row {
    const char* what;
    session::world_ptr world;
    void (*talk)(stage&);
    std::string heard;
    counted refused;
  };
  const row rows[] = {
      {"nothing", test::mirrored_world(), [](stage& s) { s.query("SELECT 1"); }, "C:SELECT Z:I", {}},
      {"an error of the primary", test::mirrored_world(), [](stage& s) { s.query("SELECT broken"); }, "E:42703 Z:I", {}},
      {"a construct", test::mirrored_world(), [](stage& s) { s.query("DO $$ BEGIN END $$"); }, "E:0A000 Z:I", {"0A000"}},
      {"the same, extended", test::mirrored_world(),
       [](stage& s) {
         std::string m;
         protocol::write_parse(m, "", "CALL p()");
         protocol::write_bind(m, "", "");
         protocol::write_execute(m, "");
         protocol::write_sync(m);
         s.send(m);
       },
       "E:0A000 Z:I", {"0A000"}},
      {"a stale epoch", test::mirrored_world(),
       [](stage& s) {
         s.primary.drop_epoch();
         s.query("INSERT INTO t VALUES (1, 10)");
       },
       "E:40001 Z:I", {"40001"}},
      {"policy strict", strict(),
       [](stage& s) {
         s.applies = session::apply_result::refused;
         s.query("INSERT INTO t VALUES (1, 10)");
       },
       "E:58000 Z:I", {"58000"}},
      {"an image that cannot be read", test::mirrored_world(), [](stage& s) { s.query("UPDATE t SET v = 1"); }, "E:XX000 Z:I", {"XX000"}},
      {"a text that is too long", short_texts(), [](stage& s) { s.query("SELECT '" + std::string(70000, 'x') + "'"); }, "E:54000 Z:I",
       {"54000"}},
  };
  for (const row& r : rows) {
    INFO(r.what);
    stage s(r.world, 4096);   // the long text comes in pieces
    s.primary.when("broken", {{}, {}, "", "42703"});
    s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    s.primary.when("UPDATE t", {{"row"}, {{"nonsense"}}, "UPDATE 1", ""});
    r.talk(s);
    CHECK(s.take() == r.heard);
    CHECK(s.session().out().counted.refused == r.refused);
  }
}

TEST_CASE("refusals: what foreign keys do behind a statement, from outside of the scope too") {
  auto c = std::make_shared<sql::catalog>(*test::mirrored_world()->primary);
  auto change = [&](sql::oid id) {
    auto t = std::make_shared<sql::table>(*c->by_oid.at(id));
    c->by_oid[id] = t;
    return t;
  };
  change(101)->cascade_obstacle = "reach trigger x of public.chd";
  change(105)->referenced_by.push_back({102, {"pid"}, {"id"}, sql::fk_action::none, sql::fk_action::cascade});
  session::names known;
  known.learn("par", {101});
  known.learn("aside", {105});
  struct row {
    const char* sql;
    session::course what;
  };
  for (const row& r : {row{"DELETE FROM par", session::course::refuse}, row{"UPDATE par SET v = 1", session::course::capture}, row{"DELETE FROM aside", session::course::pass},
                       row{"UPDATE aside SET id = 1", session::course::refuse}, row{"UPDATE aside SET v = 1", session::course::pass}}) {
    INFO(r.sql);
    auto a = sql::analyze(r.sql);
    CHECK(session::decide(a->statements[0], *c, known).what == r.what);
    CHECK(session::census_construct(a->statements[0], c.get()).empty() == (r.what != session::course::refuse));
  }
}

TEST_CASE("refusals: a write under another session_replication_role, set before or behind the transaction's fence") {
  auto run = [](std::string_view sql) {
    std::string m;
    protocol::write_parse(m, "", sql);
    protocol::write_bind(m, "", "");
    protocol::write_execute(m, "");
    return m;
  };
  auto synced = [](std::string m) {
    protocol::write_sync(m);
    return m;
  };
  const std::string replica = "SET session_replication_role = replica", origin = "SET session_replication_role = origin", write = "INSERT INTO t VALUES (1, 10)";
  struct row {
    std::vector<std::string> chunks;   // queries, or messages
    std::string heard;
    std::size_t ops;
  };
  const std::string in_block = "C:BEGIN Z:T C:INSERT 0 1 Z:T C:SET Z:T E:0A000 Z:E C:ROLLBACK Z:I";
  const row rows[] = {
      {{replica, write}, "C:SET Z:I E:0A000 Z:I", 0},
      {{replica, synced(run(write))}, "C:SET Z:I 1 2 E:0A000 Z:I", 0},
      {{replica + "; " + write}, "C:SET E:0A000 Z:I", 0},
      {{write + "; " + replica + "; " + write}, "C:INSERT 0 1 C:SET E:0A000 Z:I", 0},
      {{"BEGIN", write, replica, write, "COMMIT"}, in_block, 0},
      {{synced(run(write) + run(replica) + run(write))}, "1 2 C:INSERT 0 1 1 2 C:SET 1 2 E:0A000 Z:I", 0},
      {{replica, origin, write}, "C:SET Z:I C:SET Z:I C:INSERT 0 1 Z:I", 1},
      {{"BEGIN", replica, origin, write, "COMMIT"}, "C:BEGIN Z:T C:SET Z:T C:SET Z:T C:INSERT 0 1 Z:T C:COMMIT Z:I", 1},
  };
  for (const row& r : rows)
    for (std::size_t piece : {0, 1, 7}) {
      INFO(r.heard << " in pieces of " << piece);
      stage s(test::mirrored_world(), piece);
      s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
      for (const std::string& c : r.chunks) c.find('\0') == std::string::npos ? s.query(c) : s.send(c);
      CHECK(s.take() == r.heard);
      CHECK(s.submitted.size() == r.ops);
      CHECK(s.session().idle());
    }
}

TEST_CASE("refusals: READ ONLY behind a write, which a degraded commit could not be noted in any more") {
  struct row {
    std::vector<std::string> queries;
    std::string heard;
  };
  const std::string insert = "INSERT INTO t VALUES (1, 10)";
  const row rows[] = {
      {{"BEGIN", insert, "SET TRANSACTION READ ONLY"}, "C:BEGIN Z:T C:INSERT 0 1 Z:T E:0A000 Z:E"},
      {{"BEGIN", insert, "SET LOCAL transaction_read_only = on"}, "C:BEGIN Z:T C:INSERT 0 1 Z:T E:0A000 Z:E"},
      {{"BEGIN; " + insert + "; SET TRANSACTION READ ONLY; COMMIT"}, "E:0A000 Z:I"},
      {{insert + "; BEGIN READ ONLY"}, "E:0A000 Z:I"},
      {{"BEGIN", "SELECT 1; " + insert, "SELECT 1; BEGIN READ ONLY"}, "C:BEGIN Z:T C:SELECT C:INSERT 0 1 Z:T E:0A000 Z:E"},
      {{"BEGIN", "SET TRANSACTION READ ONLY", "COMMIT"}, "C:BEGIN Z:T C:SET Z:T C:COMMIT Z:I"},
      {{"BEGIN", "SAVEPOINT a", insert, "ROLLBACK TO a", "SET TRANSACTION READ ONLY"},
       "C:BEGIN Z:T C:SAVEPOINT Z:T C:INSERT 0 1 Z:T C:ROLLBACK Z:T C:SET Z:T"},
      {{"BEGIN; " + insert + "; COMMIT; BEGIN READ ONLY; SELECT 1; COMMIT"}, "C:BEGIN C:INSERT 0 1 C:COMMIT C:BEGIN C:SELECT C:COMMIT Z:I"},
  };
  for (const row& r : rows)
    for (bool extended : {false, true}) {
      if (extended && r.heard.find("Z:T") == std::string::npos) continue;   // strings are of the simple protocol
      INFO(r.queries.back());
      stage s;
      s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
      for (const std::string& q : r.queries) {
        if (!extended || q.find(';') != std::string::npos) {
          s.query(q);
          continue;
        }
        std::string m;
        protocol::write_parse(m, "", q);
        protocol::write_bind(m, "", "");
        protocol::write_execute(m, "");
        protocol::write_sync(m);
        s.send(m);
      }
      std::string heard = s.take();
      for (std::size_t at = 0; (at = heard.find("1 2 ", at)) != std::string::npos;) heard.erase(at, 4);
      CHECK(heard == r.heard);
    }
}

TEST_CASE("refusals: a question about names that fails is answered in the primary's words, once") {
  for (bool block : {false, true}) {
    stage s;
    s.primary.when("secret", {{}, {}, "", "42501"});
    s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    if (block) s.query("BEGIN");
    s.take();
    s.query("INSERT INTO secret VALUES (1)");
    CHECK(s.take() == (block ? "E:42501 Z:E" : "E:42501 Z:I"));
    if (block) s.query("ROLLBACK");
    s.take();
    s.query("SELECT 1; INSERT INTO secret VALUES (1)");
    CHECK(s.take() == "E:42501 Z:I");
    s.query("INSERT INTO t VALUES (1, 10)");
    CHECK(s.take() == "C:INSERT 0 1 Z:I");
    CHECK(s.session().idle());
  }
}

TEST_CASE("refusals: names beyond ASCII outside of UTF8") {
  const std::string utf8 = "SAVEPOINT \"\xc3\xa4\"", latin1 = "ROLLBACK TO \"\xe4\"", lookalike = "ROLLBACK TO \"\xc3\xa4\"", write = "INSERT INTO t VALUES (1, 10)", change = "SET client_encoding = latin1";
  struct row {
    std::vector<std::string> queries;
    std::string heard;
    std::size_t ops;
  };
  const std::string begun = "C:BEGIN Z:T C:SAVEPOINT Z:T C:INSERT 0 1 Z:T ";
  const row rows[] = {
      {{"BEGIN", utf8, write, "ROLLBACK TO \"\xc3\xa4\"", "COMMIT"}, begun + "C:ROLLBACK Z:T C:COMMIT Z:I", 0},
      {{"BEGIN", utf8, write, change, latin1, "COMMIT"}, begun + "C:SET S Z:T E:0A000 Z:E C:ROLLBACK Z:I", 0},
      {{"BEGIN", utf8, write, change, "SELECT boom", latin1, "COMMIT"}, begun + "C:SET S Z:T E:22012 Z:E E:0A000 Z:E C:ROLLBACK Z:I", 0},
      {{"BEGIN", utf8, write, change, "SELECT boom", lookalike, "COMMIT"}, begun + "C:SET S Z:T E:22012 Z:E E:0A000 Z:E C:ROLLBACK Z:I", 0},
      {{"BEGIN", utf8, write, change, "SELECT boom", "SELECT 1; " + latin1 + "; SELECT 1", "ROLLBACK"}, begun + "C:SET S Z:T E:22012 Z:E E:25P02 Z:E C:ROLLBACK Z:I", 0},
      {{change, "BEGIN", "SAVEPOINT \"\xe4\"", "ROLLBACK"}, "C:SET S Z:I C:BEGIN Z:T E:0A000 Z:E C:ROLLBACK Z:I", 0},
      {{change, "BEGIN", "SAVEPOINT a", write, "ROLLBACK TO a", "RELEASE a", write, "COMMIT"},
       "C:SET S Z:I C:BEGIN Z:T C:SAVEPOINT Z:T C:INSERT 0 1 Z:T C:ROLLBACK Z:T C:RELEASE Z:T C:INSERT 0 1 Z:T C:COMMIT Z:I", 1},
      {{change, "SELECT \xe4udit()"}, "C:SET S Z:I E:0A000 Z:I", 0},
      {{change, "UPDATE t SET \xe4 = 1"}, "C:SET S Z:I E:0A000 Z:I", 0},
  };
  for (const row& r : rows) {
    INFO(r.heard);
    auto w = std::make_shared<session::world>(*test::mirrored_world());
    auto c = std::make_shared<sql::catalog>(*w->primary);
    auto t = std::make_shared<sql::table>(*c->by_oid.at(100));
    t->columns[0].name = "\xc3\xa4";
    c->by_oid[100] = t;
    c->writing_functions.insert("\xc3\xa4udit");
    w->primary = w->secondary = c;
    stage s(w);
    s.primary.when("SET client_encoding", {{}, {}, "SET", "", {"client_encoding", "LATIN1"}});
    s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    s.primary.when("boom", {{}, {}, "", "22012"});
    for (const std::string& q : r.queries) {
      // the image of a session that is not in UTF8 comes in hex
      s.primary.no_more();
      if (r.queries[0] == change) s.primary.for_now("INSERT INTO t", {{"row"}, {{"283130302c332c312c313029"}}, "INSERT 0 1", ""});
      s.query(q);
    }
    CHECK(s.take() == r.heard);
    CHECK(s.submitted.size() == r.ops);
    CHECK(s.session().idle());
  }
}

TEST_CASE("refusals: a text beyond ASCII is not prepared again under another client_encoding") {
  for (const char* sql : {"INSERT INTO t VALUES (1, '\xc3\xa4')", "INSERT INTO t VALUES (1, 'a')"}) {
    stage s;
    s.primary.when("SET client_encoding", {{}, {}, "SET", "", {"client_encoding", "LATIN1"}});
    s.primary.when("INSERT INTO t", {{"row"}, {{"283130302c332c312c313029"}}, "INSERT 0 1", ""});
    std::string prepare, run;
    protocol::write_parse(prepare, "p", sql);
    protocol::write_sync(prepare);
    protocol::write_bind(run, "", "p");
    protocol::write_execute(run, "");
    protocol::write_sync(run);
    s.send(prepare);
    s.query("SET client_encoding = latin1");
    s.take();
    s.send(run);
    CHECK(s.take() == (sql[26] == 'a' ? "2 C:INSERT 0 1 Z:I" : "E:0A000 Z:I"));
  }
}
