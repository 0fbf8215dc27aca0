#include "proxy/database/catalog_queries.hpp"

namespace pgtandem::database::catalog_query {

// What every query means by a relation of users. OIDs below 16384 are PostgreSQL's own; information_schema is among
// them.
#define USER_RELATION                                                                                     \
  "c.oid >= 16384 AND c.relpersistence <> 't' AND (n.nspname <> 'pgtandem' OR c.relname = 'idempotency')" \
  " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"

const std::string_view relations =
    "SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), c.relkind,"
    " CASE WHEN c.relispartition THEN coalesce(pg_partition_root(c.oid)::oid, c.oid) ELSE c.oid END,"
    " c.relrowsecurity,"
    " c.relhasrules AND EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND " USER_RELATION;

// A temporary child is nobody's but its session's, whose images tell the child's rows.
const std::string_view inheritance =
    "SELECT DISTINCT x.id FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind IN ('r', 'f')"
    " JOIN pg_class h ON h.oid = i.inhrelid AND h.relpersistence <> 't',"
    " LATERAL (VALUES (i.inhrelid), (i.inhparent)) AS x(id)";

// A type is fragile unless it is, or is an array or domain of, one whose text output no setting changes; it is styled if
// DateStyle and IntervalStyle are the only ones that do.
const std::string_view columns = R"sql(
WITH RECURSIVE used AS MATERIALIZED (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated, a.attidentity, a.attnotnull,
    a.attcollation
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT c.relispartition AND c.relkind IN ('r', 'p', 'v', 'f')
    AND )sql" USER_RELATION R"sql(
), unwrapped(id, base) AS (
  SELECT DISTINCT atttypid, atttypid FROM used
  UNION
  SELECT u.id, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END
  FROM unwrapped u JOIN pg_type t ON t.oid = u.base
  WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0)
), loose AS MATERIALIZED (
  SELECT oid FROM pg_collation WHERE NOT collisdeterministic
), judged AS (
  SELECT u.id, bool_and(k.sturdy) AS sturdy, bool_and(k.sturdy OR t.oid = ANY (ARRAY[
    'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval']::regtype[]::oid[])) AS steady
  FROM unwrapped u JOIN pg_type t ON t.oid = u.base, LATERAL (SELECT t.typtype IN ('d', 'e') OR (t.typcategory = 'A' AND t.typelem <> 0) OR t.oid = ANY (ARRAY[
    'bool', 'int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'bpchar', '"char"', 'name', 'uuid', 'json', 'jsonb', 'oid',
    'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit', 'tsvector']::regtype[]::oid[]) AS sturdy) AS k GROUP BY u.id)
SELECT u.attrelid, u.attnum, u.attname, format_type(u.atttypid, u.atttypmod), NOT j.steady, u.attgenerated <> '',
  u.attidentity = 'a', u.attnotnull, j.steady AND NOT j.sturdy,
  u.attcollation IN (SELECT oid FROM loose) OR (u.attrelid, u.attnum) IN (SELECT i.indrelid, x.attnum FROM pg_index i,
    unnest(i.indkey::int2[], i.indcollation::oid[]) AS x(attnum, coll) WHERE i.indisunique AND x.coll IN (SELECT oid FROM loose))
FROM used u JOIN judged j ON j.id = u.atttypid ORDER BY u.attrelid, u.attnum)sql";

// Of a partition only what its root's indexes do not imply. Column 4: no predicate, no expressions, valid.
const std::string_view indexes =
    "SELECT i.indrelid, i.indisprimary, i.indisreplident, i.indimmediate,"
    " i.indpred IS NULL AND i.indexprs IS NULL AND i.indisunique AND i.indisvalid AND NOT c.relispartition,"
    " (SELECT string_agg(k.attnum::text, ' ' ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, "
    "n)"
    "  WHERE k.n <= i.indnkeyatts)"
    " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE (i.indisunique OR i.indisexclusion) AND NOT x.relispartition AND " USER_RELATION
    " ORDER BY i.indrelid, x.relname COLLATE \"C\"";

const std::string_view index_hashes =
    "SELECT i.indrelid, hashtextextended(string_agg(d.def, E'\\n' ORDER BY d.def COLLATE \"C\"), 0)"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace,"
    " LATERAL (SELECT pg_get_indexdef(i.indexrelid) AS def) AS d"
    " WHERE NOT c.relispartition AND c.relkind IN ('r', 'p') AND " USER_RELATION " GROUP BY i.indrelid";

const std::string_view foreign_keys =
    "SELECT k.oid, k.conrelid, k.confrelid, k.confdeltype, k.confupdtype, k.condeferrable, ca.attname, pa.attname"
    " FROM pg_constraint k, unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(ck, pk, n)"
    " JOIN pg_attribute ca ON true JOIN pg_attribute pa ON true"
    " WHERE k.contype = 'f' AND k.conparentid = 0 AND ca.attrelid = k.conrelid AND ca.attnum = u.ck"
    " AND pa.attrelid = k.confrelid AND pa.attnum = u.pk ORDER BY k.oid, u.n";

const std::string_view deferrable =
    "SELECT k.conrelid FROM pg_constraint k WHERE k.condeferrable AND k.conrelid <> 0"
    " UNION SELECT k.confrelid FROM pg_constraint k WHERE k.condeferrable AND k.contype = 'f'"
    " UNION SELECT t.tgrelid FROM pg_trigger t WHERE t.tgdeferrable AND NOT t.tgisinternal";

// tgtype: 1 for each row, 2 BEFORE, 8 DELETE, 16 UPDATE (pg_trigger.h)
const std::string_view triggers =
    "SELECT t.tgrelid, t.tgname, pn.nspname, p.proname, t.tgtype & 3 = 3, p.oid >= 16384, t.tgtype & 8 <> 0,"
    " t.tgtype & 16 <> 0 FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
    " JOIN pg_namespace pn ON pn.oid = p.pronamespace"
    " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') ORDER BY t.tgrelid, t.tgname COLLATE \"C\"";

// Whatever is not made of constants and immutable functions alone, as far as its expression tree tells.
const std::string_view unsure_defaults = R"sql(
SELECT a.attrelid, a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND 'd' IN (k.confdeltype, k.confupdtype)
    AND k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey))
  AND (a.attidentity <> '' OR (d.oid IS NULL AND t.typdefault IS NOT NULL)
    OR EXISTS (SELECT FROM regexp_matches(d.adbin::text, '\{([A-Z_]+)', 'g') AS m(tag)
      WHERE m.tag[1] NOT IN ('CONST', 'RELABELTYPE', 'FUNCEXPR', 'OPEXPR'))
    OR EXISTS (SELECT FROM regexp_matches(d.adbin::text, ':(?:funcid|opfuncid) (\d+)', 'g') AS m(id)
      WHERE NOT EXISTS (SELECT FROM pg_proc p WHERE p.oid = m.id[1]::oid AND p.provolatile = 'i'))))sql";

// Volatile and not PostgreSQL's own or compiled; procedures; the large-object writers of pg_catalog; dblink by name.
const std::string_view writing_functions =
    "SELECT p.oid, n.nspname, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    " JOIN pg_language l ON l.oid = p.prolang WHERE n.nspname <> 'pgtandem' AND ("
    " (p.oid >= 16384 AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prorettype NOT IN"
    "  ('trigger'::regtype, 'event_trigger'::regtype)"
    "  AND (p.prokind = 'p' OR (p.provolatile = 'v' AND l.lanname NOT IN ('c', 'internal'))))"
    " OR p.proname LIKE 'dblink%'"
    " OR (n.nspname = 'pg_catalog' AND (p.proname IN ('lowrite') OR (p.proname LIKE 'lo\\_%' AND p.proname NOT IN"
    "  ('lo_get', 'lo_lseek', 'lo_lseek64', 'lo_tell', 'lo_tell64', 'lo_close', 'lo_open')))))";

// A body in SQL's own syntax is kept as a tree.
const std::string_view setting_bodies =
    "SELECT body FROM (SELECT CASE p.prosrc WHEN '' THEN pg_get_functiondef(p.oid) ELSE p.prosrc END AS body FROM pg_proc p"
    " JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang WHERE p.oid >= 16384"
    " AND p.prokind IN ('f', 'p') AND l.lanname NOT IN ('c', 'internal')"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgtandem')) AS f"
    " WHERE body ~* '\\mset_config\\M|\\mset\\s+(session\\s+|local\\s+)?[a-z_\"][\\w$\" ]*\\.'";

const std::string_view default_calls =
    "SELECT d.adrelid, format('column %s', a.attname), e.refobjid FROM pg_depend e"
    " JOIN pg_attrdef d ON d.oid = e.objid JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
    " WHERE e.classid = 'pg_attrdef'::regclass AND e.refclassid = 'pg_proc'::regclass"
    " UNION ALL SELECT k.conrelid, format('check constraint %s', k.conname), e.refobjid FROM pg_depend e"
    " JOIN pg_constraint k ON k.oid = e.objid WHERE k.contype = 'c' AND k.conrelid <> 0"
    " AND e.classid = 'pg_constraint'::regclass AND e.refclassid = 'pg_proc'::regclass ORDER BY 1, 2";

const std::string_view view_calls =
    "SELECT DISTINCT r.ev_class, e.refobjid FROM pg_depend e JOIN pg_rewrite r ON r.oid = e.objid"
    " WHERE e.classid = 'pg_rewrite'::regclass AND e.refclassid = 'pg_proc'::regclass";

const std::string_view view_reads =
    "SELECT DISTINCT r.ev_class, e.refobjid FROM pg_depend e JOIN pg_rewrite r ON r.oid = e.objid"
    " JOIN pg_class c ON c.oid = e.refobjid AND c.relkind = 'v'"
    " WHERE e.classid = 'pg_rewrite'::regclass AND e.refclassid = 'pg_class'::regclass AND e.refobjid <> r.ev_class";

const std::string_view ddl_version =
    "SELECT c.oid, pg_sequence_last_value(c.oid) FROM pg_class c WHERE c.oid = to_regclass('pgtandem.ddl_version')";

#undef USER_RELATION

}  // namespace pgtandem::database::catalog_query
