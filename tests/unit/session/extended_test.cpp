// Transcripts of the extended protocol, whole and cut at every byte.
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::pieces;
using test::stage;
namespace p = protocol;

namespace {

void teach(stage& s) {
  s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
  s.primary.when("UPDATE t SET v = 2 RETURNING id", {{"id", "row"}, {{"1", "(100,3,1,2)"}}, "UPDATE 1", ""});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
  s.primary.when("boom", {{}, {}, "", "22012"});
}

// Parse, Bind, Describe the portal, Execute.
std::string run(std::string_view sql, std::string_view name = "", std::int32_t rows = 0) {
  std::string m;
  p::write_parse(m, name, sql);
  p::write_bind(m, "", name);
  p::write_describe(m, p::describe_kind::portal, "");
  p::write_execute(m, "", rows);
  return m;
}
std::string synced(std::string m) {
  p::write_sync(m);
  return m;
}

}  // namespace

TEST_CASE("extended: an implicit transaction is held at its Sync") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.send(synced(run("INSERT INTO t VALUES (1, 10)")));
    CHECK(s.take() == "1 2 n C:INSERT 0 1 Z:I");
    s.send(synced(run("UPDATE t SET v = 2 RETURNING id")));
    CHECK(s.take() == "1 2 T1 D,1 C:UPDATE 1 Z:I");
    CHECK(s.submitted.size() == 2);
    CHECK(std::count(s.primary.heard.begin(), s.primary.heard.end(), "(commit)") == 2 + 1);   // and that of the question for the name
    CHECK(s.session().idle());
  }
}

TEST_CASE("extended: a pipeline is one transaction") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.send(synced(run("SELECT 1") + run("INSERT INTO t VALUES (1, 10)") + run("UPDATE t SET v = 2 RETURNING id")));
    CHECK(s.take() == "1 2 T1 D,1 C:SELECT 1 1 2 n C:INSERT 0 1 1 2 T1 D,1 C:UPDATE 1 Z:I");
    REQUIRE(s.submitted.size() == 1);
    CHECK(s.submitted[0]->effects.size() == 2);
  }
}

TEST_CASE("extended: an error skips to Sync and nothing is applied") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.send(synced(run("INSERT INTO t VALUES (1, 10)") + run("SELECT boom") + run("SELECT 1")));
    CHECK(s.take() == "1 2 n C:INSERT 0 1 1 2 n E:22012 Z:I");
    CHECK(s.submitted.empty());
    CHECK(s.session().idle());
  }
}

TEST_CASE("extended: a block, its COMMIT held") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.send(synced(run("BEGIN")));
    s.send(synced(run("INSERT INTO t VALUES (1, 10)")));
    CHECK(s.take() == "1 2 n C:BEGIN Z:T 1 2 n C:INSERT 0 1 Z:T");
    s.send(synced(run("COMMIT")));
    CHECK(s.take() == "1 2 n C:COMMIT Z:I");
    CHECK(s.submitted.size() == 1);
    CHECK(s.session().idle());
  }
}

TEST_CASE("extended: a whole block in one pipeline") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.send(synced(run("BEGIN") + run("INSERT INTO t VALUES (1, 10)") + run("COMMIT") + run("INSERT INTO t VALUES (1, 10)")));
    CHECK(s.take() == "1 2 n C:BEGIN 1 2 n C:INSERT 0 1 1 2 n C:COMMIT 1 2 n C:INSERT 0 1 Z:I");
    CHECK(s.submitted.size() == 2);
  }
}

TEST_CASE("extended: the COMMIT of a failed secondary goes through degraded, of a strict one fails") {
  for (auto policy : {session::policy::degrade, session::policy::strict})
    for (std::size_t piece : pieces) {
      auto w = std::make_shared<session::world>(*test::mirrored_world());
      w->bounds.secondary_policy = policy;
      bool strict = policy == session::policy::strict;
      stage s(w, piece);
      teach(s);
      s.applies = session::apply_result::lost;
      s.send(synced(run("INSERT INTO t VALUES (1, 10)")));
      CHECK(s.take() == (strict ? "1 2 n C:INSERT 0 1 E:58000 Z:I" : "1 2 n C:INSERT 0 1 Z:I"));
      s.send(synced(run("BEGIN")));
      s.send(synced(run("INSERT INTO t VALUES (1, 10)")));
      s.take();
      s.send(synced(run("COMMIT")));
      CHECK(s.take() == (strict ? "1 2 n E:58000 Z:I" : "1 2 n C:COMMIT Z:I"));
      CHECK(s.session().idle());
      CHECK(s.primary.status == 'I');
    }
}

TEST_CASE("extended: while the secondary is waited for, no timeout of the primary's runs on") {
  for (bool block : {false, true})
    for (bool late : {false, true}) {
      stage s;
      teach(s);
      s.answer_ops = false;
      s.send((block ? synced(run("BEGIN")) : std::string()) + run("INSERT INTO t VALUES (1, 10)") + synced(run("COMMIT")));
      s.take();
      s.session().deadline_passed();
      CHECK(s.session().out().to_primary == (block ? std::string("S\0\0\0\4H\0\0\0\4", 10) : std::string("H\0\0\0\4", 5)));
      s.pump();
      if (late) s.session().deadline_passed();
      else s.session().applied(s.submitted.at(0), {session::apply_result::applied, "", ""});
      s.pump();
      CHECK(s.take() == (block ? "C:COMMIT Z:I" : "N C:COMMIT Z:I"));
      CHECK(s.session().idle());
    }
}

TEST_CASE("extended: refusals and stale epochs end the pipeline") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    s.send(synced(run("CREATE TABLE x (a int)") + run("SELECT 1")));
    CHECK(s.take() == "E:0A000 Z:I");
    s.primary.drop_epoch();
    s.send(synced(run("INSERT INTO t VALUES (1, 10)")));
    CHECK(s.take() == "1 2 n E:40001 Z:I");
    CHECK(s.session().idle());
    CHECK(s.submitted.empty());
  }
}

TEST_CASE("extended: an untrustworthy image fails the transaction") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    s.primary.when("INSERT INTO t", {{"row"}, {{"(100,4,1,10)"}}, "INSERT 0 1", ""});
    s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
    s.send(synced(run("INSERT INTO t VALUES (1, 10)") + run("SELECT 1")));
    CHECK(s.take() == "1 2 n E:40001 Z:I");
    s.send(synced(run("SELECT 1")));
    CHECK(s.take() == "1 2 T1 D,1 C:SELECT 1 Z:I");
    CHECK(s.submitted.empty());
    CHECK(s.session().idle());
  }
}

TEST_CASE("extended: the primary's commit fails at Sync") {
  stage s;
  teach(s);
  s.send(synced(run("INSERT INTO t VALUES (1, 10)")));
  s.take();
  s.primary.fail_commit("40001");
  s.send(synced(run("INSERT INTO t VALUES (1, 10)")));
  CHECK(s.take() == "1 2 n C:INSERT 0 1 E:40001 Z:I");
  CHECK(s.session().idle());
}

TEST_CASE("extended: a statement prepared in passthrough is prepared again for dual_write, and back") {
  for (std::size_t piece : pieces) {
    stage s(test::world_in(control::phase::passthrough), piece);
    teach(s);
    std::string prepare;
    p::write_parse(prepare, "one", "INSERT INTO t VALUES (1, 10)");
    s.send(synced(prepare));
    CHECK(s.take() == "1 Z:I");
    std::string execute;
    p::write_bind(execute, "", "one");
    p::write_execute(execute, "");
    for (int round = 0; round < 2; ++round) {
      s.session().world_changed(test::world_in(control::phase::dual_write));
      s.send(synced(execute));
      CHECK(s.take() == "2 C:INSERT 0 1 Z:I");
      CHECK(s.submitted.size() == static_cast<std::size_t>(round + 1));
      s.session().world_changed(test::world_in(control::phase::passthrough));
      s.primary.heard.clear();
      s.send(synced(execute));
      s.take();
      REQUIRE(!s.primary.heard.empty());
      CHECK(s.primary.heard[0] == "INSERT INTO t VALUES (1, 10)");
    }
  }
}

TEST_CASE("extended: large parameters pass as they come and are not kept") {
  stage s(test::mirrored_world());
  teach(s);
  std::string m;
  p::write_parse(m, "", "SELECT 1");
  s.send(m);
  std::string big(1 << 20, 'x');
  std::string bind;
  std::optional<std::string_view> value(big);
  p::write_bind(bind, "", "", {&value, 1});
  for (std::size_t i = 0; i < bind.size(); i += 1000) {
    s.session().client_data(std::string_view(bind).substr(i, 1000));
    CHECK(s.session().out().to_primary.size() <= 2000 + m.size());
    s.pump();
  }
  std::string rest;
  p::write_execute(rest, "");
  s.send(synced(rest));
  CHECK(s.take() == "1 2 D,1 C:SELECT 1 Z:I");
}

TEST_CASE("a text beyond the bound is refused and skipped, in both protocols") {
  auto w = std::make_shared<session::world>(*test::mirrored_world());
  w->bounds.statement_max = 100000;
  stage s(w, 1000);
  teach(s);
  std::string big = "SELECT '" + std::string(300000, 'x') + "'";
  s.query(big);
  CHECK(s.take() == "E:54000 Z:I");
  s.send(synced(run(big)));
  CHECK(s.take() == "E:54000 Z:I");
  s.query("SELECT 1");
  CHECK(s.take() == "T1 D,1 C:SELECT 1 Z:I");
}

TEST_CASE("extended: transactions sent ahead of each other's answers") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    std::string five;
    for (int i = 0; i < 5; ++i) five += synced(run("UPDATE t SET v = 2 RETURNING id"));
    s.send(five);
    std::string one = "1 2 T1 D,1 C:UPDATE 1 Z:I";
    CHECK(s.take() == one + " " + one + " " + one + " " + one + " " + one);
    CHECK(s.submitted.size() == 5);
  }
}

TEST_CASE("an autocommit write says that its op is about to come, until it is there") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    s.answer_ops = false;
    teach(s);
    auto stands = [&] { return std::pair(s.session().about_to_submit(), s.session().commit_under_way()); };
    s.send(synced(run("SELECT 1")));
    CHECK(stands() == std::pair(false, false));
    std::string flush;
    p::write_flush(flush);
    s.send(run("INSERT INTO t VALUES (1, 10)") + flush);
    CHECK(stands() == std::pair(true, false));
    s.send(synced({}));
    CHECK(stands() == std::pair(false, true));
    s.session().applied(s.submitted.at(0), {session::apply_result::applied, "", ""});
    s.pump();
    CHECK(stands() == std::pair(false, false));
    s.query("BEGIN");
    s.query("INSERT INTO t VALUES (1, 10)");
    CHECK(stands() == std::pair(false, false));   // who knows when it commits
  }
}

TEST_CASE("a write that fails, or whose client goes, is expected no more") {
  stage s(test::mirrored_world(), 0);
  teach(s);
  std::string flush;
  p::write_flush(flush);
  s.send(run("INSERT INTO t VALUES (1, 10)") + run("boom") + flush);
  s.send(synced({}));
  CHECK_FALSE(s.session().about_to_submit());
  s.send(run("INSERT INTO t VALUES (1, 10)") + flush);
  CHECK(s.session().about_to_submit());
  s.session().client_closed();
  CHECK_FALSE(s.session().about_to_submit());
}
