// Idempotency keys and pipelines: several Executes before one Sync are one transaction, and have one key.
#include <algorithm>
#include <catch2/catch.hpp>

#include "proxy/session/keyed_outcome.hpp"
#include "tests/unit/session/keyed_world.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using session::outcome_part;
using test::begin;
using test::execute;
using test::pieces;
using test::stage;
using test::synced;
using test::whole;
namespace p = protocol;

namespace {

const std::string key = "/* idempotency_key='k1' */ ", other_key = "/* idempotency_key='k2' */ ";
const std::string one = "INSERT INTO t VALUES (1, 10)", two = "INSERT INTO t VALUES (2, 20)",
                  three = "INSERT INTO t VALUES (3, 30)";


void teach(stage& s, const std::vector<std::vector<std::string>>& claim, bool mirrored) {
  s.primary.when("claim_key", {{"a", "b", "c", "d"}, claim, "SELECT 1", ""});
  s.primary.when("record_outcome", {{"i"}, {{"283131302c332c6b312c782c2c29"}}, "SELECT 1", ""});
  // so many rows that each answer is known from the others
  for (std::size_t rows : {1, 2, 3}) {
    const std::string value = std::to_string(rows), tag = "INSERT 0 " + value;
    test::reply_rows answer{{}, {}, tag, ""};
    if (mirrored) answer.columns = {"row"};
    for (std::size_t i = 0; mirrored && i < rows; ++i) answer.rows.push_back({"(100,3," + value + std::to_string(i) + "," + value + "0)"});
    s.primary.when("VALUES (" + value + ", " + value + "0)", answer);
  }
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
}

const std::vector<std::string> fresh{"t", "t", "", "k1"};

int times_heard(const stage& s, std::string_view text) {
  return static_cast<int>(
      std::ranges::count_if(s.primary.heard, [&](const std::string& t) { return t.find(text) != std::string::npos; }));
}

session::world_ptr world_of(bool mirrored) {
  return mirrored ? test::keyed_world() : test::world_in(control::phase::passthrough);
}

}  // namespace

TEST_CASE("keyed outcome: part by part, each for its own statement") {
  const std::string outcome = std::string("C\0\0\0\6a\0", 7) + session::part_mark("two") +
                              std::string("D\0\0\0\5x", 6) + std::string("C\0\0\0\6b\0", 7) +
                              session::part_mark("three") + std::string("I\0\0\0\4", 5);
  std::string said;
  std::size_t at = 0;
  CHECK(session::take_part(outcome, at, "whatever", said) == outcome_part::found);
  CHECK(said == std::string("C\0\0\0\6a\0", 7));
  said.clear();
  CHECK(session::take_part(outcome, at, "two", said) == outcome_part::found);
  CHECK(said == std::string("D\0\0\0\5xC\0\0\0\6b\0", 13));
  std::size_t before = at;
  CHECK(session::take_part(outcome, before, "another", said) == outcome_part::another_statement);
  CHECK(session::take_part(outcome, at, "three", said) == outcome_part::found);
  CHECK(session::take_part(outcome, at, "four", said) == outcome_part::none_left);
  for (std::size_t cut = 0; cut < outcome.size(); ++cut)  // damaged: never read beyond, never without an end
    for (at = 0; session::take_part(std::string_view(outcome).substr(0, cut), at, "two", said) == outcome_part::found;)
      CHECK(at <= cut);
}

TEST_CASE("keyed pipeline: a retry hears each answer in its turn, and writes nothing") {
  struct row {
    std::string first, again;
    const char *heard, *heard_again;
  };
  const row rows[] = {
      {whole(key + one) + whole(key + two), "", "1 2 C:INSERT 0 1 1 2 C:INSERT 0 2 Z:I", ""},
      {whole(key + one) + whole(two) + whole(key + three), "", "1 2 C:INSERT 0 1 1 2 C:INSERT 0 2 1 2 C:INSERT 0 3 Z:I",
       ""},
      {begin(key + one, "a") + begin(two, "b") + execute("a") + execute("b"), "",
       "1 2 1 2 C:INSERT 0 1 C:INSERT 0 2 Z:I", ""},
      {whole(key + one) + whole("SELECT 1") + whole(two), "",
       "1 2 C:INSERT 0 1 1 2 D,1 C:SELECT 1 1 2 C:INSERT 0 2 Z:I", ""},
      // not the same pipeline
      {whole(key + one) + whole(two), whole(key + one) + whole(three), "1 2 C:INSERT 0 1 1 2 C:INSERT 0 2 Z:I",
       "1 2 C:INSERT 0 1 1 2 E:22023 Z:I"},
      {whole(key + one), whole(key + one) + whole(key + two), "1 2 C:INSERT 0 1 Z:I",
       "1 2 C:INSERT 0 1 1 2 E:22023 Z:I"},
      {whole(key + one) + whole(two), whole(key + one), "1 2 C:INSERT 0 1 1 2 C:INSERT 0 2 Z:I",
       "1 2 C:INSERT 0 1 Z:I"},
      {whole(key + one), whole(key + two), "1 2 C:INSERT 0 1 Z:I", "1 2 E:22023 Z:I"},
      // what was written before the key came would be written again
      {whole(one) + whole(key + two), "", "1 2 C:INSERT 0 1 1 2 C:INSERT 0 2 Z:I", "1 2 C:INSERT 0 1 1 2 E:23505 Z:I"},
  };
  for (std::size_t piece : pieces)
    for (bool mirrored : {true, false})
      for (const row& r : rows) {
        INFO(r.heard);
        INFO(mirrored);
        INFO(piece);
        stage s(world_of(mirrored), piece), retry(world_of(mirrored), piece);
        teach(s, {fresh}, mirrored);
        s.send(r.first + synced());
        CHECK(s.take() == r.heard);
        CHECK(s.submitted.size() == (mirrored ? 1 : 0));
        CHECK(times_heard(s, "claim_key") == 1);
        const bool same_first = r.again.empty() || r.again.starts_with(whole(key + one));
        teach(retry, {{"f", same_first ? "t" : "f", test::recorded(s), "k1"}}, mirrored);
        retry.send((r.again.empty() ? r.first : r.again) + synced());
        CHECK(retry.take() == (*r.heard_again ? r.heard_again : r.heard));
        CHECK(retry.submitted.empty());
        CHECK(retry.session().idle());
      }
}

TEST_CASE("keyed pipeline: a second key is refused, and nothing stays") {
  struct row {
    std::vector<std::string> said;
    const char* heard;
  };
  const std::string begun = whole("BEGIN") + synced(), rolled_back = whole("ROLLBACK") + synced();
  const row rows[] = {
      {{whole(key + one) + whole(other_key + two) + synced()}, "1 2 C:INSERT 0 1 1 2 E:0A000 Z:I"},
      {{begun, whole(key + one) + synced(), whole(other_key + two) + synced(), rolled_back},
       "1 2 C:BEGIN Z:T 1 2 C:INSERT 0 1 Z:T 1 2 E:0A000 Z:E 1 2 C:ROLLBACK Z:I"},
  };
  for (std::size_t piece : pieces)
    for (bool mirrored : {true, false})
      for (const row& r : rows) {
        INFO(r.heard);
        stage s(world_of(mirrored), piece);
        teach(s, {fresh}, mirrored);
        for (const std::string& m : r.said) s.send(m);
        CHECK(s.take() == r.heard);
        CHECK(s.submitted.empty());
        CHECK(s.session().idle());
      }
}

TEST_CASE("keyed pipeline: a second key in a block of Query messages is refused") {
  for (std::size_t piece : pieces)
    for (bool mirrored : {true, false}) {
      stage s(world_of(mirrored), piece);
      teach(s, {fresh}, mirrored);
      s.query("BEGIN");
      s.query(key + one);
      s.query(key + two);
      s.query(other_key + three);
      s.query("COMMIT");
      CHECK(s.take() == "C:BEGIN Z:T C:INSERT 0 1 Z:T C:INSERT 0 2 Z:T E:0A000 Z:E C:ROLLBACK Z:I");
      CHECK(s.submitted.empty());
    }
}

TEST_CASE("keyed pipeline: a key behind a write that had none is claimed all the same") {
  for (std::size_t piece : pieces) {
    stage s(world_of(true), piece);
    teach(s, {fresh}, true);
    s.primary.for_now("claim_key", {{"a", "b", "c", "d"}, {}, "SELECT 0", ""});  // no key is set
    s.query("SET pgtandem.idempotency_key = ''");
    std::string m = whole(one);
    p::write_flush(m);
    s.send(m);
    s.primary.no_more();
    s.send(whole(key + two) + synced());
    CHECK(s.take() == "C:SET Z:I 1 2 C:INSERT 0 1 1 2 C:INSERT 0 2 Z:I");
    CHECK(times_heard(s, "claim_key") == 2);
    CHECK(times_heard(s, "record_outcome") == 1);
  }
}

TEST_CASE("keyed pipeline: a claim goes with what it is part of, and is made again") {
  const std::string begun = whole("BEGIN") + synced(), saved = whole("SAVEPOINT s") + synced();
  const std::string undone = whole("ROLLBACK TO s") + synced(), write = whole(key + one) + synced();
  struct row {
    std::vector<std::string> said;
    const char* heard;
    int claims, records;
  };
  const row rows[] = {
      {{begun, write, whole("ROLLBACK") + synced(), write},
       "1 2 C:BEGIN Z:T 1 2 C:INSERT 0 1 Z:T 1 2 C:ROLLBACK Z:I 1 2 C:INSERT 0 1 Z:I",
       2,
       1},
      {{begun, saved, write, undone, whole("COMMIT") + synced()},
       "1 2 C:BEGIN Z:T 1 2 C:SAVEPOINT Z:T 1 2 C:INSERT 0 1 Z:T 1 2 C:ROLLBACK Z:T 1 2 C:COMMIT Z:I",
       1,
       0},
      {{begun, saved, write, undone, write, whole("COMMIT") + synced()},
       "1 2 C:BEGIN Z:T 1 2 C:SAVEPOINT Z:T 1 2 C:INSERT 0 1 Z:T 1 2 C:ROLLBACK Z:T 1 2 C:INSERT 0 1 Z:T 1 2 C:COMMIT "
       "Z:I",
       2,
       1},
      {{begun, write, saved, undone, whole("COMMIT") + synced()},
       "1 2 C:BEGIN Z:T 1 2 C:INSERT 0 1 Z:T 1 2 C:SAVEPOINT Z:T 1 2 C:ROLLBACK Z:T 1 2 C:COMMIT Z:I",
       1,
       1},
      {{begun, saved, write, whole("RELEASE s") + synced(), saved, undone, whole("COMMIT") + synced()},
       "1 2 C:BEGIN Z:T 1 2 C:SAVEPOINT Z:T 1 2 C:INSERT 0 1 Z:T 1 2 C:RELEASE Z:T 1 2 C:SAVEPOINT Z:T 1 2 C:ROLLBACK "
       "Z:T 1 2 C:COMMIT Z:I",
       1,
       1},
  };
  for (std::size_t piece : pieces)
    for (bool mirrored : {true, false})
      for (const row& r : rows) {
        stage s(world_of(mirrored), piece);
        teach(s, {fresh}, mirrored);
        for (const std::string& m : r.said) s.send(m);
        CHECK(s.take() == r.heard);
        CHECK(times_heard(s, "claim_key") == r.claims);
        CHECK(times_heard(s, "record_outcome") == r.records);
      }
}

TEST_CASE("keyed block: of one over several messages the fact is kept, and its retry writes nothing") {
  for (std::size_t piece : pieces)
    for (bool mirrored : {true, false})
      for (bool simple : {true, false}) {
        INFO(mirrored);
        INFO(simple);
        stage s(world_of(mirrored), piece), retry(world_of(mirrored), piece);
        auto say = [&](stage& to, const std::string& sql) { simple ? to.query(sql) : to.send(whole(sql) + synced()); };
        teach(s, {fresh}, mirrored);
        for (const std::string& sql : {std::string("BEGIN"), key + one, two, std::string("COMMIT")}) say(s, sql);
        CHECK(s.take() == (simple ? "C:BEGIN Z:T C:INSERT 0 1 Z:T C:INSERT 0 2 Z:T C:COMMIT Z:I"
                                  : "1 2 C:BEGIN Z:T 1 2 C:INSERT 0 1 Z:T 1 2 C:INSERT 0 2 Z:T 1 2 C:COMMIT Z:I"));
        CHECK(times_heard(s, "record_outcome") == 1);
        CHECK(test::recorded(s).empty());
        CHECK(s.submitted.size() == (mirrored ? 1 : 0));
        teach(retry, {{"f", "t", "", "k1"}}, mirrored);
        for (const std::string& sql : {std::string("BEGIN"), key + one, two, std::string("COMMIT")}) say(retry, sql);
        CHECK(retry.take() == (simple ? "C:BEGIN Z:T E:23505 Z:E E:25P02 Z:E C:ROLLBACK Z:I"
                                      : "1 2 C:BEGIN Z:T 1 2 E:23505 Z:E E:25P02 Z:E 1 2 C:ROLLBACK Z:I"));
        CHECK(times_heard(retry, "INSERT") == 0);
        CHECK(retry.submitted.empty());
      }
}

TEST_CASE("keyed pipeline: the primary is lost behind any message") {
  int heard_all = 0;
  for (int after = 0; after < 60; ++after) {
    INFO(after);
    stage s(world_of(true));
    teach(s, {fresh}, true);
    s.primary.mute_after = after;
    s.send(whole(key + one) + whole(two) + synced());
    if (s.take().ends_with("Z:I")) ++heard_all;
    s.session().primary_closed("gone");
    s.pump();
    CHECK(s.closed);
    CHECK(s.submitted.size() <= static_cast<std::size_t>(times_heard(s, "record_outcome")));
  }
  CHECK(heard_all > 10);
  CHECK(heard_all < 50);
}
