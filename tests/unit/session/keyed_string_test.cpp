// Idempotency keys and strings of several statements: what a key is good for, and what a retry hears.
#include "proxy/session/keyed_string.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/session/keyed_world.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using session::keyed_string;
using test::keyed_world;
using test::pieces;
using test::recorded;
using test::stage;

namespace {

const std::string key = "/* idempotency_key='k1' */ ";
const std::string two = key + "INSERT INTO t VALUES (1, 10); SELECT 1; INSERT INTO t VALUES (2, 20)";
const std::string block = key + "BEGIN; INSERT INTO t VALUES (1, 10); INSERT INTO t VALUES (2, 20); COMMIT";

// `claim`: what the primary answers: claimed, same string, outcome in hex, key. Empty: no key is set.
void teach(stage& s, std::vector<std::string> claim, bool images = true) {
  std::vector<std::vector<std::string>> found;
  if (!claim.empty()) found.push_back(claim);
  s.primary.when("claim_key", {{"a", "b", "c", "d"}, found, "SELECT 1", ""});
  s.primary.when("record_outcome", {{"i"}, {{"283131302c332c6b312c782c2c29"}}, "SELECT 1", ""});
  if (images) {
    s.primary.when("VALUES (1, 10)", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    s.primary.when("VALUES (2, 20)", {{"row"}, {{"(100,3,2,20)"}}, "INSERT 0 1", ""});
  } else {
    s.primary.when("INSERT INTO t", {{}, {}, "INSERT 0 1", ""});
  }
  s.primary.when("DELETE FROM t", {{}, {}, "", "22012"});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
}

const std::vector<std::string> fresh{"t", "t", "", "k1"}, other{"f", "f", "", "k1"}, lost{"f", "t", "", "k1"},
    taken{"f", "t", "430000000c4f5554434f4d4500", "k1"};  // CommandComplete "OUTCOME"

bool has_heard(const stage& s, std::string_view text) {
  const auto& all = s.primary.heard;
  return std::any_of(all.begin(), all.end(), [&](const std::string& t) { return t.find(text) != std::string::npos; });
}
}  // namespace

TEST_CASE("keyed string: what a key is good for") {
  struct row {
    const char* sql;
    keyed_string outside, in_block;
  };
  using enum keyed_string;
  const row rows[] = {
      {"INSERT INTO t VALUES (1)", replayed, fact},
      {"INSERT INTO t VALUES (1); DELETE FROM t", replayed, fact},
      {"SELECT 1; INSERT INTO t VALUES (1); SELECT 2", replayed, fact},
      {"BEGIN; INSERT INTO t VALUES (1); COMMIT", replayed, fact},
      {"START TRANSACTION; DELETE FROM t; SELECT 1; END", replayed, fact},
      {"BEGIN; INSERT INTO t VALUES (1)", fact, fact},
      {"BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO s", fact, fact},
      {"BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO s; COMMIT", refused, fact},
      {"BEGIN; INSERT INTO t VALUES (1); ROLLBACK", refused, fact},
      {"BEGIN; INSERT INTO t VALUES (1); COMMIT AND CHAIN", refused, fact},
      {"BEGIN; INSERT INTO t VALUES (1); COMMIT; SELECT 1", refused, refused},
      {"BEGIN; INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2)", refused, refused},
      {"INSERT INTO t VALUES (1); COMMIT", refused, fact},
      {"INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2)", refused, refused},
      {"INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2); COMMIT", refused, fact},
      {"ROLLBACK; INSERT INTO t VALUES (1)", refused, refused},
      {"SET search_path = other; INSERT INTO t VALUES (1)", refused, fact},
      {"INSERT INTO t VALUES (1); SET LOCAL search_path = other", refused, fact},
      {"BEGIN; SET LOCAL search_path = other; INSERT INTO t VALUES (1); COMMIT", refused, fact},
      {"CREATE TEMP TABLE x(a int); INSERT INTO t VALUES (1)", refused, fact},
      {"LISTEN x; INSERT INTO t VALUES (1)", refused, fact},
      {"SELECT pg_advisory_lock(1); INSERT INTO t VALUES (1)", refused, fact},
      {"EXECUTE q; EXECUTE q", refused, fact},
      {"", refused, refused},
  };
  sql::analyzer analyze;
  for (const row& r : rows) {
    INFO(r.sql);
    const sql::analysis_ptr a = analyze(r.sql, true);
    CHECK(session::keyed_string_of(*a, false) == r.outside);
    CHECK(session::keyed_string_of(*a, true) == r.in_block);
  }
}

TEST_CASE("keyed string: the first try's answers are what a retry hears") {
  struct row {
    const std::string* sql;
    const std::vector<std::string>* claim;
    const char* heard;
    std::size_t ops;
  };
  const row rows[] = {
      {&two, &fresh, "C:INSERT 0 1 T1 D,1 C:SELECT 1 C:INSERT 0 1 Z:I", 1},
      {&two, &taken, "C:OUTCOME Z:I", 0},
      {&two, &lost, "E:0A000 Z:I", 0},
      {&two, &other, "E:22023 Z:I", 0},
      {&block, &fresh, "C:BEGIN C:INSERT 0 1 C:INSERT 0 1 C:COMMIT Z:I", 1},
      {&block, &taken, "C:BEGIN C:OUTCOME Z:I", 0},
      {&block, &lost, "C:BEGIN E:0A000 Z:E", 0},
      {&block, &other, "C:BEGIN E:22023 Z:E", 0},
  };
  for (std::size_t piece : pieces)
    for (bool mirrored : {true, false})
      for (const row& r : rows) {
        INFO(*r.sql);
        INFO(r.heard);
        stage s(mirrored ? keyed_world() : test::world_in(control::phase::passthrough), piece);
        teach(s, *r.claim, mirrored);
        s.query(*r.sql);
        CHECK(s.take() == r.heard);
        CHECK(s.submitted.size() == (mirrored ? r.ops : 0));
        CHECK(has_heard(s, "record_outcome") == (r.claim == &fresh));
        CHECK(has_heard(s, "INSERT") == (r.claim == &fresh));
        s.query("ROLLBACK");
        CHECK(s.session().idle());
      }
}

TEST_CASE("keyed string: what is recorded makes the same answer, rows and all") {
  for (std::size_t piece : pieces)
    for (bool mirrored : {true, false})
      for (const std::string& sql : {two, block, key + "INSERT INTO t VALUES (1, 10) RETURNING id; SELECT 1",
                                     key + "INSERT INTO t VALUES (1, 10) RETURNING id"}) {
        INFO(sql);
        const auto world = mirrored ? keyed_world() : test::world_in(control::phase::passthrough);
        stage first(world, piece), again(world, piece);
        for (stage* s : {&first, &again}) {
          if (mirrored)
            s->primary.when("RETURNING id", {{"id", "row"}, {{"1", "(100,3,1,10)"}}, "INSERT 0 1", ""});
          else
            s->primary.when("RETURNING id", {{"id"}, {{"1"}}, "INSERT 0 1", ""});
        }
        teach(first, fresh, mirrored);
        first.query(sql);
        const std::string heard = first.take();
        CHECK(heard.ends_with("Z:I"));
        teach(again, {"f", "t", recorded(first), "k1"}, mirrored);
        again.query(sql);
        CHECK(again.take() == heard);
        CHECK_FALSE(has_heard(again, "INSERT"));
      }
}

TEST_CASE("keyed string: what a key is not good for is refused before it writes, and leaves nothing") {
  struct row {
    const char* sql;
    const char* heard;
  };
  const row rows[] = {
      {"BEGIN; INSERT INTO t VALUES (1, 10); COMMIT; INSERT INTO t VALUES (2, 20)", "C:BEGIN E:0A000 Z:E"},
      {"SET search_path = other; INSERT INTO t VALUES (1, 10)", "C:SET E:0A000 Z:I"},
      {"INSERT INTO t VALUES (1, 10); SET search_path = other", "E:0A000 Z:I"},
  };
  for (std::size_t piece : pieces)
    for (const auto* claim : {&fresh, &taken, &other})
      for (const row& r : rows) {
        INFO(r.sql);
        stage s(keyed_world(), piece);
        teach(s, *claim);
        s.query(key + r.sql);
        CHECK(s.take() == r.heard);
        CHECK(s.submitted.empty());
        CHECK_FALSE(has_heard(s, "INSERT"));
        CHECK_FALSE(has_heard(s, "record_outcome"));
        s.query("ROLLBACK");
        CHECK(s.session().idle());
      }
}

TEST_CASE("keyed string: a first try that fails is not recorded") {
  for (std::size_t piece : pieces) {
    stage s(keyed_world(), piece);
    teach(s, fresh);
    s.query(key + "INSERT INTO t VALUES (1, 10); DELETE FROM t");
    CHECK(s.take() == "C:INSERT 0 1 E:22012 Z:I");
    s.query(key + "BEGIN; INSERT INTO t VALUES (1, 10); DELETE FROM t; COMMIT");
    CHECK(s.take() == "C:BEGIN C:INSERT 0 1 E:22012 Z:E");
    s.query("ROLLBACK");
    CHECK(s.take() == "C:ROLLBACK Z:I");
    CHECK(s.submitted.empty());
    CHECK_FALSE(has_heard(s, "record_outcome"));
    CHECK(s.session().idle());
  }
}

TEST_CASE("keyed string: without a key every string runs as it is") {
  stage s(keyed_world());
  teach(s, {});
  s.query("SET pgtandem.idempotency_key = ''");
  s.query("BEGIN; INSERT INTO t VALUES (1, 10); COMMIT; INSERT INTO t VALUES (2, 20)");
  CHECK(s.take() == "C:SET Z:I C:BEGIN C:INSERT 0 1 C:COMMIT C:INSERT 0 1 Z:I");
  CHECK(s.submitted.size() == 2);
  CHECK_FALSE(has_heard(s, "record_outcome"));
}

TEST_CASE("keyed string: the primary is lost behind any message") {
  for (const std::string* sql : {&two, &block}) {
    int whole = 0;
    for (int after = 0; after < 60; ++after) {
      INFO(after);
      stage s(keyed_world());
      teach(s, fresh);
      s.primary.mute_after = after;
      s.query(*sql);
      if (s.take().ends_with("Z:I")) ++whole;
      s.session().primary_closed("gone");
      s.pump();
      CHECK(s.closed);
      CHECK(s.submitted.size() <= 1);
      CHECK(s.submitted.size() <= static_cast<std::size_t>(has_heard(s, "record_outcome")));
    }
    CHECK(whole > 10);
    CHECK(whole < 50);
  }
}
