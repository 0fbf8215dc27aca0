// Transcripts of EXECUTE: whole, cut at every byte, and with the primary lost behind every message.
#include <algorithm>

#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::pieces;
using test::stage;
namespace p = protocol;

namespace {

constexpr const char* prepare = "PREPARE ins(int) AS INSERT INTO t VALUES ($1, 10)";

// What the primary says of the prepared statement `ins`.
test::reply_rows recalled(std::string text, bool by_sql = true, std::string types = "23") {
  return {{}, {{std::move(text), by_sql ? "t" : "f", std::move(types), "f"}}, "SELECT 1", ""};
}

void teach(stage& s) {
  s.primary.when("EXECUTE ins_pgtandem", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  s.primary.when("EXECUTE ret_pgtandem", {{"id", "row"}, {{"1", "(100,3,1,10)"}}, "INSERT 0 1", ""});
  s.primary.when("EXECUTE ins", {{}, {}, "INSERT 0 1", ""});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
}

bool heard(const stage& s, std::string_view text) {
  return std::any_of(s.primary.heard.begin(), s.primary.heard.end(), [&](const std::string& t) { return t.find(text) != std::string::npos; });
}

std::string run(std::string_view sql) {
  std::string m;
  p::write_parse(m, "", sql);
  p::write_bind(m, "", "");
  p::write_describe(m, p::describe_kind::portal, "");
  p::write_execute(m, "");
  p::write_sync(m);
  return m;
}

}  // namespace

TEST_CASE("execute: the twin runs in place of the statement, which stays as it is") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.when("pg_prepared_statements", recalled(prepare));
    s.query(prepare);
    CHECK(s.take() == "C:PREPARE Z:I");
    CHECK(heard(s, prepare));
    s.query("EXECUTE ins(1)");
    CHECK(s.take() == "C:INSERT 0 1 Z:I");
    s.query("SELECT 1; EXECUTE ins(1); EXECUTE ins(1)");
    CHECK(s.take() == "T1 D,1 C:SELECT 1 C:INSERT 0 1 C:INSERT 0 1 Z:I");
    s.query("BEGIN");
    s.query("EXECUTE ins(1)");
    s.query("COMMIT");
    CHECK(s.take() == "C:BEGIN Z:T C:INSERT 0 1 Z:T C:COMMIT Z:I");
    s.query("EXECUTE ins(1); DEALLOCATE ins");
    CHECK(s.take() == "C:INSERT 0 1 C:DEALLOCATE Z:I");
    REQUIRE(s.submitted.size() == 4);
    CHECK(s.submitted[0]->effects.size() == 1);
    CHECK(s.submitted[1]->effects.size() == 2);
    CHECK(s.primary.has("ins_pgtandem"));
    CHECK_FALSE(heard(s, "EXECUTE ins(1)"));
    CHECK(s.session().idle());
  }
}

TEST_CASE("execute: its RETURNING is the client's, in both protocols") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.when("pg_prepared_statements", recalled("PREPARE ret AS INSERT INTO t VALUES (1, 10) RETURNING id", true, ""));
    s.query("EXECUTE ret");
    CHECK(s.take() == "T1 D,1 C:INSERT 0 1 Z:I");
    s.send(run("EXECUTE ret"));
    CHECK(s.take() == "1 2 T1 D,1 C:INSERT 0 1 Z:I");
    CHECK(s.submitted.size() == 2);
    CHECK(s.session().idle());
  }
}

TEST_CASE("execute: without a RETURNING of its own there is no row description") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.when("pg_prepared_statements", recalled(prepare));
    s.send(run("EXECUTE ins(1)"));
    CHECK(s.take() == "1 2 n C:INSERT 0 1 Z:I");
    CHECK(s.submitted.size() == 1);
  }
}

namespace {
struct behind {
  test::reply_rows row;
  const char *execute, *answer;
};
}  // namespace

TEST_CASE("execute: what is not known exactly is refused, what does not write passes") {
  const behind rows[] = {
      {recalled("SELECT 1; PREPARE ins(int) AS INSERT INTO t VALUES ($1, 10); SELECT 2"), "EXECUTE ins(1)", "C:INSERT 0 1 Z:I"},
      {recalled("PREPARE ins AS INSERT INTO t VALUES ($1, 10); PREPARE ins AS DELETE FROM t"), "EXECUTE ins(1)", "E:0A000 Z:I"},
      {recalled("PREPARE other AS INSERT INTO t VALUES ($1, 10)"), "EXECUTE ins(1)", "E:0A000 Z:I"},
      {recalled("PREPARE ins AS MERGE INTO t USING t s ON true WHEN MATCHED THEN DELETE"), "EXECUTE ins(1)", "E:0A000 Z:I"},
      {recalled("PREPARE ins AS SELECT audit()"), "EXECUTE ins(1)", "E:0A000 Z:I"},
      {recalled("PREPARE ins AS INSERT INTO nokey VALUES ($1)"), "EXECUTE ins(1)", "E:0A000 Z:I"},
      {recalled("PREPARE ins AS INSERT INTO t VALUES ($1, '\\')"), "EXECUTE ins(1)", "C:INSERT 0 1 Z:I"},
      {recalled("INSERT INTO t VALUES ($1, 10)", false), "EXECUTE ins(1)", "E:0A000 Z:I"},   // no Parse of this session's
      {recalled("COMMIT", false), "EXECUTE ins", "E:0A000 Z:I"},
      {recalled(prepare), "EXECUTE U&\"ins\"(1)", "E:0A000 Z:I"},
      {recalled(prepare), "EXECUTE ins(audit())", "E:0A000 Z:I"},
      {recalled(prepare), "EXECUTE ins_pgtandem(1)", "E:0A000 Z:I"},
      {{{}, {{prepare, "t", "23", "t"}}, "SELECT 1", ""}, "EXECUTE ins(1)", "E:0A000 Z:I"},   // the twin's name is taken
      {{{}, {}, "SELECT 0", ""}, "EXECUTE \xc3\x89(1)", "E:0A000 Z:I"},
      {recalled("PREPARE ins AS SELECT $1"), "EXECUTE ins(1)", "C:INSERT 0 1 Z:I"},
      {recalled(prepare), "EXECUTE ins(1, 2)", "C:INSERT 0 1 Z:I"},   // the primary refuses that in its own words
  };
  for (const behind& row : rows) {
    INFO(row.row.rows.size() << row.execute << (row.row.rows.empty() ? "" : row.row.rows[0][0]));
    stage s;
    teach(s);
    s.primary.when("pg_prepared_statements", row.row);
    s.query(row.execute);
    CHECK(s.take() == row.answer);
    bool refused = std::string_view(row.answer).front() == 'E';
    CHECK(heard(s, "EXECUTE ins") != refused);
    CHECK(s.submitted.size() == (heard(s, "EXECUTE ins_pgtandem") ? 1u : 0u));
    CHECK(s.session().idle());
  }
}

TEST_CASE("execute: a name is asked for again when it may mean something else") {
  const char* const changes[] = {"DEALLOCATE ins", "DEALLOCATE ALL", "DISCARD ALL", "PREPARE ins AS SELECT 1"};
  for (const char* change : changes) {
    INFO(change);
    stage s;
    teach(s);
    s.primary.for_now("pg_prepared_statements", recalled(prepare));
    s.query("EXECUTE ins(1)");
    s.primary.no_more();
    s.primary.when("pg_prepared_statements", {{}, {}, "SELECT 0", ""});
    s.query(change);
    s.take();
    s.primary.heard.clear();
    s.query("EXECUTE ins(1)");
    CHECK(s.take() == "C:INSERT 0 1 Z:I");
    CHECK(heard(s, "EXECUTE ins(1)"));
    CHECK(s.submitted.size() == 1);
  }
}

TEST_CASE("execute: outside of mirroring the client's own statement runs") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.when("pg_prepared_statements", recalled(prepare));
    s.query("EXECUTE ins(1)");
    s.session().world_changed(test::world_in(control::phase::passthrough));
    s.query("EXECUTE ins(1)");
    CHECK(heard(s, "EXECUTE ins(1)"));
    s.session().world_changed(test::world_in(control::phase::dual_write));
    s.query("EXECUTE ins(1)");
    CHECK(s.take() == "C:INSERT 0 1 Z:I C:INSERT 0 1 Z:I C:INSERT 0 1 Z:I");
    CHECK(s.submitted.size() == 2);
  }
}

TEST_CASE("execute: a portal bound before its name changed is refused") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.primary.when("pg_prepared_statements", {{}, {}, "SELECT 0", ""});
    std::string m;
    p::write_parse(m, "e", "EXECUTE ins(1)");
    p::write_bind(m, "e", "e");
    p::write_parse(m, "", prepare);
    p::write_bind(m, "", "");
    p::write_execute(m, "");
    p::write_execute(m, "e");
    p::write_sync(m);
    s.send(m);
    CHECK(s.take() == "1 2 1 2 C:PREPARE E:0A000 Z:I");
    CHECK_FALSE(heard(s, "EXECUTE ins"));
    CHECK(s.session().idle());
  }
}

TEST_CASE("execute: in a failed block the primary refuses it") {
  stage s;
  teach(s);
  s.primary.when("pg_prepared_statements", recalled(prepare));
  s.primary.when("boom", {{}, {}, "", "22012"});
  s.query("BEGIN");
  s.query("SELECT boom");
  s.query("EXECUTE ins(1)");
  s.send(run("EXECUTE ins(1)"));
  s.query("ROLLBACK; EXECUTE ins(1)");
  CHECK(s.take() == "C:BEGIN Z:T E:22012 Z:E E:25P02 Z:E E:25P02 Z:E C:ROLLBACK C:INSERT 0 1 Z:I");
  CHECK(s.submitted.size() == 1);
}

TEST_CASE("execute: twins that are not needed any more are closed") {
  stage s;
  teach(s);
  s.primary.for_now("pg_prepared_statements", recalled(prepare));
  s.query("EXECUTE ins(1)");
  s.query("DEALLOCATE ins");
  s.primary.no_more();
  s.primary.when("pg_prepared_statements", recalled("PREPARE ret AS INSERT INTO t VALUES (1, 10) RETURNING id", true, ""));
  s.query("EXECUTE ret");
  CHECK_FALSE(s.primary.has("ins_pgtandem"));
  CHECK(s.primary.has("ret_pgtandem"));
}

TEST_CASE("execute: the primary is lost behind any message") {
  int lost = 0;
  for (int after = 0; after < 40; ++after) {
    INFO(after);
    stage s;
    teach(s);
    s.primary.when("pg_prepared_statements", recalled(prepare));
    s.primary.mute_after = after;
    s.query("EXECUTE ins(1)");
    std::string said = s.take();
    bool committed = said == "C:INSERT 0 1 Z:I";
    if (!committed) CHECK(said.empty());
    if (!committed) ++lost;
    s.session().primary_closed("gone");
    s.pump();
    CHECK(s.closed);
    const std::string why = s.take();
    if (!committed) CHECK((why == "E:08006" || why == "E:57P01" || why == "E:08007"));
    CHECK(s.submitted.size() <= 1);
  }
  CHECK(lost > 10);
  CHECK(lost < 40);
}
