#include <algorithm>
#include <boost/assert.hpp>
#include <utility>

#include "proxy/session/keys.hpp"
#include "proxy/session/state.hpp"

namespace pgtandem::session {

using form = committing::form;
using stage = committing::stage;

namespace {
constexpr std::uint32_t unattended_ms = 20;   // a primary's timeouts below that are not looked after
}  // namespace

// `message` is what commits; it goes to the primary when the secondary has answered or been given up.
void session::state::start_commit(form how, std::string message, awaited answer) {
  commit = {};
  commit.how = how;
  commit.message = std::move(message);
  commit.answer = std::move(answer);
  if (how == form::execute) unsynced = true;
  if (!to_mirror()) {
    send_commit();
    return;
  }
  if (mirrors_now() && !tx.writes.identified()) {   // the fence's answer never came: bytes from outside, so checked
    refuse_commit(error_message(failure::image_broken, "(no transaction id)"));
    return;
  }
  if (key.now == idempotency::stage::claimed) {
    commit.now = stage::recording;
    record_outcome();
    return;
  }
  check();
}

// Failures of deferred constraints must be found before the secondary has committed.
void session::state::check() {
  if (!tx.writes.deferrable()) {
    apply();
    return;
  }
  commit.now = stage::checking;
  ask(purpose::check_constraints, check_constraints_query);
}

void session::state::apply() {
  const world& w = *tx.rules();
  bool overflowed = tx.writes.overflowed();
  commit.write = tx.writes.finish(*w.primary, w.bounds.keys_max);
  ++out.counted.ops;
  if (overflowed) {
    apply_failed("overflow", "its row images exceed dual_write.write_set_max_bytes");
    return;
  }
  commit.now = stage::applying;
  out.submit = commit.write;
  const std::uint32_t first = std::min(w.bounds.budget_ms, unattended_ms);
  commit.left_ms = w.bounds.budget_ms - first;
  out.deadline_ms = first;
}

// The secondary has not answered yet.
void session::state::commit_overdue() {
  if (commit.left_ms > 0) {
    attend_primary();
    out.deadline_ms = std::exchange(commit.left_ms, 0);
    return;
  }
  out.overdue = commit.write;
  apply_failed("timed_out", "it did not answer within dual_write.budget_ms");
}

// While the secondary is waited for, the primary must not end the transaction: its idle_in_transaction_session_timeout runs from
// ReadyForQuery to the next message, whatever that is, and statement_timeout from the Parse of a COMMIT to its Execute or to a Sync
// (postgres.c). Outside of a block a Sync would commit.
void session::state::attend_primary() {
  if (commit.how == form::execute && tx.block) {
    protocol::write_sync(out.to_primary);
    await({.what = request::own, .to_ready = true});
  }
  protocol::write_flush(out.to_primary);
}

// Policy degrade: the keys become dirty inside the client's transaction. Policy strict: the transaction fails.
void session::state::apply_failed(std::string_view reason, std::string_view message) {
  commit.write->given_up = true;
  out.disarm = true;
  const world& w = *tx.rules();
  if (w.bounds.secondary_policy == policy::strict) {
    refuse_commit(error_message(failure::secondary_required, message.empty() ? reason : message));
    return;
  }
  ++out.counted.ops_degraded;
  out.counted.degraded.emplace_back(reason);
  commit.now = stage::marking;
  const op& o = *commit.write;
  // The question goes through the client's connection. A server in SQL_ASCII takes bytes as they are and knows no other characters.
  const bool converts = parameters["server_encoding"] != "SQL_ASCII";
  ask(purpose::mark_dirty, mark_dirty_query, {o.op_id, std::to_string(o.epoch), converts ? ascii_json(o.keys) : o.keys, std::string(reason)});
}

void session::state::send_commit() {
  out.disarm = true;
  commit_sent = true;
  if (meanings_open) forget_names();   // what follows is planned behind the end of this transaction
  forward(commit.message);
  unsynced = commit.how == form::execute;
  if (commit.how == form::sync) server_skips = skip_to_sync = false;
  await(std::move(commit.answer));
  commit = {};
}

// Our own word fails the transaction: `error` is the answer to the commit.
void session::state::refuse_commit(std::string_view error) {
  count_refusal(error);
  out.to_client.append(error);
  held_complete.clear();
  script.clear();
  form how = commit.how;
  std::string message = std::move(commit.message);
  awaited answer = std::move(commit.answer);
  commit = {};
  switch (how) {
    case form::wrapped:
    case form::query: ask_simple(purpose::rollback, "ROLLBACK"); return;
    case form::execute:
      ask(purpose::rollback, "ROLLBACK");
      skip_to_sync = true;
      return;
    case form::sync:
      ask(purpose::rollback, "ROLLBACK");
      forward(message);
      unsynced = false;
      await(std::move(answer));
      return;
  }
}

// A question of ours failed, which failed the transaction; the client has heard the primary's error.
void session::state::abandon_commit() {
  if (commit.write) commit.write->given_up = true;
  held_complete.clear();
  script.clear();
  form how = commit.how;
  std::string message = std::move(commit.message);
  awaited answer = std::move(commit.answer);
  commit = {};
  switch (how) {
    case form::wrapped:
    case form::query: ask_simple(purpose::rollback, "ROLLBACK"); return;
    case form::execute:   // now: behind the client's Sync more may be on its way, which is not to meet the failed block
      protocol::write_sync(out.to_primary);
      await({.what = request::own, .to_ready = true});
      server_skips = false;
      ask(purpose::rollback, "ROLLBACK");
      skip_to_sync = true;
      return;
    case form::sync:
      server_skips = false;
      forward(message);
      unsynced = false;
      await(std::move(answer));
      return;
  }
}

}  // namespace pgtandem::session
