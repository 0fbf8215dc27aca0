#include "proxy/database/schema_ddl.hpp"

namespace pgtandem::database {

const std::string_view schema_tables = R"sql(
CREATE SCHEMA IF NOT EXISTS pgtandem;
GRANT USAGE ON SCHEMA pgtandem TO PUBLIC;

CREATE TABLE IF NOT EXISTS pgtandem.version (
  singleton bool PRIMARY KEY DEFAULT true CHECK (singleton),
  version int NOT NULL);

CREATE TABLE IF NOT EXISTS pgtandem.migration (
  singleton bool PRIMARY KEY DEFAULT true CHECK (singleton),
  epoch int NOT NULL,
  phase text NOT NULL,
  step text NOT NULL DEFAULT 'steady',
  attempt jsonb NOT NULL DEFAULT '{}',
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  pair uuid,    -- the same on both sides, of no other two
  place text);  -- source or target
INSERT INTO pgtandem.migration (epoch, phase, step) VALUES (1, 'passthrough', 'steady') ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS pgtandem.journal (
  seq bigserial PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  epoch int,
  step text,
  detail jsonb);

CREATE TABLE IF NOT EXISTS pgtandem.lease (
  proxy_id uuid PRIMARY KEY,
  name text,
  epoch int NOT NULL,
  phase text,
  step text NOT NULL,
  sessions int,
  unmovable jsonb NOT NULL DEFAULT '[]',
  held_ms float8,
  backends int[] NOT NULL DEFAULT '{}',
  renewed_at timestamptz NOT NULL DEFAULT clock_timestamp());

-- UNLOGGED on purpose: PostgreSQL empties it when this incarnation ends (crash, promotion) and xids may be handed out again.
CREATE UNLOGGED TABLE IF NOT EXISTS pgtandem.boot (
  singleton bool PRIMARY KEY DEFAULT true CHECK (singleton),
  token uuid NOT NULL);
GRANT SELECT ON pgtandem.boot TO PUBLIC;

CREATE TABLE IF NOT EXISTS pgtandem.dirty (
  seq bigserial PRIMARY KEY,
  op_id uuid,
  epoch int,
  relation text NOT NULL,
  key text[],
  scope text[],
  reason text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp());

CREATE TABLE IF NOT EXISTS pgtandem.ledger (
  op_id uuid NOT NULL,
  epoch int NOT NULL,
  kind text NOT NULL CHECK (kind IN ('op', 'sync', 'claim')),
  boot uuid,
  source_rev xid8,
  target_rev xid8 NOT NULL DEFAULT pg_current_xact_id(),
  index_hash text,
  keys jsonb NOT NULL DEFAULT '[]',
  settled bool NOT NULL DEFAULT false,
  PRIMARY KEY (op_id, epoch)) PARTITION BY LIST (epoch);
CREATE INDEX IF NOT EXISTS ledger_target_rev ON pgtandem.ledger (target_rev);

CREATE TABLE IF NOT EXISTS pgtandem.watermark (
  singleton bool PRIMARY KEY DEFAULT true CHECK (singleton),
  settled_below xid8 NOT NULL DEFAULT '0');
INSERT INTO pgtandem.watermark DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS pgtandem.beat (
  singleton bool PRIMARY KEY DEFAULT true CHECK (singleton),
  n bigint NOT NULL DEFAULT 0);
INSERT INTO pgtandem.beat DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS pgtandem.idempotency (
  key text PRIMARY KEY,
  statement text NOT NULL,
  outcome bytea,
  at timestamptz NOT NULL DEFAULT clock_timestamp());

CREATE TABLE IF NOT EXISTS pgtandem.chunk (
  relation text,
  n int,
  lo text[],
  hi text[],
  state text CHECK (state IN ('copied', 'verified')),
  row_count bigint,
  bytes bigint,
  PRIMARY KEY (relation, n));

CREATE TABLE IF NOT EXISTS pgtandem.progress (
  relation text PRIMARY KEY,
  state text,
  rows_total bigint,
  rows_done bigint,
  bytes_done bigint,
  updated_at timestamptz);

CREATE TABLE IF NOT EXISTS pgtandem.sweep (
  pass bigserial PRIMARY KEY,
  epoch int,
  started_at timestamptz,
  ended_at timestamptz,
  leaves bigint,
  row_count bigint,
  set_aside bigint,
  differing bigint,
  repaired bigint,
  skipped bigint,
  clean bool,
  primary_boot uuid,
  secondary_boot uuid);

-- The incarnations that the reconciler has last seen, by place; kept on the primary.
CREATE TABLE IF NOT EXISTS pgtandem.incarnation (
  place text PRIMARY KEY,
  token uuid NOT NULL);

-- What version 1 lacked. Nothing is locked where it is there.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'pgtandem.sweep'::regclass AND attname = 'secondary_boot') THEN
    ALTER TABLE pgtandem.sweep ADD COLUMN primary_boot uuid, ADD COLUMN secondary_boot uuid;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'pgtandem.migration'::regclass AND attname = 'place') THEN
    ALTER TABLE pgtandem.migration ADD COLUMN pair uuid, ADD COLUMN place text;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'pgtandem.lease'::regclass AND attname = 'backends') THEN
    ALTER TABLE pgtandem.lease ADD COLUMN backends int[] NOT NULL DEFAULT '{}';
  END IF;
END $$;

-- Called once at once: pg_sequence_last_value() is NULL before the first nextval.
DO $$ BEGIN
  IF to_regclass('pgtandem.ddl_version') IS NULL THEN
    CREATE SEQUENCE pgtandem.ddl_version;
    PERFORM nextval('pgtandem.ddl_version');
    GRANT SELECT ON SEQUENCE pgtandem.ddl_version TO PUBLIC;
  END IF;
END $$;
)sql";

const std::string_view schema_functions = R"sql(
-- One dirty row per element of `keys` (the JSON of ledger.keys: [relation, key or null, scope columns or null]).
CREATE OR REPLACE FUNCTION pgtandem.mark_dirty(op uuid, epoch int, keys jsonb, reason text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO pgtandem.dirty (op_id, epoch, relation, key, scope, reason)
  SELECT $1, $2, e.value->>0,
         CASE jsonb_typeof(e.value->1) WHEN 'array' THEN
           ARRAY(SELECT k.value FROM jsonb_array_elements_text(e.value->1) WITH ORDINALITY AS k(value, n) ORDER BY k.n) END,
         CASE jsonb_typeof(e.value->2) WHEN 'array' THEN
           ARRAY(SELECT k.value FROM jsonb_array_elements_text(e.value->2) WITH ORDINALITY AS k(value, n) ORDER BY k.n) END,
         $4
  FROM jsonb_array_elements($3) WITH ORDINALITY AS e(value, n) ORDER BY e.n
$$;

-- Claims a client's idempotency key for the calling transaction. A concurrent claim is waited for. Under REPEATABLE READ and
-- SERIALIZABLE a claim that became visible too late is a 40001.
CREATE OR REPLACE FUNCTION pgtandem.claim_key(key text, statement text, OUT claimed bool, OUT same bool, OUT outcome bytea)
RETURNS SETOF record LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF $1 IS NULL THEN RETURN; END IF;
  FOR attempt IN 1..3 LOOP  -- the row found taken may be gone again before it is read
    INSERT INTO pgtandem.idempotency AS i (key, statement) VALUES ($1, $2) ON CONFLICT DO NOTHING;
    IF FOUND THEN
      claimed := true; same := true; outcome := NULL;
      RETURN NEXT; RETURN;
    END IF;
    SELECT false, i.statement = $2, i.outcome INTO claimed, same, outcome FROM pgtandem.idempotency i WHERE i.key = $1;
    IF FOUND THEN RETURN NEXT; RETURN; END IF;
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'the idempotency key is being claimed by others';
END $$;

-- Answers the row's image, in the form of every other row image: it is mirrored like any other row.
CREATE OR REPLACE FUNCTION pgtandem.record_outcome(key text, outcome bytea) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE image text;
BEGIN
  UPDATE pgtandem.idempotency i SET outcome = $2 WHERE i.key = $1
  RETURNING pgtandem.image(ROW(i.tableoid, pg_sequence_last_value('pgtandem.ddl_version'::regclass), i.key, i.statement, i.outcome, i.at))::text
  INTO image;
  RETURN image;
END $$;

-- Ledger rows that the audit has not settled, up to `most`, in every partition: a detached one counts as long as it is there.
CREATE OR REPLACE FUNCTION pgtandem.unsettled(most int) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE name text; found bigint; total bigint := 0;
BEGIN
  FOR name IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pgtandem'::regnamespace AND c.relkind = 'r'
              AND c.relname ~ '^ledger_[0-9]+$' LOOP
    BEGIN
      EXECUTE format('SELECT count(*) FROM (SELECT FROM pgtandem.%I WHERE NOT settled AND target_rev >= '
                     '(SELECT settled_below FROM pgtandem.watermark) LIMIT %s) l', name, most - total) INTO found;
      total := total + found;
    EXCEPTION WHEN undefined_table THEN  -- dropped since it was listed, which only a settled one is
    END;
    EXIT WHEN total >= most;
  END LOOP;
  RETURN total;
END $$;

-- The event triggers' function: counts every change of a table that is neither pgtandem's own nor temporary. The shared lock is
-- held to the end of the transaction, so that a catalog loader can tell that a counted change is not visible yet.
CREATE OR REPLACE FUNCTION pgtandem.count_ddl() RETURNS event_trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE concerns bool;
BEGIN
  IF TG_TAG IN ('COMMENT', 'SECURITY LABEL', 'GRANT', 'REVOKE', 'REFRESH MATERIALIZED VIEW') THEN RETURN; END IF;
  IF TG_EVENT = 'sql_drop' THEN
    SELECT bool_or(NOT d.is_temporary AND d.schema_name IS DISTINCT FROM 'pgtandem') INTO concerns
    FROM pg_event_trigger_dropped_objects() d;
  ELSIF TG_EVENT = 'table_rewrite' THEN
    SELECT c.relpersistence <> 't' AND n.nspname <> 'pgtandem' INTO concerns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_event_trigger_table_rewrite_oid();
  ELSE
    SELECT bool_or(d.schema_name IS DISTINCT FROM 'pgtandem' AND d.schema_name IS DISTINCT FROM 'pg_temp'
                   AND d.object_identity IS DISTINCT FROM 'pgtandem') INTO concerns
    FROM pg_event_trigger_ddl_commands() d;
  END IF;
  IF concerns THEN
    PERFORM pg_advisory_xact_lock_shared(7433003);
    PERFORM nextval('pgtandem.ddl_version');
  END IF;
END $$;

GRANT EXECUTE ON FUNCTION pgtandem.mark_dirty(uuid, int, jsonb, text), pgtandem.claim_key(text, text),
  pgtandem.record_outcome(text, bytea) TO PUBLIC;
)sql";

const std::string_view image_function_internal = R"sql(
CREATE OR REPLACE FUNCTION pgtandem.image(record) RETURNS cstring LANGUAGE internal STABLE STRICT
SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET TimeZone = 'UTC' SET extra_float_digits = '3'
SET bytea_output = 'hex' SET lc_monetary = 'C' SET search_path = 'pg_catalog' AS 'record_out';
GRANT EXECUTE ON FUNCTION pgtandem.image(record) TO PUBLIC;
)sql";

const std::string_view image_function_plpgsql = R"sql(
CREATE OR REPLACE FUNCTION pgtandem.image(r record) RETURNS text LANGUAGE plpgsql STABLE STRICT
SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET TimeZone = 'UTC' SET extra_float_digits = '3'
SET bytea_output = 'hex' SET lc_monetary = 'C' SET search_path = 'pg_catalog' AS $$ BEGIN RETURN r::text; END $$;
GRANT EXECUTE ON FUNCTION pgtandem.image(record) TO PUBLIC;
)sql";

const std::string_view event_triggers = R"sql(
DROP EVENT TRIGGER IF EXISTS pgtandem_ddl_command_end;
DROP EVENT TRIGGER IF EXISTS pgtandem_sql_drop;
DROP EVENT TRIGGER IF EXISTS pgtandem_table_rewrite;
CREATE EVENT TRIGGER pgtandem_ddl_command_end ON ddl_command_end EXECUTE FUNCTION pgtandem.count_ddl();
CREATE EVENT TRIGGER pgtandem_sql_drop ON sql_drop EXECUTE FUNCTION pgtandem.count_ddl();
CREATE EVENT TRIGGER pgtandem_table_rewrite ON table_rewrite EXECUTE FUNCTION pgtandem.count_ddl();
)sql";

}  // namespace pgtandem::database
