#include "proxy/database/structure.hpp"

#include <algorithm>

#include "proxy/database/catalog_loader.hpp"

namespace pgtandem::database {
namespace {

// kind, relation, name, definition, schema.relation without quotes (for the globs), the same of what it points to
constexpr std::string_view facts_sql = R"sql(
WITH rel AS MATERIALIZED (
  SELECT c.oid, c.relpersistence, format('%I.%I', n.nspname, c.relname) AS qualified, n.nspname || '.' || c.relname AS plain
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid >= 16384 AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pgtandem', 'information_schema') AND n.nspname !~ '^pg_'
), con AS MATERIALIZED (
  SELECT k.*, rel.qualified, rel.plain, regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') AS def
  FROM pg_constraint k JOIN rel ON rel.oid = k.conrelid WHERE k.contype IN ('f', 'c', 'x') AND k.conparentid = 0
), col AS MATERIALIZED (
  SELECT a.*, rel.qualified, rel.plain, pg_get_expr(d.adbin, d.adrelid) AS expression
  FROM pg_attribute a JOIN rel ON rel.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
), typ AS MATERIALIZED (
  SELECT t.*, format('%I.%I', n.nspname, t.typname) AS qualified, n.nspname || '.' || t.typname AS plain
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd') AND t.oid >= 16384 AND n.nspname NOT IN ('pgtandem', 'information_schema') AND n.nspname !~ '^pg_'
)
SELECT 'table' AS kind, qualified AS relation, '' AS name, '' AS definition, plain, '' AS points_to FROM rel
UNION ALL
SELECT 'foreign key', con.qualified, regexp_replace(def, '\) (MATCH|ON UPDATE|ON DELETE|DEFERRABLE|INITIALLY).*$', ')'), def, con.plain, p.plain
FROM con JOIN rel p ON p.oid = con.confrelid WHERE contype = 'f'
UNION ALL
SELECT 'check', qualified, def, '', plain, '' FROM con WHERE contype = 'c'
UNION ALL
SELECT 'exclusion constraint', qualified, def, '', plain, '' FROM con WHERE contype = 'x'
UNION ALL
SELECT CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL THEN 'unique index' ELSE 'unique index with an expression' END, rel.qualified,
  regexp_replace(substring(pg_get_indexdef(i.indexrelid) FROM ' USING (.*)$'), ' WITH \([^)]*\)', ''),
  CASE WHEN i.indimmediate THEN 'immediate' ELSE 'deferrable' END, rel.plain, ''
FROM pg_index i JOIN rel ON rel.oid = i.indrelid WHERE i.indisunique AND i.indisvalid
UNION ALL
SELECT 'NOT NULL', qualified, attname, '', plain, '' FROM col WHERE attnotnull
UNION ALL
SELECT 'default', qualified, attname, CASE WHEN attidentity = '' THEN expression
  ELSE format('nextval(%L::regclass)', pg_get_serial_sequence(qualified, attname)) END, plain, ''
FROM col WHERE attgenerated = '' AND (attidentity <> '' OR expression IS NOT NULL)
UNION ALL
SELECT 'generated column', qualified, attname, expression, plain, '' FROM col WHERE attgenerated <> ''
UNION ALL
SELECT 'GENERATED ALWAYS AS IDENTITY', qualified, attname, '', plain, '' FROM col WHERE attidentity = 'a'
UNION ALL
SELECT 'UNLOGGED (a crash empties it)', qualified, '', '', plain, '' FROM rel
WHERE relpersistence = 'u' OR EXISTS (SELECT FROM pg_partition_tree(rel.oid) p JOIN pg_class c ON c.oid = p.relid WHERE c.relpersistence = 'u')
UNION ALL
SELECT 'trigger', rel.qualified, t.tgname, pg_get_triggerdef(t.oid), rel.plain, ''
FROM pg_trigger t JOIN rel ON rel.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'enum', qualified, '', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = typ.oid),
  plain, '' FROM typ WHERE typtype = 'e'
UNION ALL
SELECT 'domain', qualified, '', concat_ws(' ', format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || typdefault,
  (SELECT string_agg(d, ' ' ORDER BY d COLLATE "C") FROM (SELECT regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') AS d
    FROM pg_constraint k WHERE k.contypid = typ.oid AND k.contype = 'c') c)), plain, '' FROM typ WHERE typtype = 'd'
UNION ALL
SELECT 'sequence', format('%I.%I', n.nspname, c.relname), '', format('%s INCREMENT %s MINVALUE %s MAXVALUE %s%s', format_type(s.seqtypid, NULL),
  s.seqincrement, s.seqmin, s.seqmax, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END), n.nspname || '.' || c.relname, ''
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't' AND n.nspname NOT IN ('pgtandem', 'information_schema') AND n.nspname !~ '^pg_'
UNION ALL
-- Roles that may come here, and what ALTER DATABASE and ALTER ROLE ... SET give their sessions.
SELECT 'login', format('role %I', r.rolname), '', format('CONNECTION LIMIT %s', r.rolconnlimit), '', '' FROM pg_roles r
WHERE r.rolcanlogin AND has_database_privilege(r.oid, current_database(), 'CONNECT')
UNION ALL
SELECT 'setting', CASE WHEN s.setrole = 0 THEN 'database' ELSE format('role %I', r.rolname) END,
  split_part(c.line, '=', 1) || CASE WHEN s.setrole <> 0 AND s.setdatabase <> 0 THEN ' in this database' ELSE '' END,
  substr(c.line, strpos(c.line, '=') + 1), '', ''
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS c(line)
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND (s.setrole = 0 OR r.rolname IS NOT NULL)
)sql";

bool excluded(std::string_view plain, const std::vector<std::string>& globs) {
  return std::ranges::any_of(globs, [&](const std::string& g) { return glob_matches(g, plain); });
}

}  // namespace

result<structure> read_structure(connection& c, const std::vector<std::string>& exclude) {
  // Other schemas out of the search_path: every name is written in full.
  if (auto r = c.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = pg_catalog; SET LOCAL jit = off"); !r)
    return r.error();
  auto found = c.execute(facts_sql);
  if (!found && found.error().lost) return found.error();
  auto ended = c.run("ROLLBACK");
  if (!found) return found.error();
  if (!ended) return ended.error();
  structure s;
  s.version = c.server_version() / 10000;
  for (int i = 0; i < found->size(); ++i)
    if (!excluded(found->at(i, 4), exclude) && !excluded(found->at(i, 5), exclude))
      s.facts.push_back({std::string(found->at(i, 0)), std::string(found->at(i, 1)), std::string(found->at(i, 2)), std::string(found->at(i, 3))});
  return s;
}

}  // namespace pgtandem::database
