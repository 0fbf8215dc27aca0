#include "proxy/sql/sql_comments.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::sql;

TEST_CASE("an idempotency key is read from comments only") {
  struct row {
    const char *sql, *key;  // nullptr = none
  };
  const row rows[] = {
      {"SELECT 1", nullptr},
      {"/* idempotency_key='a' */ SELECT 1", "a"},
      {"SELECT 1 /*idempotency_key='a'*/", "a"},
      {"SELECT 1 /* idempotency_key = 'a b' */", "a b"},
      {"SELECT 1 /*action='x',idempotency_key='a%2Fb%20c',route='%2F'*/", "a/b c"},
      {"SELECT 1 /*action='x', idempotency_key='a'*/", "a"},
      {"SELECT 1 /*idempotency_key='it\\'s'*/", "it's"},
      {"SELECT 1 /*idempotency_key='50%'*/", "50%"},
      {"SELECT 1 /*idempotency_key='%zz%00'*/", "%zz%00"},
      {"/* a */ SELECT /* b /* idempotency_key='a' */ */ 1", "a"},
      {"/*idempotency_key='a'*/ SELECT 1 /*idempotency_key='b'*/", "a"},
      {"/** idempotency_key='a' */ SELECT 1", "a"},
      {"SELECT $1, $2 /*idempotency_key='a'*/", "a"},
      {"SELECT a$b$c /*idempotency_key='a'*/", "a"},
      {"SELECT 'it''s' /*idempotency_key='a'*/", "a"},
      {"SELECT 1 - 2 / 3 -- x\n/*idempotency_key='a'*/", "a"},
      // not a key
      {"SELECT 1 /*my_idempotency_key='a'*/", nullptr},
      {"SELECT 1 /*idempotency_key_x='a'*/", nullptr},
      {"SELECT 1 /*idempotency_key='a", nullptr},
      {"SELECT 1 /*idempotency_key='a */", nullptr},
      {"SELECT 1 /*idempotency_key=''*/", nullptr},
      {"SELECT 1 /*idempotency_key=a*/", nullptr},
      {"SELECT 1 /*idempotency_key*/", nullptr},
      // not a comment
      {"SELECT '/*idempotency_key=''a''*/'", nullptr},
      {"SELECT E'\\'/*idempotency_key=''a''*/'", nullptr},
      {"SELECT '\\' /*idempotency_key='a'*/", "a"},
      {"SELECT \"/*idempotency_key='a'*/\"", nullptr},
      {"SELECT $$/*idempotency_key='a'*/$$", nullptr},
      {"SELECT $x$ $y$ /*idempotency_key='a'*/$x$", nullptr},
      {"SELECT 1 -- /*idempotency_key='a'*/", nullptr},
  };
  CHECK_FALSE(find_idempotency_key("SELECT '\\' /*idempotency_key=''a''*/'", false));
  for (const row& r : rows) {
    INFO(r.sql);
    const std::optional<std::string> key = find_idempotency_key(r.sql);
    CHECK(key.has_value() == (r.key != nullptr));
    if (key && r.key) CHECK(*key == r.key);
  }
}
