// Transcripts of strings of several statements, whole and cut at every byte: implicit transactions, what ends them, what changes
// the meaning of what follows.
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::pieces;
using test::stage;

namespace {

void teach(stage& s) {
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  s.primary.when("INSERT INTO par", {{"row"}, {{"(101,3,5,1)"}}, "INSERT 0 1", ""});
  s.primary.when("INSERT INTO dfr", {{"row"}, {{"(103,3,4)"}}, "INSERT 0 1", ""});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
  s.primary.when("boom", {{}, {}, "", "22012"});
}

struct row {
  const char* sql;
  const char* heard;
  std::size_t ops;       // that reached the secondary
};
const row rows[] = {
    // an implicit transaction that a BEGIN makes its own
    {"INSERT INTO t VALUES (1); BEGIN; INSERT INTO par VALUES (5); COMMIT", "C:INSERT 0 1 C:BEGIN C:INSERT 0 1 C:COMMIT Z:I", 1},
    {"INSERT INTO t VALUES (1); BEGIN; ROLLBACK", "C:INSERT 0 1 C:BEGIN C:ROLLBACK Z:I", 0},
    {"SELECT 1; BEGIN; INSERT INTO t VALUES (1); COMMIT; SELECT 1", "T1 D,1 C:SELECT 1 C:BEGIN C:INSERT 0 1 C:COMMIT T1 D,1 C:SELECT 1 Z:I", 1},
    {"INSERT INTO t VALUES (1); BEGIN; BEGIN; COMMIT", "C:INSERT 0 1 C:BEGIN N C:BEGIN C:COMMIT Z:I", 1},
    // one that is ended without a block
    {"INSERT INTO t VALUES (1); COMMIT", "C:INSERT 0 1 N C:COMMIT Z:I", 1},
    {"INSERT INTO t VALUES (1); COMMIT; INSERT INTO par VALUES (5)", "C:INSERT 0 1 N C:COMMIT C:INSERT 0 1 Z:I", 2},
    {"INSERT INTO t VALUES (1); COMMIT; SELECT boom", "C:INSERT 0 1 N C:COMMIT E:22012 Z:I", 1},
    {"INSERT INTO t VALUES (1); ROLLBACK; INSERT INTO par VALUES (5)", "C:INSERT 0 1 N C:ROLLBACK C:INSERT 0 1 Z:I", 1},
    {"COMMIT; INSERT INTO t VALUES (1)", "N C:COMMIT C:INSERT 0 1 Z:I", 1},
    {"INSERT INTO t VALUES (1); COMMIT; COMMIT", "C:INSERT 0 1 N C:COMMIT N C:COMMIT Z:I", 1},
    {"BEGIN; INSERT INTO t VALUES (1); COMMIT; COMMIT; SELECT 1", "C:BEGIN C:INSERT 0 1 C:COMMIT N C:COMMIT T1 D,1 C:SELECT 1 Z:I", 1},
    {"SET client_min_messages = error; INSERT INTO t VALUES (1); COMMIT", "E:0A000 Z:I", 0},
    // what needs a block
    {"INSERT INTO t VALUES (1); SAVEPOINT a; SELECT 1", "C:INSERT 0 1 E:25P01 Z:I", 0},
    {"INSERT INTO t VALUES (1); COMMIT AND CHAIN; SELECT 1", "C:INSERT 0 1 E:25P01 Z:I", 0},
    {"SAVEPOINT a; INSERT INTO t VALUES (1)", "E:25P01 Z:I", 0},
    // what changes the meaning of what follows
    {"SET search_path = x; INSERT INTO t VALUES (1)", "C:SET C:INSERT 0 1 Z:I", 1},
    {"SELECT 1; SET ROLE r; INSERT INTO t VALUES (1); SELECT 1", "T1 D,1 C:SELECT 1 C:SET C:INSERT 0 1 T1 D,1 C:SELECT 1 Z:I", 1},
    {"SET search_path = x; INSERT INTO t VALUES (1); SET search_path = y; INSERT INTO par VALUES (5)", "C:SET C:INSERT 0 1 C:SET C:INSERT 0 1 Z:I", 1},
    {"SET search_path = x; INSERT INTO t VALUES (1); SELECT boom", "C:SET C:INSERT 0 1 E:22012 Z:I", 0},
    {"SET search_path = x; UPDATE t SET id = 2", "C:SET E:0A000 Z:I", 0},
    {"INSERT INTO t VALUES (1); COMMIT; UPDATE t SET id = 2", "E:0A000 Z:I", 0},
    {"SET search_path = boom; INSERT INTO t VALUES (1)", "E:22012 Z:I", 0},
    {"BEGIN; SET LOCAL search_path = x; INSERT INTO t VALUES (1); COMMIT", "C:BEGIN C:SET C:INSERT 0 1 C:COMMIT Z:I", 1},
};

}  // namespace

TEST_CASE("strings: every kind of ending and beginning") {
  for (std::size_t piece : pieces)
    for (const row& r : rows) {
      INFO(r.sql << " in pieces of " << piece);
      stage s(test::mirrored_world(), piece);
      teach(s);
      s.query(r.sql);
      CHECK(s.take() == r.heard);
      CHECK(s.submitted.size() == r.ops);
      CHECK(s.primary.status == 'I');
      CHECK(s.session().idle());
      s.query("INSERT INTO t VALUES (1)");
      CHECK(s.take() == "C:INSERT 0 1 Z:I");
    }
}

TEST_CASE("strings: the fence is read in each of their transactions, and before its first write") {
  stage s;
  teach(s);
  s.query("INSERT INTO t VALUES (1); COMMIT; SET TRANSACTION READ WRITE; INSERT INTO par VALUES (5)");
  CHECK(s.take() == "C:INSERT 0 1 N C:COMMIT C:SET C:INSERT 0 1 Z:I");
  std::vector<std::string> heads;
  for (const std::string& t : s.primary.heard) heads.push_back(t.substr(t.find_first_not_of(" \n"), 6));
  std::vector<std::string> tail(heads.end() - 10, heads.end());
  CHECK(tail == std::vector<std::string>{"BEGIN", "(fence", "INSERT", "COMMIT", "BEGIN", "SET TR", "SELECT", "(fence", "INSERT", "COMMIT"});
}

TEST_CASE("strings: behind a ROLLBACK of a failed block everything is planned anew") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.query("BEGIN");
    s.query("SELECT boom");
    s.query("ROLLBACK; INSERT INTO t VALUES (1)");
    CHECK(s.take() == "C:BEGIN Z:T E:22012 Z:E C:ROLLBACK C:INSERT 0 1 Z:I");
    CHECK(s.submitted.size() == 1);
    s.query("BEGIN; SAVEPOINT a; SELECT boom");
    s.query("SELECT 1; ROLLBACK; INSERT INTO t VALUES (1)");
    CHECK(s.take() == "C:BEGIN C:SAVEPOINT E:22012 Z:E E:25P02 Z:E");
    s.query("ROLLBACK TO a; INSERT INTO t VALUES (1); COMMIT");
    CHECK(s.take() == "C:ROLLBACK C:INSERT 0 1 C:COMMIT Z:I");
    CHECK(s.submitted.size() == 2);
    s.query("BEGIN; SELECT boom");
    s.query("ROLLBACK; SELECT audit()");
    CHECK(s.take() == "C:BEGIN E:22012 Z:E C:ROLLBACK E:0A000 Z:I");
  }
}

TEST_CASE("strings: Queries sent ahead of the answer to a ROLLBACK") {
  stage s;
  teach(s);
  s.query("BEGIN");
  s.query("SELECT boom");
  s.take();
  std::string both;
  protocol::write_query(both, "ROLLBACK");
  protocol::write_query(both, "INSERT INTO t VALUES (1)");
  s.send(both);
  CHECK(s.take() == "C:ROLLBACK Z:I C:INSERT 0 1 Z:I");
  CHECK(s.submitted.size() == 1);
}

TEST_CASE("strings: the commit of a part fails") {
  for (const char* sql : {"INSERT INTO t VALUES (1); COMMIT; INSERT INTO par VALUES (5)", "INSERT INTO t VALUES (1); BEGIN; COMMIT; SELECT 1"}) {
    stage s;
    teach(s);
    s.query("INSERT INTO par VALUES (5); INSERT INTO t VALUES (1)");   // the names are known from now on
    s.take();
    s.submitted.clear();
    s.primary.fail_commit("40001");
    s.query(sql);
    std::string heard = s.take();
    INFO(sql);
    CHECK((heard == "C:INSERT 0 1 N E:40001 Z:I" || heard == "C:INSERT 0 1 C:BEGIN E:40001 Z:I"));
    CHECK(s.submitted.size() == 1);
    CHECK(s.session().idle());
  }
}

TEST_CASE("strings: refused by a strict secondary, nothing behind the COMMIT runs") {
  auto w = std::make_shared<session::world>(*test::mirrored_world());
  w->bounds.secondary_policy = session::policy::strict;
  stage s(w);
  teach(s);
  s.applies = session::apply_result::lost;
  s.query("INSERT INTO t VALUES (1); COMMIT; INSERT INTO par VALUES (5)");
  CHECK(s.take() == "C:INSERT 0 1 N E:58000 Z:I");
  CHECK(s.primary.heard.back() == "ROLLBACK");
  CHECK(s.session().idle());
}

TEST_CASE("strings: the primary is lost at each step") {
  for (int answers = 0; answers < 12; ++answers) {
    stage s;
    teach(s);
    s.primary.mute_after = answers;
    s.query("INSERT INTO t VALUES (1); BEGIN; INSERT INTO par VALUES (5); COMMIT; COMMIT; INSERT INTO t VALUES (1)");
    bool stuck = !s.session().idle();
    s.session().primary_closed("reset");
    s.pump();
    std::string heard = s.take();
    INFO(answers << ": " << heard);
    if (stuck) CHECK((heard.find("E:08006") != std::string::npos || heard.find("E:08007") != std::string::npos));
    CHECK(s.closed);
  }
}

TEST_CASE("strings: under standard_conforming_strings = off") {
  stage s;
  teach(s);
  s.primary.when("SET standard_conforming_strings = off", {{}, {}, "SET", "", {"standard_conforming_strings", "off"}});
  s.query("SET standard_conforming_strings = off; INSERT INTO t VALUES ('\\\\')");
  CHECK(s.take() == "C:SET E:0A000 S Z:I");
  s.query("SET standard_conforming_strings = off");
  s.take();
  s.query("INSERT INTO t VALUES ('a\\' DELETE FROM par --')");   // one literal to the primary, and so to us
  CHECK(s.take() == "C:INSERT 0 1 Z:I");
  s.query("SELECT 1; INSERT INTO t VALUES (1)");
  CHECK(s.take() == "T1 D,1 C:SELECT 1 C:INSERT 0 1 Z:I");
  s.query("SELECT 1; INSERT INTO t VALUES ('\\n')");
  CHECK(s.take() == "E:0A000 Z:I");
  CHECK(s.submitted.size() == 2);
}

TEST_CASE("a text sent ahead of the answer to a change of how texts are read") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.when("SET standard_conforming_strings = off", {{}, {}, "SET", "", {"standard_conforming_strings", "off"}});
    std::string both;
    protocol::write_query(both, "SET standard_conforming_strings = off");
    protocol::write_query(both, "INSERT INTO t VALUES ('a\\' DELETE FROM par --')");
    s.send(both);
    CHECK(s.take() == "C:SET S Z:I C:INSERT 0 1 Z:I");

    stage e(test::mirrored_world(), piece);
    teach(e);
    std::string pipeline;
    for (const char* sql : {"SET standard_conforming_strings = off", "INSERT INTO t VALUES ('a\\' DELETE FROM par --')"}) {
      protocol::write_parse(pipeline, "", sql);
      protocol::write_bind(pipeline, "", "");
      protocol::write_execute(pipeline, "");
    }
    protocol::write_sync(pipeline);
    e.send(pipeline);
    CHECK(e.take() == "1 2 C:SET E:0A000 Z:I");
    CHECK(e.submitted.empty());
  }
}

TEST_CASE("what SET LOCAL or a rolled back SET made of a name is forgotten with it") {
  struct row { const char* set; const char* end; };
  for (const row& r : {row{"SET LOCAL search_path = x", "COMMIT"}, {"SET search_path = x", "ROLLBACK"}, {"SET LOCAL ROLE r", "COMMIT"}}) {
    INFO(r.set);
    stage s;
    s.primary.for_now("VALUES ('t'", {{}, {{"t", "105", "f", "t"}}, "SELECT 1", ""});   // out of scope: not captured
    s.primary.when("INSERT INTO t VALUES (1)\nRETURNING", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    s.primary.when("INSERT INTO t", {{}, {}, "INSERT 0 1", ""});
    s.query("BEGIN");
    s.query(r.set);
    s.query("INSERT INTO t VALUES (1)");
    s.query(r.end);
    CHECK(s.submitted.empty());
    s.primary.no_more();
    s.query("INSERT INTO t VALUES (1)");
    CHECK(s.submitted.size() == 1);
  }
}

TEST_CASE("what a temporary table made of a name is forgotten at the end of its transaction, by prepared statements too") {
  struct row { const char* make; const char* end; };
  for (const row& r : {row{"CREATE TEMP TABLE t(a int) ON COMMIT DROP", "COMMIT"}, {"CREATE TEMP TABLE t(a int)", "ROLLBACK"}, {"CREATE TEMP TABLE t(a int)", "ROLLBACK TO s"}}) {
    INFO(r.make << " " << r.end);
    stage s;
    s.primary.for_now("VALUES ('t'", {{}, {{"t", "900", "t", "t"}}, "SELECT 1", ""});
    s.primary.when("INSERT INTO t VALUES (1)\nRETURNING", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    s.primary.when("INSERT INTO t", {{}, {}, "INSERT 0 1", ""});
    s.query("BEGIN");
    s.query("SAVEPOINT s");
    s.query(r.make);
    std::string prepare, run;
    protocol::write_parse(prepare, "p", "INSERT INTO t VALUES (1)");
    protocol::write_bind(run, "", "p");
    protocol::write_execute(run, "");
    protocol::write_sync(run);
    s.send(prepare + run);
    s.primary.no_more();
    s.query(r.end);
    s.send(run);
    s.query("COMMIT");
    CHECK(s.submitted.size() == 1);
  }
}

TEST_CASE("the names of a TRUNCATE are asked for each time it runs") {
  stage s;
  s.primary.when("TRUNCATE", {{}, {}, "TRUNCATE TABLE", ""});
  auto asked = [&] { return std::count_if(s.primary.heard.begin(), s.primary.heard.end(), [](const std::string& q) { return q.find("to_regclass") != std::string::npos; }); };
  s.query("TRUNCATE t");
  s.query("TRUNCATE t");
  CHECK(asked() == 2);
  std::string prepare, run;
  protocol::write_parse(prepare, "p", "TRUNCATE t");
  protocol::write_bind(run, "", "p");
  protocol::write_execute(run, "");
  protocol::write_sync(run);
  s.send(prepare + run);
  const auto before = asked();
  s.primary.for_now("VALUES ('t'", {{}, {{"t", "900", "t", "t"}}, "SELECT 1", ""});   // a function has made a temporary one
  s.send(run);
  CHECK(asked() == before + 1);
  CHECK(s.submitted.size() == 3);
}
