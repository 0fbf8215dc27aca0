#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;
namespace backend = protocol::backend;

namespace {
// Questions that the client's next message must wait for.
bool blocks(purpose p) {
  switch (p) {
    case purpose::resolve:
    case purpose::recall:
    case purpose::belongings:
    case purpose::pack:
    case purpose::replay:
    case purpose::claim:
    case purpose::warnings: return true;
    default: return false;
  }
}
// Extended messages before a Query: an error there makes the primary skip the Query too.
bool precedes(purpose p) { return p == purpose::begin || p == purpose::fence; }
}  // namespace

// One question by the extended protocol under names of our own. Ends with Flush inside a client's pipeline, with Sync outside.
void session::state::ask(purpose why, std::string_view sql, const std::vector<std::optional<std::string>>& parameters) {
  std::vector<std::optional<std::string_view>> values;
  for (const auto& p : parameters) values.push_back(p ? std::optional<std::string_view>(*p) : std::nullopt);
  awaited a{.what = request::own, .own = why, .pieces = 4, .to_ready = !unsynced};
  if (why == purpose::rollback) {   // a question that has failed may have left its portal
    protocol::write_close(out.to_primary, protocol::describe_kind::portal, own_portal);
    ++a.pieces;
  }
  protocol::write_close(out.to_primary, protocol::describe_kind::statement, own_statement);
  protocol::write_parse(out.to_primary, own_statement, sql);
  protocol::write_bind(out.to_primary, own_portal, own_statement, values);
  protocol::write_execute(out.to_primary, own_portal);
  protocol::write_close(out.to_primary, protocol::describe_kind::portal, own_portal);
  if (a.to_ready) protocol::write_sync(out.to_primary);
  else protocol::write_flush(out.to_primary);
  flushed = true;
  own_rows.clear();
  if (blocks(why)) ++asking;
  await(std::move(a));
}

// A question asked again and again: prepared once per connection. Followed by a message of the client's, so neither Sync nor Flush.
// `instead_of`: one that is not needed any more.
void session::state::ask_prepared(purpose why, const std::string& name, std::string_view sql, const std::string& instead_of) {
  awaited a{.what = request::own, .own = why, .pieces = 2};
  if (own_prepared.erase(instead_of) != 0) {
    protocol::write_close(out.to_primary, protocol::describe_kind::statement, instead_of);
    ++a.pieces;
  }
  if (own_prepared.insert(name).second) {
    protocol::write_close(out.to_primary, protocol::describe_kind::statement, name);
    protocol::write_parse(out.to_primary, name, sql);
    a.pieces += 2;
  }
  protocol::write_bind(out.to_primary, own_portal, name);
  protocol::write_execute(out.to_primary, own_portal);
  protocol::write_close(out.to_primary, protocol::describe_kind::portal, own_portal);
  await(std::move(a));
}

void session::state::ask_simple(purpose why, std::string_view sql) {
  protocol::write_query(out.to_primary, sql);
  flushed = true;
  own_rows.clear();
  if (blocks(why)) ++asking;
  await({.what = request::own, .own = why, .to_ready = true});
}

void session::state::ask_fence() {
  if (fence_asked && !tx.needs_fence()) return;
  std::int32_t epoch = rules().routing.epoch;
  tx.writes.open(epoch);
  const std::string name = "pgtandem_fence_" + std::to_string(epoch), before = std::exchange(fence_name, name);
  ask_prepared(purpose::fence, name, fence_query(epoch), before == name ? std::string() : before);   // epochs come and go for weeks
  tx.fenced();
  fence_asked = true;
}

// Makes the primary's transaction fail where only we know that it must.
void session::state::make_fail() {
  protocol::write_close(out.to_primary, protocol::describe_kind::statement, own_statement);
  protocol::write_parse(out.to_primary, own_statement, failing_query);
  awaited a{.what = request::own, .own = purpose::fail, .pieces = 2, .to_ready = !unsynced};
  if (a.to_ready) protocol::write_sync(out.to_primary);
  else protocol::write_flush(out.to_primary);
  flushed = true;
  await(std::move(a));
}

void session::state::own_answer(awaited& a, const frame& f) {
  switch (f.type) {
    case backend::parse_complete:
    case backend::bind_complete:
    case backend::close_complete:
      if (a.pieces > 0 && --a.pieces == 0 && !a.to_ready) {
        awaited done = std::move(a);
        awaiting.pop_front();
        own_done(std::move(done));
      }
      return;
    case backend::data_row: {
      auto row = protocol::decode_data_row(f.body);
      if (!row) return;
      std::vector<std::string> fields;
      for (const auto& v : *row) fields.emplace_back(v.value_or(std::string_view()));
      if (a.own == purpose::fence) {
        if (fields.size() >= 3 && tx.writes.current()) tx.writes.identify(fields[0], fields[1]);
      } else {
        own_rows.push_back(std::move(fields));
      }
      return;
    }
    default: return;
  }
}

void session::state::own_done(awaited a) {
  if (!a.failed) resolve_error.clear();
  if (blocks(a.own)) --asking;
  switch (a.own) {
    case purpose::resolve:
      for (const auto& row : own_rows)
        if (row.size() >= 4) known.learn(row[0], meaning_of(row));
      if (a.failed || own_rows.empty()) resolve_failed = true;
      if (script.active()) advance_script();
      return;
    case purpose::recall:
      learn_executable(a.failed);
      if (script.active()) advance_script();
      return;
    case purpose::warnings:
      script.asked_warnings = true;
      if (script.active()) advance_script();
      return;
    case purpose::undo:
      tx.over();
      tx.begin(latest);
      return;
    case purpose::claim:
      if (!a.failed) key_answered();
      if (keyed_query) {
        if (a.failed) keyed_query->failed = true;
        query_key_answered();
      }
      return;
    case purpose::record:
      if (a.failed) abandon_commit();
      else outcome_recorded();
      return;
    case purpose::check_constraints:
      if (a.failed) abandon_commit();
      else apply();
      return;
    case purpose::mark_dirty:
      if (a.failed) abandon_commit();
      else send_commit();
      return;
    case purpose::commit:
    case purpose::rollback:
      if (!a.to_ready) return;   // inside a pipeline: its Sync will answer
      if (!a.failed) out.to_client += held_complete;
      held_complete.clear();
      say_ready(status);
      return;
    case purpose::resync:
    case purpose::fail:
      if (!a.to_ready) return;
      query_ready(std::move(failed_query));
      return;
    case purpose::belongings: belongings_told(a.failed); return;
    case purpose::pack: packed(a.failed); return;
    case purpose::replay: replayed(a.failed); return;
    default: return;
  }
}

// It was sent and never read: what it was to prepare is not there.
void session::state::forget_skipped(const awaited& a) {
  if (a.what != request::own) return;
  if (precedes(a.own)) own_prepared.clear();   // each is closed before it is prepared again
  if (a.own == purpose::reparse && a.statement) a.statement->connection = 0;
}

// An error in answer to a question of ours.
void session::state::own_failed(const frame& f) {
  awaited& a = awaiting.front();
  a.failed = true;
  auto e = protocol::decode_error(f.body);
  bool fenced_off = a.own == purpose::fence && e && e->sqlstate() == undefined_table;
  auto say = [&] {
    const bool replica = a.own == purpose::fence && e && e->sqlstate() == invalid_text;
    std::string ours;
    if (fenced_off) ours = error_message(failure::stale_epoch);
    if (replica) ours = error_message(failure::refused_construct, "a write under a session_replication_role other than origin");
    if (!ours.empty()) count_refusal(ours);
    out.to_client.append(ours.empty() ? f.whole : std::string_view(ours));
  };
  if (precedes(a.own) || a.own == purpose::reparse) {
    own_prepared.clear();   // it may be the statement itself that is gone
    say();
    if (a.own == purpose::reparse && a.statement) a.statement->connection = 0;
    while (!awaiting.empty() && awaiting.front().what == request::own && !awaiting.front().to_ready) {
      if (blocks(awaiting.front().own)) --asking;
      take_back(awaiting.front());
      awaiting.pop_front();
    }
    if (!awaiting.empty() && awaiting.front().own == purpose::claim) {   // its Sync ends the skipping
      awaiting.front().failed = true;
      return;
    }
    if (!unsynced && !awaiting.empty() && awaiting.front().what == request::query) {   // skipped by the primary: bring it back
      failed_query = std::move(awaiting.front());
      failed_query.failed = true;
      awaiting.pop_front();
      protocol::write_sync(out.to_primary);
      await({.what = request::own, .own = purpose::resync, .to_ready = true});
    } else {
      skip_extended();
    }
    return;
  }
  switch (a.own) {
    case purpose::fail: break;
    case purpose::resolve:
    case purpose::recall: resolve_error = f.whole; break;
    case purpose::belongings:
    case purpose::pack: break;
    case purpose::replay:
      if (a.dispensable && e && of_the_statement(e->sqlstate())) a.failed = false;
      break;
    default: say();   // commit, check_constraints, mark_dirty: it is the answer to the client's COMMIT
  }
  if (a.own == purpose::commit) held_complete.clear();
  if (a.to_ready) return;   // ReadyForQuery follows
  awaited done = std::move(a);
  awaiting.pop_front();
  if (done.own == purpose::resolve || done.own == purpose::recall) say();
  skip_extended();
  if (done.own == purpose::fail) return;
  own_done(std::move(done));
  resolve_failed = false;   // it has been said
}

}  // namespace pgtandem::session
