// Transcripts of a write without RETURNING whose portal is executed again: PostgreSQL says 55000, the transaction
// fails.
#include <catch2/catch.hpp>

#include "protocol/error_response.hpp"
#include "protocol/frontend_messages.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::begin;
using test::execute;
using test::pieces;
using test::stage;
using test::synced;
using test::whole;
namespace p = protocol;

namespace {

constexpr const char* update = "UPDATE t SET v = 2 WHERE id = 1";

void teach(stage& s) {
  s.primary.when("UPDATE t SET v = 2", {{"row"}, {{"(100,3,1,2)"}}, "UPDATE 1", ""});
  s.primary.when("DELETE FROM t", {{}, {}, "", "22012"});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
  s.primary.once_per_portal = true;
}


struct conversation {
  std::vector<std::string> said;
  const char* heard;
  std::size_t ops;
};
}  // namespace

TEST_CASE("spent portal: refused as PostgreSQL refuses it, and nothing of the transaction stays") {
  const conversation rows[] = {
      {{whole(update) + execute() + synced()}, "1 2 C:UPDATE 1 E:55000 Z:I", 0},
      {{whole(update, "p") + execute("p", 1) + whole("SELECT 1") + synced()}, "1 2 C:UPDATE 1 E:55000 Z:I", 0},
      {{whole(update, "p") + whole("SELECT 1") + execute("p") + synced()},
       "1 2 C:UPDATE 1 1 2 D,1 C:SELECT 1 E:55000 Z:I",
       0},
      // another Bind, another portal
      {{whole(update) + whole(update) + synced()}, "1 2 C:UPDATE 1 1 2 C:UPDATE 1 Z:I", 1},
      // in a block, from one pipeline to the next
      {{whole("BEGIN") + synced(), whole(update, "p") + synced(), execute("p") + synced(), execute("p") + synced(),
        whole("COMMIT") + synced()},
       "1 2 C:BEGIN Z:T 1 2 C:UPDATE 1 Z:T E:55000 Z:E E:25P02 Z:E 1 2 C:ROLLBACK Z:I",
       0},
      // what is skipped has not run
      {{whole("BEGIN") + synced(), begin(update, "p") + synced(), whole("SAVEPOINT s") + synced(),
        whole("DELETE FROM t") + execute("p") + synced(), whole("ROLLBACK TO s") + synced(), execute("p") + synced(),
        whole("COMMIT") + synced()},
       "1 2 C:BEGIN Z:T 1 2 Z:T 1 2 C:SAVEPOINT Z:T 1 2 E:22012 Z:E 1 2 C:ROLLBACK Z:T C:UPDATE 1 Z:T 1 2 C:COMMIT Z:I",
       1},
      // what has run stays spent
      {{whole("BEGIN") + synced(), begin(update, "p") + synced(), whole("SAVEPOINT s") + synced(),
        execute("p") + execute("p") + whole("SELECT 1") + synced(), whole("ROLLBACK TO s") + synced(),
        execute("p") + synced(), whole("ROLLBACK TO s") + synced(), whole(update) + synced(),
        whole("COMMIT") + synced()},
       "1 2 C:BEGIN Z:T 1 2 Z:T 1 2 C:SAVEPOINT Z:T C:UPDATE 1 E:55000 Z:E 1 2 C:ROLLBACK Z:T E:55000 Z:E 1 2 "
       "C:ROLLBACK Z:T 1 2 C:UPDATE 1 Z:T 1 2 C:COMMIT Z:I",
       1},
  };
  for (std::size_t piece : pieces)
    for (const conversation& row : rows) {
      stage s(test::mirrored_world(), piece);
      teach(s);
      for (const std::string& m : row.said) s.send(m);
      CHECK(s.take() == row.heard);
      REQUIRE(s.submitted.size() == row.ops);
      for (const auto& op : s.submitted) CHECK(op->effects.size() == (row.ops == 1 && row.said.size() == 1 ? 2 : 1));
      CHECK(s.session().idle());
    }
}

TEST_CASE(
    "spent portal: behind a write that cannot be mirrored, as any error of the primary there, it is heard by nobody") {
  for (std::size_t piece : pieces)
    for (const std::string& behind : {whole("DELETE FROM t"), whole(update) + execute()}) {
      stage s(test::mirrored_world(), piece);
      s.primary.when("UPDATE t SET v = 3", {{"row"}, {{"no image"}}, "UPDATE 1", ""});
      teach(s);
      s.send(whole("UPDATE t SET v = 3") + behind + synced() + whole("SELECT 1") + synced());
      CHECK(s.take() == "1 2 E:XX000 Z:I 1 2 D,1 C:SELECT 1 Z:I");
      CHECK(s.submitted.empty());
      CHECK(s.session().idle());
    }
}

TEST_CASE("spent portal: the primary is lost behind any message") {
  int answered = 0;
  for (int after = 0; after < 40; ++after) {
    INFO(after);
    stage s;
    teach(s);
    s.primary.mute_after = after;
    s.send(whole(update) + execute() + synced());
    if (s.take() == "1 2 C:UPDATE 1 E:55000 Z:I") ++answered;
    s.session().primary_closed("gone");
    s.pump();
    CHECK(s.closed);
    CHECK(s.submitted.empty());
  }
  CHECK(answered > 10);
  CHECK(answered < 30);
}
