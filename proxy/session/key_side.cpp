// Idempotency keys: key and outcome are a row in the primary's own transaction, mirrored like any other row. The ledger is never asked.
#include "proxy/session/state.hpp"

namespace pgtandem::session {

using stage = idempotency::stage;

void session::state::note_key_setting(std::string_view sql) {
  if (!keys_used) keys_used = sql.find("pgtandem.idempotency_key") != std::string_view::npos;
}

bool session::state::wants_key(const sql::analysis* a) const { return keys_used || (a && a->idempotency_key); }

// A write with a key in a phase that does not mirror: only its key is looked after. In a block the fact alone is kept.
bool session::state::keyed_only(const sql::analysis& a) const {
  using kind = sql::statement_kind;
  if (mirrors_now() || tx.rules()->routing.epoch == 0 || status != 'I' || a.statements.size() != 1 || !wants_key(&a)) return false;
  kind k = a.statements[0].kind;
  return k == kind::insert || k == kind::update || k == kind::delete_;
}

bool session::state::keyed_query_alone(std::string_view sql, sql::analysis_ptr a) {
  if (!drained()) return false;
  start_script(sql, std::move(a));
  advance_script();
  return true;
}

// `identity`: whatever makes the statement this one and no other; the primary keeps its SHA-256.
void session::state::claim_key(const sql::analysis* a, std::string_view identity) {
  std::optional<std::string> given;
  if (a && a->idempotency_key) given = *a->idempotency_key;
  key.now = stage::asked;
  ask(purpose::claim, claim_key_query, {given, bytea_literal(identity)});
}

void session::state::key_answered() {
  key.now = stage::absent;
  if (own_rows.empty() || own_rows.front().size() != 4) return;
  const auto& row = own_rows.front();
  key.key = row[3];
  key.now = row[0] == "t" ? stage::claimed : stage::taken;
  key.same = row[1] == "t";
  key.too_large = row[2].empty() || !from_hex(row[2], key.outcome);
  if (key.now == stage::claimed) {
    key.outcome.clear();
    key.too_large = false;
  }
}

// The Query that waited: sent, answered from the record, or refused.
void session::state::query_key_answered() {
  awaited w = std::move(*keyed_query);
  keyed_query.reset();
  std::string message = std::move(keyed_message);
  if (w.failed) {   // the error has been said
    query_ready(std::move(w));
    return;
  }
  if (key.now != stage::taken) {
    w.keyed = w.alone && key.now == stage::claimed;
    if (key.now == stage::claimed && !w.alone) key.too_large = true;   // of a block only the fact is kept
    forward(message);
    await(std::move(w));
    return;
  }
  script.clear();
  if (key.same && w.alone && !key.too_large) {
    out.to_client += key.outcome;
    ask_simple(purpose::rollback, "ROLLBACK");
    return;
  }
  failure why = !key.same ? failure::key_reused : w.alone ? failure::outcome_not_kept : failure::key_committed;
  const std::string error = error_message(why);
  count_refusal(error);
  out.to_client += error;
  w.failed = true;
  failed_query = std::move(w);
  make_fail();
}

// The same for an Execute.
session::state::key_verdict session::state::execute_key(const prepared& p, const std::string& portal, std::string& error) {
  if (key.now == stage::asked) return key_verdict::wait;
  if (key.now == stage::none) {
    if (!wants_key(p.text.get())) return key_verdict::proceed;
    if (!drained()) return key_verdict::wait;
    if (mirrors_now() && tx.needs_fence()) ask_fence();
    claim_key(p.text.get(), bind_identity[portal]);
    return key_verdict::wait;
  }
  if (key.now == stage::claimed && tx.block) key.too_large = true;
  if (key.now != stage::taken) return key_verdict::proceed;
  if (key.same && !tx.block && !key.too_large) {
    out.to_client += key.outcome;
    return key_verdict::replayed;
  }
  error = error_message(!key.same ? failure::key_reused : tx.block ? failure::key_committed : failure::outcome_not_kept);
  return key_verdict::refused;
}

void session::state::keep_outcome(std::string_view said) {
  if (key.outcome.size() + said.size() > rules().bounds.idempotent_outcome_max) key.too_large = true;
  if (!key.too_large) key.outcome += said;
}

void session::state::record_outcome() {
  keep_outcome(held_complete);
  std::optional<std::string> outcome;
  if (!key.too_large) outcome = bytea_literal(key.outcome);
  ask(purpose::record, record_outcome_query, {key.key, outcome});
}

void session::state::outcome_recorded() {
  if (!mirrors_now()) {
    key.now = stage::none;
    send_commit();
    return;
  }
  static constexpr std::string_view table_name = "pgtandem.idempotency";
  const sql::catalog& c = *tx.rules()->primary;
  const sql::table* t = c.find(table_name);
  bool kept = t && !own_rows.empty() && !own_rows.front().empty() &&
              tx.writes.add(effect_kind::upsert, c.by_oid.at(t->id), c, own_rows.front().front(), true, tx.rules()->bounds.write_set_max) ==
                  write_set::verdict::kept;
  if (!kept) {
    refuse_commit(error_message(failure::schema_changed, table_name));
    return;
  }
  key.now = stage::none;   // recorded: nothing more to do for it in this transaction
  check();
}

}  // namespace pgtandem::session
