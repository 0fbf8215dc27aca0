// The SQL texts for one table, by example.
#include "reconcile/table_sql.hpp"

#include <catch2/catch.hpp>

#include "reconcile/chunk_sql.hpp"
#include "reconcile/row_hash.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;

namespace {

sql::table order_line() {
  sql::table t;
  t.qualified = "shop.\"Line\"";
  t.columns = {
      {"order", "integer"}, {"no", "numeric(4,1)"}, {"text", "character varying(9)"}, {"sum", "bigint", false, true}};
  t.key = {0, 1};
  return t;
}

}  // namespace

TEST_CASE("generated columns are not copied, and the key is found among the copied ones") {
  const sql::table t = order_line();
  CHECK(copied_columns(t) == std::vector<std::size_t>{0, 1, 2});
  CHECK(key_positions(t) == std::vector<std::size_t>{0, 1});
}

TEST_CASE("an upsert writes key columns whose equal values may differ in their text, and always something") {
  const sql::table t = order_line();
  CHECK(
      upsert(t) ==
      "INSERT INTO shop.\"Line\" AS t (\"order\", \"no\", \"text\") OVERRIDING SYSTEM VALUE SELECT q.c1, "
      "q.c2, q.c3 FROM unnest($1::integer[], $2::numeric(4,1)[], $3::character varying(9)[]) AS q(c1, c2, c3) "
      "ON CONFLICT (\"order\", \"no\") DO UPDATE SET \"no\" = excluded.\"no\", \"text\" = excluded.\"text\"");
  sql::table only_key;
  only_key.qualified = "k";
  only_key.columns = {{"id", "integer"}};
  only_key.key = {0};
  CHECK(upsert(only_key).ends_with("ON CONFLICT (\"id\") DO UPDATE SET \"id\" = excluded.\"id\""));
  only_key.columns[0].identity_always = true;  // cannot be updated
  CHECK(upsert(only_key).ends_with("DO NOTHING"));
}

TEST_CASE("rows are asked for and deleted by key, with the position of the key") {
  const sql::table t = order_line();
  CHECK(select_rows(t, row_lock::share)
            .ends_with("t.\"order\" = q.c1 AND t.\"no\" = q.c2 FOR SHARE OF t"));
  CHECK(delete_versions(t).ends_with(
      "AND t.tableoid = q.c3::oid AND t.ctid = q.c4::tid AND t.xmin = q.c5::xid RETURNING q.ord"));
}

TEST_CASE("ranges of chunks are half open") {
  const sql::table t = order_line();
  CHECK(in_range(t, "t", false, false) == "");
  CHECK(in_range(t, "t", true, true) ==
        " WHERE (t.\"order\", t.\"no\") > ($1::integer, $2::numeric(4,1)) AND (t.\"order\", t.\"no\") <= "
        "($3::integer, $4::numeric(4,1))");
  CHECK(in_range(t, "t", false, true) ==
        " WHERE (t.\"order\", t.\"no\") <= ($1::integer, $2::numeric(4,1))");
}

TEST_CASE("what is hashed of a column") {
  struct row {
    const char *type, *hashed;
  };
  for (const row& r : {row{"bigint", "t.\"c\""},
                       {"text", "textsend(t.\"c\")"},
                       {"character varying(9)", "varcharsend(t.\"c\")"},
                       {"timestamp(3) with time zone", "t.\"c\""},
                       {"numeric(10,2)", "numeric_send(t.\"c\")"},
                       {"double precision", "float8send(CASE WHEN t.\"c\" = 'NaN' THEN 'NaN' ELSE t.\"c\" END)"},
                       {"jsonb", "jsonb_send(t.\"c\")"},
                       {"character(5)", "bpcharsend(t.\"c\")"},
                       {"bpchar", "bpcharsend(t.\"c\")"},
                       {"xml", "textsend(ltrim(xml_out(t.\"c\")::text, chr(10)))"},
                       {"public.mood", "textsend(ROW(t.\"c\")::text)"},
                       {"numeric(10,2)[]", "textsend(ROW(t.\"c\")::text)"},
                       {"json", "json_send(t.\"c\")"}}) {
    sql::table t;
    t.columns = {{"c", r.type}};
    CHECK(hashed(t, {0}, "t") == r.hashed);
  }
}

TEST_CASE("a row's hash knows generated columns, and types without a rule stand in one record") {
  sql::table t;
  t.columns = {{"m", "public.mood"}, {"id", "integer"}, {"g", "text", false, true}, {"a", "integer[]"}};
  CHECK(row_hash(t, "t") ==
        "hash_record_extended(ROW(t.\"id\", textsend(t.\"g\"), textsend(ROW(t.\"m\", t.\"a\")::text)), 0)");
}

TEST_CASE("an upsert writes a text key whose collation calls different bytes equal") {
  sql::table t;
  t.qualified = "k";
  t.columns = {{"k", "text"}, {"v", "integer"}};
  t.key = {0};
  CHECK(upsert(t).ends_with("DO UPDATE SET \"v\" = excluded.\"v\""));
  t.columns[0].blurred = true;
  CHECK(upsert(t).ends_with("DO UPDATE SET \"k\" = excluded.\"k\", \"v\" = excluded.\"v\""));
}

TEST_CASE("an identity beside the key is looked for") {
  sql::table t;
  t.qualified = "k";
  t.columns = {{"id", "integer", false, false, true}, {"n", "bigint", false, false, true}};
  t.key = {0};
  CHECK(select_stale_identity(t) ==
        "SELECT q.ord FROM unnest($1::integer[], $2::bigint[]) WITH ORDINALITY AS q(c1, c2, ord) JOIN ONLY k t ON t.\"id\" = "
        "q.c1 WHERE t.\"n\" <> q.c2");
  t.key = {0, 1};
  CHECK(select_stale_identity(t).empty());
}

TEST_CASE("a plain table's rows are its own, a partitioned one's are its partitions'") {
  sql::table t = order_line();
  CHECK(select_chunk(t, false, 5).find(" FROM ONLY shop.\"Line\" t ORDER BY ") != std::string::npos);
  CHECK(delete_keys(t).starts_with("DELETE FROM ONLY shop.\"Line\" t "));
  t.kind = sql::relation_kind::partitioned;
  CHECK(select_chunk(t, false, 5).find(" FROM shop.\"Line\" t ORDER BY ") != std::string::npos);
  CHECK(delete_keys(t).starts_with("DELETE FROM shop.\"Line\" t "));
}
