// Transcripts of row limits on writes with RETURNING.
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "tests/unit/session/messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::begin;
using test::pieces;
using test::stage;
using test::synced;
namespace p = protocol;

namespace {

constexpr const char* update = "UPDATE t SET v = 2 RETURNING id";

// Three rows to the first Execute of a portal, and none to those behind it.
void teach(stage& s) {
  s.primary.when("UPDATE t SET v = 2 RETURNING id", {{"id", "row"}, {{"1", "(100,3,1,2)"}, {"2", "(100,3,2,2)"}, {"3", "(100,3,3,2)"}}, "UPDATE 3", ""});
  s.primary.when("SELECT 1", {{"?column?"}, {{"1"}}, "SELECT 1", ""});
  s.primary.once_per_portal = true;
}

std::string execute(std::int32_t rows, std::string_view portal = "") {
  std::string m;
  p::write_execute(m, portal, rows);
  return m;
}

struct limits {
  std::vector<std::int32_t> rows;
  const char* answer;
};
}  // namespace

TEST_CASE("row limit: pieces as PostgreSQL hands them out, the write once") {
  const limits rows[] = {
      {{2, 2, 2}, "1 2 D,1 D,2 s D,3 C:UPDATE 1 C:UPDATE 0 Z:I"},
      {{3, 3}, "1 2 D,1 D,2 D,3 s C:UPDATE 0 Z:I"},
      {{1, 0, 1}, "1 2 D,1 s D,2 D,3 C:UPDATE 2 C:UPDATE 0 Z:I"},
      {{4, 1}, "1 2 D,1 D,2 D,3 C:UPDATE 3 C:UPDATE 0 Z:I"},
      {{1}, "1 2 D,1 s Z:I"},
      {{-1}, "1 2 D,1 D,2 D,3 C:UPDATE 3 Z:I"},
  };
  for (std::size_t piece : pieces)
    for (const limits& row : rows) {
      INFO(row.answer);
      stage s(test::mirrored_world(), piece);
      teach(s);
      std::string m = begin(update);
      for (std::int32_t n : row.rows) m += execute(n);
      s.send(m + synced());
      CHECK(s.take() == row.answer);
      REQUIRE(s.submitted.size() == 1);
      CHECK(s.submitted[0]->effects.size() == 3);
      CHECK(s.session().idle());
    }
}

TEST_CASE("row limit: what is kept does not overtake, and goes with its portal") {
  for (std::size_t piece : pieces) {
    stage s(test::mirrored_world(), piece);
    teach(s);
    std::string closing;
    p::write_close(closing, p::describe_kind::portal, "p");
    s.send(begin(update, "p") + execute(1, "p") + begin("SELECT 1") + execute(0) + execute(1, "p") + closing + execute(1, "p") + synced());
    CHECK(s.take() == "1 2 D,1 s 1 2 D,1 C:SELECT 1 D,2 s 3 E:34000 Z:I");
    CHECK(s.submitted.empty());
    CHECK(s.session().idle());
  }
}

TEST_CASE("row limit: rows beyond dual_write.write_set_max_bytes fail the transaction") {
  for (std::size_t piece : pieces) {
    auto w = std::make_shared<session::world>(*test::mirrored_world());
    w->bounds.write_set_max = 80;
    stage s(w, piece);
    teach(s);
    s.send(begin(update) + execute(1) + execute(1) + synced());
    CHECK(s.take() == "1 2 D,1 E:54000 Z:I");
    CHECK(s.submitted.empty());
    CHECK(s.session().idle());
  }
}

TEST_CASE("row limit: FETCH beside it is refused") {
  stage s;
  teach(s);
  s.query("BEGIN");
  s.send(begin(update, "p") + execute(1, "p") + synced());
  s.query("FETCH 1 FROM p");
  s.query("ROLLBACK");
  CHECK(s.take() == "C:BEGIN Z:T 1 2 D,1 s Z:T E:0A000 Z:E C:ROLLBACK Z:I");
  s.query("FETCH 1 FROM c");
  CHECK(s.take() == "C:FETCH Z:I");
}

TEST_CASE("row limit: the primary is lost behind any message") {
  int lost = 0;
  for (int after = 0; after < 40; ++after) {
    INFO(after);
    stage s;
    teach(s);
    s.primary.mute_after = after;
    s.send(begin(update) + execute(2) + execute(2) + synced());
    const bool committed = s.take() == "1 2 D,1 D,2 s D,3 C:UPDATE 1 Z:I";
    if (!committed) ++lost;
    s.session().primary_closed("gone");
    s.pump();
    CHECK(s.closed);
    CHECK(s.submitted.size() <= 1);
  }
  CHECK(lost > 10);
  CHECK(lost < 40);
}
