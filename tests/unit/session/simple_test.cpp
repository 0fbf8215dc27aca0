// Transcripts of the simple protocol, whole and cut at every byte.
#include <catch2/catch.hpp>

#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::pieces;
using test::stage;
using session::apply_result;

namespace {

// What the fake primary answers to captured writes: the image is the last column.
void teach(stage& s) {
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  s.primary.when("INSERT INTO par", {{"row"}, {{"(101,3,5,1)"}}, "INSERT 0 1", ""});
  s.primary.when("UPDATE t SET v = 2 RETURNING id", {{"id", "row"}, {{"1", "(100,3,1,2)"}, {"2", "(100,3,2,2)"}}, "UPDATE 2", ""});
  s.primary.when("UPDATE t", {{"row"}, {}, "UPDATE 0", ""});
  s.primary.when("DELETE FROM par", {{"row"}, {{"(101,3,5,1)"}}, "DELETE 1", ""});
  s.primary.when("INSERT INTO dfr", {{"row"}, {{"(103,3,4)"}}, "INSERT 0 1", ""});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
  s.primary.when("boom", {{}, {}, "", "22012"});
}

struct line {
  const char* sent;      // Query
  const char* heard;     // by the client
};

void run(const std::vector<line>& transcript, std::size_t piece, stage& s) {
  teach(s);
  for (const line& l : transcript) {
    INFO(l.sent << " in pieces of " << piece);
    s.query(l.sent);
    CHECK(s.take() == l.heard);
  }
  CHECK(s.session().idle());
}

}  // namespace

TEST_CASE("a read passes untouched") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    run({{"SELECT 1", "T1 D,1 C:SELECT 1 Z:I"}, {"", "I Z:I"}}, piece, s);
    CHECK(s.submitted.empty());
  }
}

TEST_CASE("an autocommit write is held open, applied, committed") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    run({{"INSERT INTO t VALUES (1, 10)", "C:INSERT 0 1 Z:I"},
         {"UPDATE t SET v = 2 RETURNING id", "T1 D,1 D,2 C:UPDATE 2 Z:I"}}, piece, s);
    REQUIRE(s.submitted.size() == 2);
    CHECK(s.submitted[0]->keys == R"([["public.t",["1"],null]])");
    CHECK(s.submitted[0]->source_rev == "777");
    CHECK(s.submitted[0]->epoch == 7);
    CHECK(s.submitted[1]->effects.size() == 2);
    CHECK(s.primary.status == 'I');
  }
}

TEST_CASE("a write that touches nothing is not sent to the secondary") {
  stage s;
  run({{"UPDATE t SET v = 1", "C:UPDATE 0 Z:I"}}, 0, s);
  CHECK(s.submitted.empty());
}

TEST_CASE("a block commits after the secondary has answered") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    run({{"BEGIN", "C:BEGIN Z:T"},
         {"INSERT INTO t VALUES (1, 10)", "C:INSERT 0 1 Z:T"},
         {"SELECT 1", "T1 D,1 C:SELECT 1 Z:T"},
         {"DELETE FROM par", "C:DELETE 1 Z:T"},
         {"COMMIT", "C:COMMIT Z:I"}}, piece, s);
    REQUIRE(s.submitted.size() == 1);
    CHECK(s.submitted[0]->in_order);
    CHECK(s.submitted[0]->keys == R"([["public.t",["1"],null],["public.par",["5"],null],["public.chd",["5"],["pid"]]])");
    CHECK(std::count(s.primary.heard.begin(), s.primary.heard.end(), "(fence)") == 1);
  }
}

TEST_CASE("several statements in one string") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    run({{"SELECT 1; INSERT INTO t VALUES (1, 10)", "T1 D,1 C:SELECT 1 C:INSERT 0 1 Z:I"},
         {"INSERT INTO t VALUES (1); INSERT INTO par VALUES (5)", "C:INSERT 0 1 C:INSERT 0 1 Z:I"},
         {"BEGIN; INSERT INTO t VALUES (1); COMMIT", "C:BEGIN C:INSERT 0 1 C:COMMIT Z:I"},
         {"BEGIN; INSERT INTO t VALUES (1); COMMIT; INSERT INTO par VALUES (5)", "C:BEGIN C:INSERT 0 1 C:COMMIT C:INSERT 0 1 Z:I"},
         {"INSERT INTO t VALUES (1); SELECT boom", "C:INSERT 0 1 E:22012 Z:I"},
         }, piece, s);
    CHECK(s.submitted.size() == 5);
  }
}

TEST_CASE("savepoints cut the write set back, and the fence is read again when its lock went") {
  stage s;
  run({{"BEGIN", "C:BEGIN Z:T"},
       {"SAVEPOINT a", "C:SAVEPOINT Z:T"},
       {"INSERT INTO t VALUES (1, 10)", "C:INSERT 0 1 Z:T"},
       {"ROLLBACK TO a", "C:ROLLBACK Z:T"},
       {"INSERT INTO par VALUES (5)", "C:INSERT 0 1 Z:T"},
       {"COMMIT", "C:COMMIT Z:I"}}, 0, s);
  REQUIRE(s.submitted.size() == 1);
  CHECK(s.submitted[0]->keys == R"([["public.par",["5"],null]])");
  CHECK(std::count(s.primary.heard.begin(), s.primary.heard.end(), "(fence)") == 2);
}

TEST_CASE("errors roll an autocommit write back and leave a block failed") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.when("INSERT INTO chd", {{}, {}, "", "23503"});
    s.query("INSERT INTO chd VALUES (1, 1)");
    CHECK(s.take() == "E:23503 Z:I");
    CHECK(s.primary.status == 'I');
    s.query("BEGIN");
    s.query("INSERT INTO chd VALUES (1, 1)");
    CHECK(s.take() == "C:BEGIN Z:T E:23503 Z:E");
    s.query("INSERT INTO t VALUES (1, 10)");
    CHECK(s.take() == "E:25P02 Z:E");
    s.query("COMMIT");
    CHECK(s.take() == "C:ROLLBACK Z:I");
    CHECK(s.submitted.empty());
  }
}

TEST_CASE("what cannot be mirrored is refused where it stands") {
  struct row { const char* sql; const char* heard; };
  const row rows[] = {
      {"MERGE INTO t USING t AS s ON false WHEN MATCHED THEN DELETE", "E:0A000 Z:I"},
      {"DO $$ BEGIN END $$", "E:0A000 Z:I"},
      {"CALL p()", "E:0A000 Z:I"},
      {"CREATE TABLE x (a int)", "E:0A000 Z:I"},
      {"WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x", "E:0A000 Z:I"},
      {"SELECT audit()", "E:0A000 Z:I"},
      {"UPDATE t SET id = 2", "E:0A000 Z:I"},
      {"INSERT INTO nokey VALUES (1)", "E:0A000 Z:I"},
      {"COPY t FROM STDIN", "E:0A000 Z:I"},
  };
  for (const row& r : rows) {
    stage s;
    teach(s);
    s.query(r.sql);
    INFO(r.sql);
    CHECK(s.take() == r.heard);
    s.query("BEGIN");
    s.query(r.sql);
    CHECK(s.take() == "C:BEGIN Z:T E:0A000 Z:E");
    s.query("ROLLBACK");
    CHECK(s.take() == "C:ROLLBACK Z:I");
  }
}

TEST_CASE("the secondary's answers, every verdict") {
  struct row { apply_result answer; session::policy policy; const char* heard; bool dirty; };
  const row rows[] = {
      {apply_result::applied, session::policy::degrade, "C:INSERT 0 1 Z:I", false},
      {apply_result::refused, session::policy::degrade, "C:INSERT 0 1 Z:I", true},
      {apply_result::lost, session::policy::degrade, "C:INSERT 0 1 Z:I", true},
      {apply_result::breaker_open, session::policy::degrade, "C:INSERT 0 1 Z:I", true},
      {apply_result::queue_full, session::policy::degrade, "C:INSERT 0 1 Z:I", true},
      {apply_result::applied, session::policy::strict, "C:INSERT 0 1 Z:I", false},
      {apply_result::lost, session::policy::strict, "E:58000 Z:I", false},
      {apply_result::refused, session::policy::strict, "E:58000 Z:I", false},
  };
  for (const row& r : rows) {
    auto w = std::make_shared<session::world>(*test::mirrored_world());
    w->bounds.secondary_policy = r.policy;
    stage s(w);
    teach(s);
    s.applies = r.answer;
    s.query("INSERT INTO t VALUES (1, 10)");
    INFO(static_cast<int>(r.answer));
    CHECK(s.take() == r.heard);
    bool marked = std::any_of(s.primary.heard.begin(), s.primary.heard.end(), [](const std::string& t) { return t.find("mark_dirty") != std::string::npos; });
    CHECK(marked == r.dirty);
    CHECK(s.submitted[0]->given_up == (r.answer != apply_result::applied));
    CHECK(s.session().idle());
  }
}

TEST_CASE("a silent secondary costs the budget and no more") {
  stage s;
  teach(s);
  s.answer_ops = false;
  s.query("INSERT INTO t VALUES (1, 10)");
  CHECK(s.take() == "");
  CHECK(s.deadline_armed);
  s.session().deadline_passed();   // the first part of the budget: only the primary hears of it
  CHECK(s.session().out().to_primary == std::string("H\0\0\0\4", 5));
  CHECK(s.session().out().deadline_ms);
  s.pump();
  CHECK(s.take() == "");
  s.session().deadline_passed();
  CHECK(std::exchange(s.session().out().overdue, nullptr) == s.submitted[0]);   // the breaker hears of it now
  s.pump();
  CHECK(s.take() == "C:INSERT 0 1 Z:I");
  CHECK(s.submitted[0]->given_up);
  s.session().applied(s.submitted[0], {apply_result::applied, "", ""});   // too late: nobody is confused
  s.session().deadline_passed();
  CHECK_FALSE(s.session().out().overdue);
  s.pump();
  CHECK(s.take() == "");
}

TEST_CASE("the primary's COMMIT fails after the secondary has committed") {
  stage s;
  teach(s);
  s.query("INSERT INTO t VALUES (1, 10)");
  s.take();
  s.primary.fail_commit("40001");
  s.query("INSERT INTO t VALUES (1, 10)");
  CHECK(s.take() == "E:40001 Z:I");
  CHECK(s.submitted.size() == 2);
}

TEST_CASE("a fenced-off epoch is a serialization failure") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.drop_epoch();
    s.query("INSERT INTO t VALUES (1, 10)");
    CHECK(s.take() == "E:40001 Z:I");
    s.query("BEGIN");
    s.query("INSERT INTO t VALUES (1, 10)");
    CHECK(s.take() == "C:BEGIN Z:T E:40001 Z:E");
    s.query("ROLLBACK");
    CHECK(s.take() == "C:ROLLBACK Z:I");
    CHECK(s.submitted.empty());
  }
}

TEST_CASE("an image of another schema or another table is never trusted") {
  for (const char* image : {"(100,4,1,10)", "(102,3,1,10)", "(x", "nothing"}) {
    stage s;
    s.primary.when("INSERT INTO t", {{"row"}, {{image}}, "INSERT 0 1", ""});
    s.query("INSERT INTO t VALUES (1, 10)");
    std::string heard = s.take();
    CHECK((heard == "E:40001 Z:I" || heard == "E:XX000 Z:I"));
    s.query("BEGIN");
    s.query("INSERT INTO t VALUES (1, 10)");
    heard = s.take();
    CHECK((heard == "C:BEGIN Z:T E:40001 Z:E" || heard == "C:BEGIN Z:T E:XX000 Z:E"));
    s.query("ROLLBACK");
    CHECK(s.take() == "C:ROLLBACK Z:I");
    CHECK(s.submitted.empty());
    CHECK(s.session().idle());
  }
}

TEST_CASE("the loss of either peer at each step ends in the truth") {
  stage s;
  teach(s);
  s.answer_ops = false;
  s.query("INSERT INTO t VALUES (1, 10)");
  s.session().primary_closed("reset");
  s.pump();
  CHECK(s.take() == "E:08006");
  CHECK(s.closed);
  CHECK(s.submitted[0]->given_up);

  stage c;
  teach(c);
  c.answer_ops = false;
  c.query("INSERT INTO t VALUES (1, 10)");
  c.session().client_closed();
  CHECK(c.submitted[0]->given_up);
}

TEST_CASE("idempotency keys: claimed, replayed, refused") {
  const std::string sql = "/* idempotency_key='k1' */ INSERT INTO t VALUES (1, 10)";
  auto w = std::make_shared<session::world>(*test::mirrored_world());
  auto c = std::make_shared<sql::catalog>(*w->primary);
  auto idem = std::make_shared<sql::table>();
  idem->id = 110;
  idem->qualified = "pgtandem.idempotency";
  idem->columns = {{"key", "text"}, {"statement", "text"}, {"outcome", "bytea"}, {"at", "timestamptz"}};
  idem->key = {0};
  c->by_oid[110] = idem;
  c->by_name[idem->qualified] = 110;
  w->primary = c;
  struct row { std::vector<std::string> claim; const char* alone; const char* in_block; std::size_t ops; };
  const row rows[] = {
      {{"t", "t", "", "k1"}, "C:INSERT 0 1 Z:I", "C:INSERT 0 1 Z:T", 2},
      {{"f", "t", "4300000010494e53455254203020310a00", "k1"}, "C:INSERT 0 1\n Z:I", "E:23505 Z:E", 0},
      {{"f", "t", "", "k1"}, "E:0A000 Z:I", "E:23505 Z:E", 0},
      {{"f", "f", "", "k1"}, "E:22023 Z:I", "E:22023 Z:E", 0},
  };
  for (const row& r : rows) {
    stage s(w);
    s.primary.when("claim_key", {{"a", "b", "c", "d"}, {r.claim}, "SELECT 1", ""});
    s.primary.when("record_outcome", {{"i"}, {{"283131302c332c6b312c782c2c29"}}, "SELECT 1", ""});
    teach(s);
    s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    s.query(sql);
    INFO(r.alone);
    CHECK(s.take() == r.alone);
    s.query("BEGIN");
    s.take();
    s.query(sql);
    CHECK(s.take() == r.in_block);
    s.query("COMMIT");
    s.take();
    CHECK(s.submitted.size() == r.ops);
    CHECK(s.session().idle());
  }
}

TEST_CASE("a text of any size below the bound is read to its end") {
  for (auto phase : {control::phase::passthrough, control::phase::dual_write}) {
    stage s(test::world_in(phase), 10000);
    s.query("SELECT '" + std::string(1 << 20, 'x') + "'");
    CHECK(s.take() == "C:SELECT Z:I");
  }
}

TEST_CASE("idempotency keys are heeded where nothing is mirrored, too") {
  for (std::size_t piece : pieces) {
    for (bool claimed : {true, false}) {
      stage s(test::world_in(control::phase::passthrough), piece);
      s.primary.when("claim_key", {{"a", "b", "c", "d"}, {{claimed ? "t" : "f", "t", "4300000010494e53455254203020310a00", "k"}}, "SELECT 1", ""});
      s.primary.when("record_outcome", {{"i"}, {{""}}, "SELECT 1", ""});
      s.primary.when("INSERT INTO t", {{}, {}, "INSERT 0 1", ""});
      s.query("/* idempotency_key='k' */ INSERT INTO t VALUES (1, 10)");
      CHECK(s.take() == (claimed ? "C:INSERT 0 1 Z:I" : "C:INSERT 0 1\n Z:I"));
      bool recorded = std::any_of(s.primary.heard.begin(), s.primary.heard.end(), [](auto& t) { return t.find("record_outcome") != std::string::npos; });
      CHECK(recorded == claimed);
      CHECK(s.submitted.empty());
      CHECK(s.session().idle());
    }
  }
}
