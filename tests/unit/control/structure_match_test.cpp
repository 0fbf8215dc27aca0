#include "proxy/control/structure_match.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/control/migration_fixture.hpp"

using namespace pgtandem;
using control::place;
using control::verdict;

namespace {

database::structure one(std::string_view kind, const std::string& definition, int version = 15) {
  database::structure s{{{"table", "public.t", "", ""}}, version};
  if (!kind.empty()) s.facts.push_back({std::string(kind), "public.t", "x", definition});
  return s;
}

verdict found(const database::structure& p, const database::structure& s) {
  auto all = control::compare_structure(p, s);
  REQUIRE(all.size() <= 1);
  return all.empty() ? verdict::fine : all[0].what;
}

}  // namespace

TEST_CASE("every rule says what a difference does") {
  std::set<std::string_view> kinds;
  for (const control::structure_rule& r : control::structure_rules()) {
    INFO(r.kind);
    CHECK(kinds.insert(r.kind).second);
    CHECK(found(one(r.kind, "a"), one("", "")) == r.missing);
    CHECK(found(one("", ""), one(r.kind, "a")) == r.extra);
    CHECK(found(one(r.kind, "a"), one(r.kind, "b")) == r.other);
    CHECK(found(one(r.kind, "a"), one(r.kind, "a")) == r.same);
    const verdict elsewhere = r.other == verdict::fine || !r.by_text ? r.other : verdict::warns;
    CHECK(found(one(r.kind, "a"), one(r.kind, "b", 16)) == elsewhere);
  }
}

TEST_CASE("what a table promises that one side lacks is not listed") {
  CHECK(control::compare_structure(one("foreign key", "a"), {{}, 15}).empty());
  CHECK(control::compare_structure({{}, 15}, one("foreign key", "a")).empty());
}

TEST_CASE("differences are found in two servers' catalogs") {
  test::migration m("c_structure");
  const std::string tables =
      "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN small AS int CHECK (VALUE < 9); CREATE SEQUENCE lone; "
      "CREATE TABLE p (id bigserial PRIMARY KEY, v varchar(20) NOT NULL DEFAULT 'x' CHECK (length(v) < 10), u int UNIQUE, m mood, d small, "
      "n int GENERATED ALWAYS AS IDENTITY, g int GENERATED ALWAYS AS (u * 2) STORED, EXCLUDE USING btree (u WITH =)); "
      "CREATE INDEX plain ON p (v); CREATE UNIQUE INDEX part ON p (v) WHERE u > 3; "
      "CREATE TABLE \"C h\" (id int PRIMARY KEY, pid bigint REFERENCES p ON DELETE CASCADE); CREATE UNLOGGED TABLE unl (id int PRIMARY KEY);";
  for (place p : {place::source, place::target}) m.run(p, tables);
  const auto look = [&](place p, const std::vector<std::string>& exclude) {
    auto c = database::connection::open(test::conninfo_of(p, m.database()));
    REQUIRE(c);
    auto s = database::read_structure(*c, exclude);
    REQUIRE(s);
    CHECK(!c->in_transaction());
    return *s;
  };
  const auto texts = [&](const std::vector<std::string>& exclude = {}) {
    return control::texts_of(control::compare_structure(look(place::source, exclude), look(place::target, exclude)), verdict::warns);
  };
  const std::vector<std::string> calm{"public.unl: UNLOGGED (a crash empties it)"};
  CHECK(texts() == calm);
  struct row {
    std::string change, undo, said;   // said: how the line begins
  };
  const std::string fk = "ALTER TABLE \"C h\" DROP CONSTRAINT \"C h_pid_fkey\"", fk_head = "public.\"C h\": foreign key FOREIGN KEY (pid) REFERENCES public.p(id)";
  const std::string again = fk + ", ADD CONSTRAINT \"C h_pid_fkey\" FOREIGN KEY (pid) REFERENCES p ON DELETE CASCADE";
  const row rows[] = {
      {fk, "ALTER TABLE \"C h\" ADD CONSTRAINT \"C h_pid_fkey\" FOREIGN KEY (pid) REFERENCES p ON DELETE CASCADE NOT VALID", fk_head + " is missing"},
      {fk + ", ADD CONSTRAINT \"C h_pid_fkey\" FOREIGN KEY (pid) REFERENCES p", again, fk_head + " is \"FOREIGN KEY (pid) REFERENCES public.p(id)\" on"},
      {"ALTER TABLE p DROP CONSTRAINT p_u_key", "ALTER TABLE p ADD UNIQUE (u)", "public.p: unique index btree (u) is missing"},
      {"CREATE UNIQUE INDEX more ON p (v, u)", "DROP INDEX more", "public.p: unique index btree (v, u) is on the secondary only"},
      {"DROP INDEX part", "CREATE UNIQUE INDEX named_otherwise ON p (v) WITH (fillfactor = 70) WHERE u > 3",
       "public.p: unique index with an expression btree (v) WHERE (u > 3) is missing"},
      {"DROP INDEX plain", "CREATE INDEX plain2 ON p (v)", ""},
      {"ALTER TABLE p DROP CONSTRAINT p_u_excl", "ALTER TABLE p ADD EXCLUDE USING btree (u WITH =)", "public.p: exclusion constraint"},
      {"ALTER TABLE p ALTER v DROP NOT NULL", "ALTER TABLE p ALTER v SET NOT NULL", "public.p: NOT NULL v is missing"},
      {"ALTER TABLE p ALTER u SET NOT NULL", "ALTER TABLE p ALTER u DROP NOT NULL", "public.p: NOT NULL u is on the secondary only"},
      {"ALTER TABLE p DROP CONSTRAINT p_v_check", "ALTER TABLE p ADD CHECK (length(v) < 10) NOT VALID", "public.p: check CHECK"},
      {"ALTER TABLE p ALTER v DROP DEFAULT", "ALTER TABLE p ALTER v SET DEFAULT 'x'", "public.p: default v is missing"},
      {"ALTER TABLE p ALTER v SET DEFAULT 'y'", "ALTER TABLE p ALTER v SET DEFAULT 'x'", "public.p: default v is \"'y'"},
      // An identity column that takes its values from a sequence of the same name is as good as a serial one.
      {"ALTER TABLE p ALTER id DROP DEFAULT; DROP SEQUENCE p_id_seq; ALTER TABLE p ALTER id ADD GENERATED BY DEFAULT AS IDENTITY", "SELECT 1", ""},
      {"ALTER TABLE p ALTER n SET GENERATED BY DEFAULT", "ALTER TABLE p ALTER n SET GENERATED ALWAYS", "public.p: GENERATED ALWAYS AS IDENTITY n is missing"},
      {"ALTER TABLE p DROP g, ADD g int GENERATED ALWAYS AS (u * 3) STORED", "ALTER TABLE p DROP g, ADD g int GENERATED ALWAYS AS (u * 2) STORED",
       "public.p: generated column g is \"(u * 3)\""},
      {"ALTER DOMAIN small DROP CONSTRAINT small_check", "ALTER DOMAIN small ADD CHECK (VALUE < 9)", "public.small: domain is \"integer\""},
      {"ALTER SEQUENCE lone INCREMENT 5", "ALTER SEQUENCE lone INCREMENT 1", "public.lone: sequence is"},
      {"ALTER SEQUENCE lone CYCLE", "ALTER SEQUENCE lone NO CYCLE", "public.lone: sequence is"},
      {"CREATE TRIGGER mine BEFORE UPDATE ON p FOR EACH ROW EXECUTE FUNCTION f()", "DROP TRIGGER mine ON p", "public.p: trigger mine is on the secondary only"},
      {"ALTER TABLE p SET UNLOGGED", "ALTER TABLE p SET LOGGED", "public.p: UNLOGGED (a crash empties it) is on the secondary only"},
      {"ALTER TYPE mood ADD VALUE 'zz' BEFORE 'a'", "SELECT 1", "public.mood: enum is \"'zz', 'a', 'b'\""},   // for good
  };
  for (const row& r : rows) {
    if (r.change.find("SET UNLOGGED") != std::string::npos) m.run(place::target, "ALTER TABLE \"C h\" SET UNLOGGED");
    m.run(place::target, r.change);
    INFO(r.change);
    std::vector<std::string> more;
    for (std::string& text : texts())
      if (text != calm[0] && text.find("\"C h\": UNLOGGED") == std::string::npos) more.push_back(text);
    CHECK(more.size() == (r.said.empty() ? 0 : 1));
    if (more.size() == 1) CHECK(more[0].substr(0, r.said.size()) == r.said);
    m.run(place::target, r.undo);
    if (r.change.find("SET UNLOGGED") != std::string::npos) m.run(place::target, "ALTER TABLE \"C h\" SET LOGGED");
  }
  // What sessions are given. The values are not told.
  const std::string in_database = m.database(), settings[] = {"ALTER DATABASE " + in_database + " SET search_path = app, public",
      "ALTER ROLE postgres IN DATABASE " + in_database + " SET TimeZone = 'Asia/Tokyo'", "ALTER ROLE lone_role SET work_mem = '7MB'"};
  m.run(place::source, "CREATE ROLE lone_role LOGIN");
  const std::string missing = "role lone_role: login is missing on the secondary";
  const auto others = [&] {
    std::string out;
    for (const std::string& text : texts())
      if (text.starts_with("role ") || text.starts_with("database")) out += text + "|";
    return out;
  };
  CHECK(others() == missing + "|");
  for (const std::string& sql : settings) m.run(place::source, sql);
  CHECK(others() == missing + "|database: setting search_path is missing on the secondary|role postgres: setting TimeZone in this database is missing on the secondary|");
  m.run(place::target, "CREATE ROLE lone_role LOGIN CONNECTION LIMIT 3; ALTER ROLE lone_role SET work_mem = '8MB'; " + settings[0]);
  CHECK(others() == "role lone_role: login is \"CONNECTION LIMIT 3\" on the secondary instead of \"CONNECTION LIMIT -1\"|"
                    "role lone_role: setting work_mem is another on the secondary|role postgres: setting TimeZone in this database is missing on the secondary|");
  for (place p : {place::source, place::target})
    m.run(p, "DROP ROLE lone_role; ALTER DATABASE " + in_database + " RESET ALL; ALTER ROLE postgres IN DATABASE " + in_database + " RESET ALL");
  CHECK(others() == "");
  m.run(place::target, fk);
  CHECK(texts({"public.p", "public.mood", "public.unl"}).empty());   // a foreign key to what is excluded cannot be there
}
