#include "proxy/database/sequences.hpp"

#include <limits>

#include "proxy/database/schema.hpp"
#include "tests/unit/database/cluster.hpp"

using namespace pgtandem;
using test::text_of;

TEST_CASE("a position ahead stays inside the bounds") {
  constexpr auto big = std::numeric_limits<std::int64_t>::max();
  struct row {
    std::int64_t last, increment, minimum, maximum, headroom, expected;
  };
  const row table[] = {
      {5, 1, 1, big, 100, 105},  {5, 10, 1, big, 100, 1005},   {-5, -1, -big, -1, 100, -105},
      {5001, 1, 1, 9999, 10000, 5313},     // a sixteenth of the 4998 that are left
      {-5001, -1, -9999, -1, 10000, -5313},
      {5, 1, 1, 50, 100, 7},               {-5, -10, -50, -1, 100, -5},
      {big - 1, 1, 1, big, 10, big - 1},   {big, 1, 1, big, 10, big},
      {-big - 1, 1, -big - 1, big, big, -big - 1 + (1ll << 60) - 1},
      {5, big, 1, big, 10, 5},             {32767, 1, 1, 32767, 10000, 32767},
      {5, 1, 1, big, 0, 5},
  };
  for (const row& r : table) {
    database::sequence s;
    s.last_value = r.last;
    s.increment = r.increment;
    s.minimum = r.minimum;
    s.maximum = r.maximum;
    CHECK(database::position_ahead(s, r.headroom) == r.expected);
  }
}

TEST_CASE("the other side's sequences are brought ahead, and never back") {
  const char* ddl =
      "CREATE TABLE t (id serial PRIMARY KEY, other int GENERATED ALWAYS AS IDENTITY); CREATE SEQUENCE \"We ird\"; "
      "CREATE SEQUENCE down "
      "INCREMENT -2; CREATE SEQUENCE ring MAXVALUE 10 CYCLE; CREATE SEQUENCE fresh; CREATE SCHEMA audit; CREATE "
      "SEQUENCE audit.s";
  auto source = test::fresh_database("seq_source"), target = test::fresh_database("seq_target");
  REQUIRE(source.run(ddl));
  REQUIRE(target.run(ddl));
  REQUIRE(database::install(source));
  REQUIRE(
      source.run("SELECT setval('t_id_seq', 100), setval('t_other_seq', 7), nextval('\"We ird\"'), setval('down', -9), "
                 "setval('ring', 8)"));
  REQUIRE(target.run("SELECT setval('t_other_seq', 5000), setval('ring', 9); DROP SEQUENCE \"We ird\""));

  auto from = database::read_sequences(source, {"audit.*"});
  REQUIRE(from);
  CHECK(from->size() == 6);
  CHECK(database::sequences_behind(target, *from).value() ==
        std::vector<std::string>{"public.\"We ird\"", "public.down", "public.ring", "public.t_id_seq"});
  auto ahead = database::advance_sequences(target, *from, 1000);
  REQUIRE(ahead);
  CHECK(ahead->moved == 4);
  CHECK(ahead->left_alone == 1);
  CHECK(ahead->missing == std::vector<std::string>{"public.\"We ird\""});
  const char* positions =
      "SELECT nextval('t_id_seq'), nextval('t_other_seq'), nextval('down'), nextval('ring'), nextval('fresh')";
  CHECK(text_of(target.run(positions)) == "1101|5001|-2011|9|1002");

  REQUIRE(target.run("CREATE SEQUENCE \"We ird\""));
  auto exact = database::advance_sequences(target, *from, 0);
  REQUIRE(exact);
  CHECK(exact->moved == 2);  // the new one and the ring
  CHECK(text_of(target.run("SELECT nextval('\"We ird\"'), nextval('ring')")) == "2|9");
  REQUIRE(database::advance_sequences(target, *from, 0));
  CHECK(database::sequences_behind(target, *from).value().empty());
}

TEST_CASE("at the flip the sequences are set to where the other side stands, back as well") {
  const char* ddl =
      "CREATE SEQUENCE small MAXVALUE 9999; CREATE SEQUENCE down INCREMENT -1 MINVALUE -9999 MAXVALUE -1; CREATE TABLE "
      "ticket (id smallserial PRIMARY KEY); CREATE SEQUENCE again; CREATE SEQUENCE spent MAXVALUE 3";
  auto source = test::fresh_database("seq_exact_source"), target = test::fresh_database("seq_exact_target");
  REQUIRE(source.run(ddl));
  REQUIRE(target.run(ddl));
  REQUIRE(source.run("SELECT setval('small', 5001), setval('down', -5001), setval('ticket_id_seq', 25001), "
                     "setval('again', 500), setval('spent', 3)"));
  REQUIRE(database::advance_sequences(target, *database::read_sequences(source), 10000));
  CHECK(text_of(target.run("SELECT nextval('small'), nextval('down'), nextval('ticket_id_seq')")) == "5314|-5314|25487");

  REQUIRE(source.run("ALTER SEQUENCE again RESTART"));
  auto from = database::read_sequences(source);
  REQUIRE(from);
  CHECK(database::sequences_behind(target, *from).value().empty());
  auto kept = database::set_sequences(target, *from, 1000);
  REQUIRE(kept);
  CHECK(text_of(target.run("SELECT nextval('small'), nextval('again')")) == "5314|1002");
  REQUIRE(database::set_sequences(target, *from, 0));
  CHECK(text_of(target.run("SELECT nextval('small'), nextval('down'), nextval('ticket_id_seq'), nextval('again')")) ==
        "5002|-5002|25002|1");
  auto at_the_end = target.run("SELECT nextval('spent')");
  REQUIRE(!at_the_end);
  CHECK(at_the_end.error().sqlstate == "2200H");
}

TEST_CASE("sequences are moved only while the epoch stands and never past what they have reached") {
  auto here = test::fresh_database("seq_following");
  REQUIRE(here.run("CREATE SEQUENCE s; CREATE SEQUENCE down INCREMENT -1; CREATE SEQUENCE ring MAXVALUE 9 CYCLE"));
  REQUIRE(database::install(here));
  auto from = database::read_sequences(here);
  REQUIRE(from);
  for (database::sequence& s : *from) {
    s.last_value = s.increment < 0 ? -5 : 5;
    s.is_called = true;
  }
  const char* positions = "SELECT s.last_value, d.last_value, r.last_value FROM s, down d, ring r";
  const auto moved = [&](std::int32_t epoch) {
    auto r = database::advance_while_following(here, *from, 10, epoch);
    return r ? static_cast<int>(r->moved) : -1;
  };
  CHECK(moved(2) == 0);
  REQUIRE(here.run("UPDATE pgtandem.migration SET step = 'fenced'"));
  CHECK(moved(1) == 0);
  REQUIRE(here.run("UPDATE pgtandem.migration SET step = 'steady'"));

  auto flip = database::connection::open(test::shared_cluster().conninfo("seq_following"));
  REQUIRE(flip);
  REQUIRE(flip->run("BEGIN; UPDATE pgtandem.migration SET epoch = 2"));
  CHECK(moved(1) == 0);
  REQUIRE(flip->run("ROLLBACK"));
  CHECK(text_of(here.run(positions)) == "1|-1|1");

  CHECK(moved(1) == 3);
  CHECK(text_of(here.run(positions)) == "15|-15|5");
  CHECK(moved(1) == 0);
}
