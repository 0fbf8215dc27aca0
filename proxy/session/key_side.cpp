// Idempotency keys: key and outcome are a row in the primary's own transaction, mirrored like any other row. The ledger is never asked.
#include <algorithm>
#include <utility>

#include "proxy/session/keyed_outcome.hpp"
#include "proxy/session/state.hpp"

namespace pgtandem::session {

using stage = idempotency::stage;

void session::state::note_key_setting(std::string_view sql) {
  if (!keys_used) keys_used = sql.find("pgtandem.idempotency_key") != std::string_view::npos;
}

bool session::state::wants_key(const sql::analysis* a) const { return keys_used || (a && a->idempotency_key); }

namespace {
bool writes(const sql::statement& s) {
  using kind = sql::statement_kind;
  return s.kind == kind::insert || s.kind == kind::update || s.kind == kind::delete_ ||
         (s.kind == kind::uncaptured && (s.construct == "MERGE" || s.construct == "data-modifying CTE"));
}
}  // namespace

// Does a key cover it, where nothing is mirrored? What EXECUTE does is not known: it counts if its text names the key.
bool session::state::key_covers(const sql::statement& s, const sql::analysis& a) {
  return writes(s) || (s.kind == sql::statement_kind::execute && a.idempotency_key);
}

// Writes with a key in a phase that does not mirror: only their key is looked after.
bool session::state::keyed_only(const sql::analysis& a) const {
  if (mirrors_now() || tx.rules()->routing.epoch == 0 || status == 'E' || !wants_key(&a)) return false;
  return std::any_of(a.statements.begin(), a.statements.end(), [&](const sql::statement& s) { return key_covers(s, a); });
}

// And the COMMIT of such a block, before which the key is recorded.
bool session::state::ends_keyed(const sql::analysis& a) const {
  return key.now == stage::claimed && status == 'T' &&
         std::any_of(a.statements.begin(), a.statements.end(), [](const sql::statement& s) { return s.kind == sql::statement_kind::commit; });
}

// Is the part of a string the one before which its key has to be claimed, if it is the first?
bool session::state::claims(const plan& part) {
  return part.captures || (!mirrors() && std::any_of(part.steps.begin(), part.steps.end(), [](const step& s) { return s.writes; }));
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
  key.named = given.has_value();
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
    tx.claimed();
    key.outcome.clear();
    key.too_large = false;
  }
}

// A transaction has ended, or was rolled back to a savepoint: a claim may have gone with it.
void session::state::key_undone(bool ended) {
  if (ended) key = {};
  else if (key.now == stage::claimed && !tx.holds_claim()) key = {.late = key.late};
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
  const keyed_string kept = keyed_string_of(*script.text, script.in_block);
  if (key.now != stage::absent && kept == keyed_string::refused) {
    key = {};   // a claim goes with the transaction
    refuse_key(failure::key_misplaced, std::move(w));
    return;
  }
  if (key.now != stage::taken) {
    w.keyed = kept == keyed_string::replayed && key.now == stage::claimed;
    if (key.now == stage::claimed && !w.keyed) key.too_large = true;   // only the fact is kept
    forward(message);
    await(std::move(w));
    return;
  }
  if (key.same && kept == keyed_string::replayed && !key.too_large) {
    script.clear();
    out.to_client += key.outcome;
    ask_simple(purpose::rollback, "ROLLBACK");
    return;
  }
  refuse_key(!key.same ? failure::key_reused : kept == keyed_string::replayed ? failure::outcome_not_kept : failure::key_committed, std::move(w));
}

// The Query that waited is answered with an error, which fails its transaction.
void session::state::refuse_key(failure why, awaited w) {
  script.clear();
  const std::string error = error_message(why);
  count_refusal(error);
  out.to_client += error;
  w.failed = true;
  failed_query = std::move(w);
  make_fail();
}

// Belongs the statement to a transaction that has a key, in a phase that does not mirror?
bool session::state::in_keyed(const sql::statement* s) {
  return !mirrors() && s && writes(*s) && key.has();
}

// The same for an Execute. The key covers whatever else its implicit transaction writes from there on.
session::state::key_verdict session::state::execute_key(const prepared& p, const std::string& portal, std::string& error) {
  if (key.now == stage::asked) return key_verdict::wait;
  if (key.must_ask(p.text.get(), keys_used)) {
    if (!drained()) return key_verdict::wait;
    if (mirrors_now() && tx.needs_fence()) ask_fence();
    claim_key(p.text.get(), bind_identity[portal]);
    return key_verdict::wait;
  }
  if (key.differs(p.text.get())) {
    error = error_message(failure::key_second);
    return key_verdict::refused;
  }
  if (key.now == stage::claimed && tx.block) key.too_large = true;
  if (key.now != stage::taken) return key_verdict::proceed;
  if (!drained()) return key_verdict::wait;   // in its turn
  return say_again(identity(p, portal), error);
}

// What makes an Execute this one and no other: its text and, where it is known, its Bind.
std::string session::state::identity(const prepared& p, const std::string& portal) const {
  const auto bound = bind_identity.find(portal);
  return bound == bind_identity.end() ? p.sql : bound->second;
}

// An Execute whose key was taken: its answer of then, or why not.
session::state::key_verdict session::state::say_again(const std::string& statement, std::string& error) {
  failure why = failure::key_reused;
  if (key.same && (tx.block || key.late)) why = failure::key_committed;
  else if (key.same && key.too_large) why = failure::outcome_not_kept;
  else if (key.same && take_part(key.outcome, key.given, statement, out.to_client) == outcome_part::found) return key_verdict::replayed;
  error = error_message(why);
  return key_verdict::refused;
}

// Before an Execute of a write goes out that is not looked after otherwise.
void session::state::note_unkeyed(const sql::statement* s) {
  if (s && writes(*s)) key.late = true;
}

// Before any other.
void session::state::cover(awaited& a, const prepared& p, const std::string& portal) {
  a.keyed = key.now == stage::claimed;
  if (!a.keyed) key.late = true;
  else if (std::exchange(key.covers, true)) a.part_mark = part_mark(identity(p, portal));
}

void session::state::note_part(awaited& a) {
  if (!a.part_mark.empty()) keep_outcome(std::exchange(a.part_mark, {}));
}

void session::state::keep_outcome(std::string_view said) {
  if (key.outcome.size() + said.size() > rules().bounds.idempotent_outcome_max) key.too_large = true;
  if (!key.too_large) key.outcome += said;
}

void session::state::record_outcome() {
  keep_outcome(held_complete);
  if (commit.how == committing::form::query) {   // what the client is about to hear
    std::string said;
    protocol::write_command_complete(said, "COMMIT");
    keep_outcome(said);
  }
  std::optional<std::string> outcome;
  if (!key.too_large) outcome = bytea_literal(key.outcome);
  ask(purpose::record, record_outcome_query, {key.key, outcome});
}

void session::state::outcome_recorded() {
  if (!mirrors_now()) {
    key = {};
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
  key = {};   // recorded: nothing more to do for it in this transaction
  check();
}

}  // namespace pgtandem::session
