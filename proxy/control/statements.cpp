#include "proxy/control/statements.hpp"

#include "proxy/database/schema.hpp"
#include "proxy/sql/rewrite.hpp"

namespace pgtandem::control {
namespace {

using sql::quote_literal;

// Names the reason to everybody who listens.
std::string notify_sql(std::string_view what) { return "SELECT pg_notify('pgtandem', " + quote_literal(what) + ")"; }

std::string begin_sql(std::chrono::milliseconds lock_limit, flushed f = flushed::yes) {
  return std::string("BEGIN; SET LOCAL synchronous_commit = ") + (f == flushed::yes ? "on" : "off") +
         "; SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = " +
         std::to_string(std::max<std::int64_t>(lock_limit.count(), 1)) + "; ";
}

// A pattern of scope.exclude ('*' any run, '?' one character) as LIKE understands it.
std::string like_pattern(std::string_view glob) {
  std::string out;
  for (char c : glob) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c == '*' ? '%' : c == '?' ? '_' : c;
  }
  return out;
}

std::string text_array(const std::vector<std::string>& globs) {
  std::string out = "ARRAY[";
  for (const std::string& g : globs) out += (out.size() > 6 ? ", " : "") + quote_literal(like_pattern(g));
  return out + "]::text[]";
}

constexpr std::string_view list_epochs = R"(
  FOR r IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pgtandem'::regnamespace AND c.relkind = 'r'
           AND c.relname ~ '^epoch_[0-9]+$' AND c.relname <> kept LOOP
)";
constexpr std::string_view list_ledgers = R"(
  FOR r IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'pgtandem.ledger'::regclass AND c.relname <> kept LOOP
)";
const std::string drop_other_epochs =
    std::string(list_epochs) + "EXECUTE format('DROP TABLE pgtandem.%I', r.relname); END LOOP;";
const std::string detach_ledgers = std::string(list_ledgers) +
                                   "EXECUTE format('ALTER TABLE pgtandem.ledger DETACH PARTITION pgtandem.%I', r.relname); END LOOP;";

const std::string refuse_unsettled = "IF pgtandem.unsettled(1) > 0 THEN RAISE EXCEPTION USING ERRCODE = '" + std::string(not_drained) +
                                     "', MESSAGE = 'the ledger is not settled'; END IF;";

// In the order of the record: a parent's ALTER reaches its partitions, those made meanwhile too, and what was otherwise there follows.
constexpr std::string_view enable_triggers = R"(
  FOR r IN SELECT t.v->>0 AS tab, t.v->>1 AS trg, t.v->>2 AS how
           FROM pgtandem.migration, jsonb_array_elements(attempt->'triggers') WITH ORDINALITY t(v, n) ORDER BY t.n LOOP
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(r.tab) AND tgname = r.trg) THEN
      EXECUTE format('ALTER TABLE %s %s TRIGGER %I', r.tab,
        CASE r.how WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'D' THEN 'DISABLE' ELSE 'ENABLE' END, r.trg);
    END IF;
  END LOOP;
  UPDATE pgtandem.migration SET attempt = attempt - 'triggers' WHERE attempt ? 'triggers';
)";

// Roots before their partitions. One that is disabled on a partition alone is recorded as such; where the parent's is disabled as
// well it follows from that, or was done here before. A partition is in scope as its root is.
std::string disable_triggers(const std::vector<std::string>& exclude) {
  return R"(
  FOR r IN SELECT format('%I.%I', n.nspname, c.relname) AS tab, t.tgname, t.tgenabled
           FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_trigger up ON up.oid = t.tgparentid
           JOIN pg_class root ON root.oid = coalesce(CASE WHEN c.relispartition THEN pg_partition_root(c.oid) END, c.oid)
           JOIN pg_namespace rn ON rn.oid = root.relnamespace
           WHERE NOT t.tgisinternal AND (t.tgenabled <> 'D' OR up.tgenabled <> 'D') AND c.relkind IN ('r', 'p')
             AND n.nspname NOT IN ('information_schema', 'pgtandem') AND n.nspname !~ '^pg_'
             AND NOT (rn.nspname || '.' || root.relname) LIKE ANY ()" + text_array(exclude) + R"()
           ORDER BY CASE WHEN c.relispartition THEN (SELECT count(*) FROM pg_partition_ancestors(c.oid)) ELSE 0 END LOOP
    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', r.tab, r.tgname);
    UPDATE pgtandem.migration SET attempt = jsonb_set(attempt, '{triggers}',
      coalesce(attempt->'triggers', '[]') || jsonb_build_array(jsonb_build_array(r.tab, r.tgname, r.tgenabled)));
  END LOOP;
)";
}

std::string block(std::string_view body) {
  return "DO $pgtandem$ DECLARE r record; kept text; found bool; BEGIN " + std::string(body) + " END $pgtandem$; ";
}

std::string row_sql(const standing_order& o) {
  std::string keep = o.mirrored_from > 0
                         ? " || '{\"mirrored_from\": " + std::to_string(o.mirrored_from) + "}'::jsonb"
                         : std::string();
  return "UPDATE pgtandem.migration SET epoch = " + std::to_string(o.epoch) + ", phase = " +
         quote_literal(row_of(o.now).name) +
         ", step = 'steady', attempt = (attempt - '{coordinator,moves,to,mirrored_from,course}'::text[])" + keep +
         ", changed_at = clock_timestamp(); ";
}

std::string follow_statements(const standing_order& o) {
  bool mirrors = row_of(o.now).mirrors;
  std::string name = "ledger_" + std::to_string(o.epoch);
  std::string body = "kept := '';" + drop_other_epochs;
  body += "kept := " + quote_literal(mirrors ? name : "") + ";" + detach_ledgers;
  if (mirrors)
    body += R"(
  IF to_regclass('pgtandem.)" + name + R"(') IS NOT NULL AND NOT EXISTS
     (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('pgtandem.)" + name + R"(')) THEN
    EXECUTE 'ALTER TABLE pgtandem.ledger ATTACH PARTITION pgtandem.)" + name + " FOR VALUES IN (" +
            std::to_string(o.epoch) + R"()';
  END IF;
)" + disable_triggers(o.exclude);
  else
    body += enable_triggers;
  return block(body) + (mirrors ? database::create_ledger_sql(o.epoch) + "; " : std::string());
}

}  // namespace

std::string journal_sql(const journal_line& j) {
  return "INSERT INTO pgtandem.journal (epoch, step, detail) VALUES (" + std::to_string(j.epoch) + ", " +
         quote_literal(j.step) + ", " + quote_literal(j.detail) + "::jsonb)";
}

std::string mark_sql(step s, const flip_plan& p, std::string_view coordinator) {
  std::string name(row_of(s).name);
  std::string attempt = std::string("{\"moves\": ") + (p.moves() ? "true" : "false") + ", \"to\": \"" +
                        std::string(row_of(p.to).name) + "\", \"coordinator\": \"" + std::string(coordinator) + "\"}";
  return "BEGIN; SET LOCAL synchronous_commit = off; UPDATE pgtandem.migration SET step = " + quote_literal(name) + ", attempt = attempt || " +
         quote_literal(attempt) + "::jsonb, changed_at = clock_timestamp(); " +
         journal_sql({p.epoch, name, attempt}) + "; " + notify_sql(name) + "; COMMIT";
}

std::string release_sql(std::int32_t epoch) {
  return "UPDATE pgtandem.migration SET step = 'steady', attempt = attempt - '{coordinator,moves,to}'::text[], "
         "changed_at = clock_timestamp(); " +
         journal_sql({epoch, "undone", "{}"}) + "; " + notify_sql("steady");
}

std::string fence_primary_sql(const flip_plan& p, std::chrono::milliseconds lock_limit) {
  return begin_sql(lock_limit, flushed::no) + block("kept := '';" + drop_other_epochs) +
         "UPDATE pgtandem.migration SET step = 'fenced', changed_at = clock_timestamp(); " +
         journal_sql({p.epoch, "fenced", "{}"}) + "; COMMIT";
}

std::string fence_secondary_sql(const flip_plan& p, std::chrono::milliseconds lock_limit) {
  return begin_sql(lock_limit, flushed::no) + block("kept := 'ledger_" + std::to_string(p.epoch + 1) + "';" + detach_ledgers) +
         database::attach_ledger_sql(p.epoch + 1) +
         "; UPDATE pgtandem.migration SET step = 'fenced', changed_at = clock_timestamp(); " +
         journal_sql({p.epoch, "fenced", "{}"}) + "; COMMIT";
}

std::string mark_opening_sql(const flip_plan& p, std::string_view coordinator, const standing_order& next) {
  std::string mark = "UPDATE pgtandem.migration SET step = 'opening', changed_at = clock_timestamp(); " +
                     journal_sql({p.epoch, "opening", "{\"coordinator\": \"" + std::string(coordinator) + "\"}"}) + "; COMMIT";
  if (!p.moves()) return begin_sql(next.lock_limit) + mark;
  return begin_sql(next.lock_limit) + follow_statements(next) + mark;
}

std::string rehearsal_sql() {
  return begin_sql(std::chrono::milliseconds(1000), flushed::no) +
         "CREATE TABLE pgtandem.rehearsal (LIKE pgtandem.ledger) PARTITION BY LIST (epoch); "
         "CREATE TABLE pgtandem.rehearsal_0 PARTITION OF pgtandem.rehearsal FOR VALUES IN (0); "
         "ALTER TABLE pgtandem.rehearsal DETACH PARTITION pgtandem.rehearsal_0; "
         "CREATE TABLE pgtandem.rehearsal_1 (); GRANT SELECT ON pgtandem.rehearsal_1 TO PUBLIC; DROP TABLE pgtandem.rehearsal_1; " +
         block("kept := ''; found := EXISTS (SELECT FROM pgtandem.rehearsal_0 WHERE NOT settled AND target_rev >= "
               "(SELECT settled_below FROM pgtandem.watermark)); " + std::string(list_epochs) + "NULL; END LOOP;" +
               std::string(list_ledgers) + "NULL; END LOOP;") +
         "UPDATE pgtandem.migration SET step = step, changed_at = clock_timestamp(), attempt = attempt - '{}'::text[]; "
         + journal_sql({0, "rehearsal", "{}"}) + "; ROLLBACK";
}

std::string lead_sql(const standing_order& o, bool guarded) {
  bool mirrors = row_of(o.now).mirrors;
  std::string epoch_name = "epoch_" + std::to_string(o.epoch);
  std::string body = "kept := '';" + detach_ledgers;
  if (guarded) body += refuse_unsettled;
  body += "kept := " + quote_literal(mirrors ? epoch_name : "") + ";" + drop_other_epochs;
  body += enable_triggers;
  std::string text = begin_sql(o.lock_limit) + block(body);
  if (mirrors) text += database::create_epoch_sql(o.epoch) + "; ";
  return text + row_sql(o) + journal_sql({o.epoch, "opened", "{\"phase\": \"" + std::string(row_of(o.now).name) + "\"}"}) +
         "; " + notify_sql("opened") + "; COMMIT";
}

std::string row_only_sql(const standing_order& o) {
  return row_sql(o) + journal_sql({o.epoch, "phase", "{\"phase\": \"" + std::string(row_of(o.now).name) + "\"}"}) + "; " +
         notify_sql("phase");
}

std::string forget_chunks_sql() { return "DELETE FROM pgtandem.chunk"; }
std::string forget_progress_sql() { return "DELETE FROM pgtandem.progress"; }

std::string follow_sql(const standing_order& o, follow_part part) {
  std::string text = begin_sql(o.lock_limit) + follow_statements(o);
  if (part == follow_part::without_row) return text + "COMMIT";
  return text + row_sql(o) + journal_sql({o.epoch, "following", "{\"phase\": \"" + std::string(row_of(o.now).name) + "\"}"}) +
         "; " + notify_sql("following") + "; COMMIT";
}

std::string enable_triggers_sql(std::chrono::milliseconds lock_limit) {
  return begin_sql(lock_limit) + block("IF to_regclass('pgtandem.migration') IS NOT NULL THEN" + std::string(enable_triggers) + "END IF;") +
         "COMMIT";
}

std::string count_dirty_sql(int limit) {
  return "SELECT count(*) FROM (SELECT FROM pgtandem.dirty LIMIT " + std::to_string(limit) + ") d";
}

std::string count_unsettled_sql(int limit) { return "SELECT pgtandem.unsettled(" + std::to_string(limit) + ")"; }

}  // namespace pgtandem::control
