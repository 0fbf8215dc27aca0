#include "reconcile/certified_pair.hpp"

#include "reconcile/boot_token.hpp"
#include "reconcile/ledger_prune.hpp"
#include "reconcile/table_sql.hpp"
#include "reconcile/transaction_guard.hpp"

namespace pgtandem::reconcile {

using database::error;
using database::result;

namespace {

constexpr int doubts_max = 200000;  // rows of ledger or dirty; beyond it repairs have to catch up first

// The JSON list of doubts as rows: relation, key, scope
const std::string named_columns =
    "e.value->>0, CASE jsonb_typeof(e.value->1) WHEN 'array' THEN ARRAY(SELECT k.value FROM"
    " jsonb_array_elements_text(e.value->1) WITH ORDINALITY k(value, n) ORDER BY k.n) END,"
    " CASE jsonb_typeof(e.value->2) WHEN 'array' THEN ARRAY(SELECT k.value FROM"
    " jsonb_array_elements_text(e.value->2) WITH ORDINALITY k(value, n) ORDER BY k.n) END";

doubt read_doubt(const database::rows& r, int row, int relation) {
  doubt d;
  d.relation = r.at(row, relation);
  const auto key = r.null(row, relation + 1) ? std::optional<cells>() : parse_array(r.at(row, relation + 1));
  const auto scope = r.null(row, relation + 2) ? std::optional<cells>() : parse_array(r.at(row, relation + 2));
  d.whole = !key;
  if (key) d.key = *key;
  if (scope)
    for (const cell& c : *scope) d.scope.push_back(c.value_or(""));
  return d;
}

}  // namespace

result<void> certified_pair::begin() {
  end();
  doubts_ = {};
  pair_beginning beginning(on_.secondary_plain);  // no partition of the ledger goes until it has been read
  if (auto r = beginning.enter(); !r) return r;
  // First the watermark: what is below it was settled, so committed on the primary, before s.
  auto mark = on_.secondary_plain.run("SELECT settled_below FROM pgtandem.watermark");
  if (!mark) return mark.error();
  auto token = boot_token(on_.primary_plain);
  if (!token) return token.error();
  open_ = true;
  begun_ = std::chrono::steady_clock::now();
  auto s = on_.primary.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()");
  if (!s) return s.error();
  auto f = on_.secondary.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot()");
  if (!f) return f.error();
  // Doubts recorded since s; at once, before they are repaired and gone.
  if (auto r = read_dirty(on_.primary_plain); !r) return r;
  if (auto r = read_dirty(on_.primary); !r) return r;
  return read_ledger(std::string(mark->at(0, 0)), *token, std::string(s->at(0, 0)), std::string(f->at(0, 0)));
}

void certified_pair::end() {
  if (!open_) return;
  open_ = false;
  for (database::connection* c : {&on_.primary, &on_.secondary})
    if (!c->lost() && c->in_transaction()) (void)c->run("ROLLBACK");
}

result<void> certified_pair::read_dirty(database::connection& c) {
  auto r = c.run("SELECT relation, key, scope FROM pgtandem.dirty LIMIT " + std::to_string(doubts_max + 1));
  if (!r) return r.error();
  if (r->size() > doubts_max) return error("54000", "too many dirty rows for a sweep");
  for (int i = 0; i < r->size(); ++i) doubts_.add(read_doubt(*r, i, 0));
  return {};
}

// Ledger rows of ops and repairs that f has and s has not. A row that is not settled yet counts only if the primary
// does not say that its transaction, which s sees as ended, committed: pg_visible_in_snapshot() is true for aborted
// ones too.
result<void> certified_pair::read_ledger(const std::string& watermark, const std::string& boot, const std::string& s,
                                         const std::string& f) {
  transaction_guard reading(on_.secondary_plain);
  if (auto r = reading.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '" + f + "'");
      !r)
    return r;
  const std::vector<database::param> parameters{watermark, boot, s};
  auto rows = partitions_.query(
      on_.secondary_plain, "l.source_rev, l.target_rev, v.in_s, " + named_columns,
      "CROSS JOIN LATERAL (SELECT l.boot = $2::uuid AND pg_visible_in_snapshot(l.source_rev, $3::pg_snapshot) AS in_s) "
      "v"
      " CROSS JOIN LATERAL jsonb_array_elements(l.keys) e"
      " WHERE l.kind <> 'claim' AND l.target_rev >= $1::xid8 AND (v.in_s IS NOT TRUE OR NOT l.settled)"
      " LIMIT " +
          std::to_string(doubts_max + 1),
      parameters);
  if (!rows) return rows.error();
  reading.rollback();
  if (rows->size() > doubts_max) return error("54000", "too many open ops for a sweep");
  std::set<std::string> asked;
  for (int i = 0; i < rows->size(); ++i)
    if (rows->boolean(i, 3)) asked.emplace(rows->at(i, 1));
  auto states = read_xact_states(on_.primary_plain, {asked.begin(), asked.end()});
  if (!states) return states.error();
  for (int i = 0; i < rows->size(); ++i) {
    if (rows->null(i, 4)) continue;  // no ledger row at all
    const bool seen_by_s = rows->boolean(i, 3);
    if (seen_by_s && states->boot == boot && states->of[std::string(rows->at(i, 1))] == xact_state::committed) continue;
    doubts_.add(read_doubt(*rows, i, 4), static_cast<std::uint64_t>(rows->integer(i, 2)));
  }
  return {};
}

result<bool> certified_pair::left_the_pair(const std::string& relation) {
  for (database::connection* c : {&on_.primary, &on_.secondary}) {
    auto r = c->execute(std::string("SELECT EXISTS (SELECT FROM ") + holding_relations +
                            " WHERE c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid))",
                        {relation});
    if (!r) return r.error();
    if (r->boolean(0, 0)) return true;
  }
  return false;
}

}  // namespace pgtandem::reconcile
