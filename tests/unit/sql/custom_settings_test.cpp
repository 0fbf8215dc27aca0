#include "proxy/sql/custom_settings.hpp"

#include <catch2/catch.hpp>

#include "proxy/sql/analysis.hpp"

using namespace pgtandem::sql;
using names = std::vector<std::string>;

TEST_CASE("custom settings of a body: where a name is written out") {
  struct row {
    const char* source;
    names found;
  };
  const row rows[] = {
      {"BEGIN PERFORM set_config('App.Tenant', t, false); END", {"app.tenant"}},
      {"perform pg_catalog.SET_CONFIG (\n 'a.b.c' , x, true)", {"a.b.c"}},
      {"SET app.x = 1; set session app.y to 2; SET LOCAL \"app\".\"z w\" = 3", {"app.x", "app.y", "app.z w"}},
      {"EXECUTE 'SET app.x = 1'; EXECUTE 'SELECT set_config(''app.y'', $1, false)'", {"app.x", "app.y"}},
      {"SET work_mem = '1MB'; SELECT set_config('search_path', 'a.b', false); RESET app.x", {}},
      {"PERFORM set_config('app.' || t, 'x', false); set_config(", {"app."}},
      {"reset_config('a.b'); offset a.b; \"set", {}},
      {"", {}},
  };
  for (const row& r : rows) {
    INFO(r.source);
    CHECK(custom_settings_in(r.source) == r.found);
  }
}

TEST_CASE("the settings that a statement makes: by name, by parameter, by a name that stands nowhere") {
  struct row {
    const char* sql;
    names settings;
    std::vector<int> parameters;
    bool computed;
  };
  const row rows[] = {
      {"SELECT set_config('b.c', 'x', false), set_config('a.b', 'x', true)", {"a.b", "b.c"}, {}, false},
      {"INSERT INTO t SELECT set_config('a.b'::text, 'x', false)", {"a.b"}, {}, false},
      {"SELECT set_config($2, $1, false)", {}, {2}, false},
      {"SELECT set_config($2::text, $1, true)", {}, {}, false},
      {"SELECT set_config(lower('A.b'), 'x', false)", {}, {}, true},
      {"SELECT set_config(lower('A.b'), 'x', $1)", {}, {}, true},
      {"SELECT set_config(setting_name => 'a.b', new_value => 'x', is_local => false)", {}, {}, true},
      {"SELECT set_config()", {}, {}, true},
      {"DO $$ BEGIN PERFORM set_config('a.b', 'x', false); END $$ LANGUAGE plpgsql", {"a.b"}, {}, false},
      {"SELECT current_setting('a.b')", {}, {}, false},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    REQUIRE(a->statements.size() == 1);
    CHECK(a->statements[0].settings == r.settings);
    CHECK(a->statements[0].setting_parameters == r.parameters);
    CHECK(a->statements[0].computed_setting == r.computed);
  }
}
