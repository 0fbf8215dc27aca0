#include "proxy/apply/table_sql.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/apply/tables.hpp"

using namespace pgtandem;

TEST_CASE("the statements of a table") {
  struct row {
    const char* columns;
    bool deferrable, referenced;
    std::vector<std::string> upsert;
    const char* remove;
  };
  const row table[] = {
      {"id*:integer v:text",
       false,
       false,
       {R"(INSERT INTO s.t ("id", "v") OVERRIDING SYSTEM VALUE SELECT u.x0, u.x1 FROM unnest($1::integer[], $2::text[]) AS u(x0, x1) ON CONFLICT ("id") DO UPDATE SET "v" = excluded."v")"},
       R"(DELETE FROM s.t AS t USING unnest($1::integer[]) AS u(x0) WHERE t."id" = u.x0)"},
      {"a*:integer b*:s.\"My\"",
       false,
       false,
       {R"(INSERT INTO s.t ("a", "b") OVERRIDING SYSTEM VALUE SELECT u.x0, (('{"' || replace(replace(u.x1, E'\\', E'\\\\'), '"', E'\\"') || '"}')::s."My"[])[1] FROM unnest($1::integer[], $2::text[]) AS u(x0, x1) ON CONFLICT ("a", "b") DO UPDATE SET "a" = excluded."a", "b" = excluded."b")"},
       R"(DELETE FROM s.t AS t USING unnest($1::integer[], $2::text[]) AS u(x0, x1) WHERE t."a" = u.x0 AND t."b" = (('{"' || replace(replace(u.x1, E'\\', E'\\\\'), '"', E'\\"') || '"}')::s."My"[])[1])"},
      {"g=:integer id*:integer v:text",
       false,
       false,
       {R"(INSERT INTO s.t ("id", "v") OVERRIDING SYSTEM VALUE SELECT u.x1, u.x2 FROM unnest($1::integer[], $2::text[]) AS u(x1, x2) ON CONFLICT ("id") DO UPDATE SET "v" = excluded."v")"},
       R"(DELETE FROM s.t AS t USING unnest($1::integer[]) AS u(x1) WHERE t."id" = u.x1)"},
      {"id*:integer v:text",
       true,
       false,
       {R"(UPDATE s.t AS t SET "v" = u.x1 FROM unnest($1::integer[], $2::text[]) AS u(x0, x1) WHERE t."id" = u.x0)",
        R"(INSERT INTO s.t ("id", "v") OVERRIDING SYSTEM VALUE SELECT u.x0, u.x1 FROM unnest($1::integer[], $2::text[]) AS u(x0, x1) WHERE NOT EXISTS (SELECT FROM s.t AS t WHERE t."id" = u.x0))"},
       R"(DELETE FROM s.t AS t USING unnest($1::integer[]) AS u(x0) WHERE t."id" = u.x0)"},
      {"id!*:integer v:text",
       false,
       false,
       {R"(INSERT INTO s.t ("id", "v") OVERRIDING SYSTEM VALUE SELECT u.x0, u.x1 FROM unnest($1::integer[], $2::text[]) AS u(x0, x1) ON CONFLICT ("id") DO UPDATE SET "v" = excluded."v")"},
       R"(DELETE FROM s.t AS t USING unnest($1::integer[]) AS u(x0) WHERE t."id" = u.x0)"},
      {"id!*:integer",
       false,
       false,
       {R"(DELETE FROM s.t AS t USING unnest($1::integer[]) AS u(x0) WHERE t."id" = u.x0)",
        R"(INSERT INTO s.t ("id") OVERRIDING SYSTEM VALUE SELECT u.x0 FROM unnest($1::integer[]) AS u(x0))"},
       R"(DELETE FROM s.t AS t USING unnest($1::integer[]) AS u(x0) WHERE t."id" = u.x0)"},
      {"id*:integer n!:integer v:text",
       false,
       true,
       {R"(INSERT INTO s.t ("id", "n", "v") OVERRIDING SYSTEM VALUE SELECT u.x0, u.x1, u.x2 FROM unnest($1::integer[], $2::integer[], $3::text[]) AS u(x0, x1, x2) ON CONFLICT ("id") DO UPDATE SET "v" = excluded."v")",
        R"(SELECT 1 / (count(*) = 0)::int FROM unnest($1::integer[], $2::integer[], $3::text[]) AS u(x0, x1, x2) JOIN s.t AS t ON t."id" = u.x0 WHERE t."n" <> u.x1)"},
       R"(DELETE FROM s.t AS t USING unnest($1::integer[]) AS u(x0) WHERE t."id" = u.x0)"},
      {"v:text",
       false,
       false,
       {R"(INSERT INTO s.t ("v") OVERRIDING SYSTEM VALUE SELECT u.x0 FROM unnest($1::text[]) AS u(x0))"},
       nullptr},
  };
  for (const row& r : table) {
    INFO(r.columns);
    auto t = test::make_table("s.t", r.columns);
    t->key_deferrable = r.deferrable;
    if (r.referenced) t->referenced_by.emplace_back();
    apply::table_sql_cache cache;
    const apply::table_sql& s = cache.of(t);
    std::vector<std::string> texts;
    for (const auto& u : s.upsert) texts.push_back(u->sql);
    CHECK(texts == r.upsert);
    CHECK((s.remove ? s.remove->sql : "") == (r.remove ? r.remove : ""));
    CHECK(cache.of(t).upsert[0] == s.upsert[0]);  // made once
  }
}

TEST_CASE("identifiers are quoted whatever they hold") {
  CHECK(apply::quoted("a") == "\"a\"");
  CHECK(apply::quoted("a\"b c") == "\"a\"\"b c\"");
}
