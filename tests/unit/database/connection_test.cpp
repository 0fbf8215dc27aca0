#include "proxy/database/connection.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/database/cluster.hpp"

using namespace pgtandem;
using namespace std::chrono_literals;
using test::text_of;

TEST_CASE("a connection answers with rows or with an error value") {
  auto c = test::fresh_database("conn");
  CHECK(text_of(c.execute("SELECT $1::int + 1, $2::text", {"41", std::nullopt})) == "42|NULL");
  CHECK(text_of(c.run("SELECT 1; SELECT 2")) == "2");
  CHECK(text_of(c.run("SELECT 1/0; SELECT 2")).starts_with("ERROR 22012"));
  CHECK(text_of(c.run("SELECT 3")) == "3");
  CHECK(text_of(c.run("COPY pg_class TO STDOUT")).starts_with("ERROR 0A000"));
  CHECK(c.lost());
  CHECK(text_of(c.run("SELECT 3")).starts_with("ERROR 08006"));
}

TEST_CASE("a violated constraint is named") {
  auto c = test::fresh_database("conn");
  REQUIRE(c.run("CREATE TABLE t (a int CONSTRAINT t_key PRIMARY KEY); INSERT INTO t VALUES (1)"));
  auto r = c.run("INSERT INTO t VALUES (1)");
  REQUIRE(!r);
  CHECK(r.error().constraint == "t_key");
  CHECK(r.error().table == "t");
  CHECK(r.error().message.find("(1)") == std::string::npos);
  CHECK(r.error().detail.find("(1)") != std::string::npos);
}

TEST_CASE("no call waits longer than its limit, and the server ends what it began") {
  auto c = test::fresh_database("conn");
  auto watcher = database::connection::open(test::shared_cluster().conninfo("conn"));
  REQUIRE(watcher);
  const std::string pid = std::to_string(c.backend_pid());
  c.statement_limit(100ms);
  const auto start = std::chrono::steady_clock::now();
  auto r = c.run("SELECT pg_sleep(60)");
  REQUIRE(!r);
  CHECK(r.error().sqlstate == "57014");
  CHECK(r.error().lost);
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  auto gone = watcher->execute(
      "DO $$ BEGIN FOR n IN 1..100 LOOP PERFORM pg_stat_clear_snapshot(); IF NOT EXISTS (SELECT FROM pg_stat_activity "
      "WHERE query "
      "LIKE 'SELECT pg_sleep%') THEN RETURN; END IF; PERFORM pg_sleep(0.1); END LOOP; RAISE 'still there'; END $$");
  CHECK(text_of(gone) == "");
}

TEST_CASE("a connection that cannot be made is an error value") {
  auto c = database::connection::open("host=/nowhere port=1 dbname=x");
  REQUIRE(!c);
  CHECK(c.error().sqlstate == "08001");
  CHECK(c.error().lost);
  auto wrong = database::connection::open("port=5432 nonsense=1");
  REQUIRE(!wrong);
}

TEST_CASE("COPY goes both ways") {
  auto c = test::fresh_database("conn");
  REQUIRE(c.run("CREATE TABLE t (a int, b text)"));
  std::string data;
  for (int i = 0; i < 100000; ++i) data += std::to_string(i) + "\tsome text to make it long\n";
  REQUIRE(c.copy_in("COPY t FROM STDIN", data));
  int lines = 0;
  std::string first;
  REQUIRE(c.copy_out("COPY (SELECT * FROM t ORDER BY a) TO STDOUT", [&](std::string_view line) {
    if (lines++ == 0) first = line;
  }));
  CHECK(lines == 100000);
  CHECK(first == "0\tsome text to make it long\n");
  auto bad = c.copy_in("COPY t FROM STDIN", "x\ty\n");
  REQUIRE(!bad);
  CHECK(bad.error().sqlstate == "22P02");
  auto none = c.copy_in("SELECT 1", "x");
  REQUIRE(!none);
  CHECK(!none.error().lost);
  CHECK(text_of(c.run("SELECT count(*) FROM t")) == "100000");
}

TEST_CASE("a notification is heard, or the wait ends") {
  auto c = test::fresh_database("conn");
  auto other = database::connection::open(test::shared_cluster().conninfo("conn"));
  REQUIRE(other);
  REQUIRE(c.run("LISTEN pgtandem"));
  auto silence = c.wait(10ms);
  REQUIRE(silence);
  CHECK(!*silence);
  REQUIRE(other->run("NOTIFY pgtandem, 'hello'"));
  auto heard = c.wait(5s);
  REQUIRE(heard);
  REQUIRE(*heard);
  CHECK((*heard)->payload == "hello");
}

TEST_CASE("settings are in force from the first statement") {
  database::open_options o;
  o.application_name = "somebody";
  o.settings = {{"lock_timeout", "123ms"}, {"TimeZone", "UTC"}};
  auto c = database::connection::open(test::shared_cluster().conninfo(), o);
  REQUIRE(c);
  CHECK(text_of(c->run("SELECT current_setting('lock_timeout'), current_setting('TimeZone'), "
                       "current_setting('application_name')")) == "123ms|UTC|somebody");
}
