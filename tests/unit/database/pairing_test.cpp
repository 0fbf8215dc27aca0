#include "proxy/database/pairing.hpp"

#include <catch2/catch.hpp>

#include "proxy/database/schema.hpp"
#include "tests/unit/database/cluster.hpp"

using namespace pgtandem;
using database::pairing;

TEST_CASE("a database may be what it says it is, and nothing else") {
  struct row {
    pairing here;
    const char* said;   // part of it; empty: it may be the source
  };
  const int now = database::schema_version;
  const row rows[] = {
      {{"1/1", 0, "", "", 0, ""}, ""},
      {{"1/1", now, "p", "source", 3, "verify"}, ""},
      {{"1/1", now, "p", "target", 3, "verify"}, "is the target of a migration"},
      {{"1/1", now, "", "", 3, "verify"}, "run pgtandem init"},
      {{"1/1", now - 1, "", "", 3, "verify"}, "run pgtandem init"},
      {{"1/1", now + 1, "p", "source", 3, "verify"}, "this program works with"},
  };
  for (const row& r : rows) {
    const std::string why = database::misplaced(r.here, "source");
    CHECK(why.empty() == std::string(r.said).empty());
    CHECK(why.find(r.said) != std::string::npos);
  }
}

TEST_CASE("two databases belong together if they carry the same pair") {
  struct row {
    pairing source, target;
    bool may;
  };
  const row rows[] = {
      {{"1/1", 2, "p", "source", 1, ""}, {"2/1", 2, "p", "target", 1, ""}, true},
      {{"1/1", 2, "p", "source", 1, ""}, {"1/2", 2, "p", "target", 1, ""}, true},   // two databases of one server
      {{"1/1", 2, "p", "source", 1, ""}, {"1/1", 2, "p", "source", 1, ""}, false},
      {{"", 2, "p", "source", 1, ""}, {"", 2, "p", "target", 1, ""}, true},         // the role may not ask
      {{"1/1", 2, "p", "source", 1, ""}, {"2/1", 2, "q", "target", 1, ""}, false},
      {{"1/1", 2, "p", "source", 1, ""}, {"2/1", 2, "", "", 1, ""}, false},
      {{"1/1", 2, "p", "source", 1, ""}, {"2/1", 0, "", "", 0, ""}, true},
      {{"1/1", 0, "", "", 0, ""}, {"1/1", 0, "", "", 0, ""}, false},
  };
  for (const row& r : rows) CHECK(database::not_a_pair(r.source, r.target).empty() == r.may);
}

TEST_CASE("what init has said is read back, of version 1 too") {
  auto c = test::fresh_database("pairing");
  CHECK_FALSE(database::read_pairing(c)->installed());
  const std::string pair = "00000000-0000-4000-8000-000000000007";
  REQUIRE(database::install(c, {pair, "target"}));
  auto self = database::read_pairing(c);
  REQUIRE(self);
  CHECK((self->pair == pair && self->place == "target" && self->epoch == 1 && self->phase == "passthrough"));
  CHECK(self->server.find('/') != std::string::npos);
  REQUIRE(c.run("ALTER TABLE pgtandem.migration DROP COLUMN pair, DROP COLUMN place; UPDATE pgtandem.version SET version = 1"));
  self = database::read_pairing(c);
  REQUIRE(self);
  CHECK((self->installed() && self->pair.empty()));
  REQUIRE(database::install(c, {pair, "target"}));
  CHECK(database::misplaced(*database::read_pairing(c), "target").empty());
}
