// What the proxy itself refuses is counted by the SQLSTATE that the client hears; errors of the primary are not.
#include <catch2/catch.hpp>

#include "protocol/frontend_messages.hpp"
#include "tests/unit/session/stage.hpp"

using namespace pgtandem;
using test::stage;

namespace {

session::world_ptr strict() {
  auto w = std::make_shared<session::world>(*test::mirrored_world());
  w->bounds.secondary_policy = session::policy::strict;
  return w;
}

session::world_ptr short_texts() {
  auto w = std::make_shared<session::world>(*test::mirrored_world());
  w->bounds.statement_max = 100;
  return w;
}

using counted = std::vector<std::string>;

}  // namespace

TEST_CASE("refusals: each by its SQLSTATE") {
  struct row {
    const char* what;
    session::world_ptr world;
    void (*talk)(stage&);
    std::string heard;
    counted refused;
  };
  const row rows[] = {
      {"nothing", test::mirrored_world(), [](stage& s) { s.query("SELECT 1"); }, "C:SELECT Z:I", {}},
      {"an error of the primary", test::mirrored_world(), [](stage& s) { s.query("SELECT broken"); }, "E:42703 Z:I", {}},
      {"a construct", test::mirrored_world(), [](stage& s) { s.query("DO $$ BEGIN END $$"); }, "E:0A000 Z:I", {"0A000"}},
      {"the same, extended", test::mirrored_world(),
       [](stage& s) {
         std::string m;
         protocol::write_parse(m, "", "CALL p()");
         protocol::write_bind(m, "", "");
         protocol::write_execute(m, "");
         protocol::write_sync(m);
         s.send(m);
       },
       "E:0A000 Z:I", {"0A000"}},
      {"a stale epoch", test::mirrored_world(),
       [](stage& s) {
         s.primary.drop_epoch();
         s.query("INSERT INTO t VALUES (1, 10)");
       },
       "E:40001 Z:I", {"40001"}},
      {"policy strict", strict(),
       [](stage& s) {
         s.applies = session::apply_result::refused;
         s.query("INSERT INTO t VALUES (1, 10)");
       },
       "E:58000 Z:I", {"58000"}},
      {"an image that cannot be read", test::mirrored_world(), [](stage& s) { s.query("UPDATE t SET v = 1"); }, "E:XX000 Z:I", {"XX000"}},
      {"a text that is too long", short_texts(), [](stage& s) { s.query("SELECT '" + std::string(70000, 'x') + "'"); }, "E:54000 Z:I",
       {"54000"}},
  };
  for (const row& r : rows) {
    INFO(r.what);
    stage s(r.world, 4096);   // the long text comes in pieces
    s.primary.when("broken", {{}, {}, "", "42703"});
    s.primary.when("INSERT INTO t", {{"row"}, {{"(100,3,1,10)"}}, "INSERT 0 1", ""});
    s.primary.when("UPDATE t", {{"row"}, {{"nonsense"}}, "UPDATE 1", ""});
    r.talk(s);
    CHECK(s.take() == r.heard);
    CHECK(s.session().out().counted.refused == r.refused);
  }
}
