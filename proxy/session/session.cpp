#include "proxy/session/session.hpp"

#include "proxy/session/state.hpp"

namespace pgtandem::session {

session::state::state(sql::analyzer& shared, world_ptr w, const server_hello& primary)
    : analyze(shared), latest(std::move(w)), where(latest->routing.primary()) {
  for (const auto& [name, value] : primary.parameters) learn_parameter(name, value);
}

session::session(sql::analyzer& shared, world_ptr w, const server_hello& primary)
    : s_(std::make_unique<state>(shared, std::move(w), primary)) {}
session::~session() = default;

void session::client_data(std::string_view bytes) { s_->process_client(bytes); }

void session::primary_data(std::string_view bytes) {
  std::string_view all = s_->from_primary.with(bytes);
  std::size_t used = s_->ended ? all.size() : s_->consume_primary(all);
  s_->from_primary.keep(all.substr(used));
  s_->process_client({});
  settle();
}

void session::client_closed() {
  if (s_->commit.write) s_->commit.write->given_up = true;
  s_->ended = true;
}

void session::primary_closed(std::string_view why) {
  s_->fatal(s_->commit_sent ? failure::outcome_unknown : failure::primary_lost, why);
}

void session::applied(const op_ptr& o, const apply_outcome& outcome) {
  static constexpr std::string_view reasons[] = {"applied", "refused", "lost", "timed_out", "breaker_open", "queue_full"};
  if (s_->ended || s_->commit.now != committing::stage::applying || s_->commit.write != o) return;
  if (outcome.result == apply_result::applied) s_->send_commit();
  else s_->apply_failed(reasons[static_cast<std::size_t>(outcome.result)], outcome.message);
  s_->process_client({});
}

void session::deadline_passed() {
  if (s_->ended || s_->commit.now != committing::stage::applying) return;
  s_->commit_overdue();
  s_->process_client({});
}

void session::world_changed(world_ptr w) {
  s_->latest = std::move(w);
  if (s_->ended) return;
  s_->routing_changed();
  s_->process_client({});
}

void session::next_primary_ready(const server_hello& h) {
  s_->next_hello = h;
  s_->next = state::spare::ready;
  if (s_->ended) return;
  s_->routing_changed();
  s_->process_client({});
}

void session::next_primary_failed(std::string_view, std::string_view message) {
  s_->next = state::spare::failed;
  s_->next_failure = message;
  if (s_->ended) return;
  s_->routing_changed();
}

bool session::cancel() { return s_->cancel(); }

void session::shutdown(bool now) {
  if (s_->ended) return;
  s_->draining = true;
  if (now) s_->fatal(failure::shut_down);
  settle();
}

// What becomes possible when a transaction has ended.
void session::settle() {
  if (s_->ended || !s_->idle()) return;
  if (s_->draining) s_->fatal(failure::shut_down);
  else if (s_->ask_belongings()) return;
  else if (s_->latest->routing.primary() != s_->where && !s_->latest->routing.holding) {
    s_->may_move();
    s_->process_client({});
  }
}

outbox& session::out() { return s_->out; }
bool session::idle() const { return s_->idle(); }
bool session::about_to_submit() const {
  const state& s = *s_;
  return !s.ended && !s.tx.block && s.commit.now != committing::stage::applying && s.commit.now != committing::stage::marking &&
         !s.commit_sent && s.tx.writes.current();
}
bool session::commit_under_way() const { return s_->commit.now != committing::stage::none; }
std::int32_t session::epoch() const { return s_->tx.rules() ? s_->tx.rules()->routing.epoch : s_->latest->routing.epoch; }
bool session::held() const { return s_->latest->routing.holding && s_->idle(); }
bool session::warm() const { return s_->warm(); }
std::string_view session::unmovable() const { return s_->unmovable(); }

}  // namespace pgtandem::session
