#include "proxy/apply/applier.hpp"

#include <algorithm>

namespace pgtandem::apply {

using session::apply_outcome;
using session::apply_result;
using namespace std::chrono_literals;

namespace {

constexpr clock::duration back_off_least = 50ms;
constexpr clock::duration connect_least = 1s;  // to be given to a login, however small the budget
// A group waits for a lock only for this part of the budget, so that its ops still have time to be tried alone.
constexpr std::uint32_t group_share_of_budget = 4;
constexpr std::uint32_t lock_wait_least_ms = 10;

const apply_outcome misfit{apply_result::refused, "22P03", "a row image does not fit its table"};

bool ledger_conflict(const reply& r) {
  return r.sqlstate == "23505" && r.schema == "pgtandem" && r.table.starts_with("ledger");
}

apply_outcome outcome_of(const reply& r) {
  switch (r.outcome) {
    case reply::state::done:
      return {apply_result::applied, "", ""};
    case reply::state::failed:
      return {apply_result::refused, r.sqlstate, r.message};
    case reply::state::lost:
      return {apply_result::lost, r.sqlstate, r.message};
    case reply::state::timed_out:
      return {apply_result::timed_out, r.sqlstate, r.message};
  }
  return {};
}

}  // namespace

applier::applier(std::shared_ptr<work_queue> q)
    : queue_(std::move(q)), channel_(std::make_shared<channel>(queue_->loop)), bell_(queue_->loop.get_executor()) {}

void applier::wake() {
  woken_ = true;
  bell_.cancel();
}

void applier::stop() {
  channel_->interrupt();
  wake();
}

task<> applier::work(std::shared_ptr<applier> self) { co_await self->loop(); }

task<> applier::loop() {
  while (!queue_->stopping) {
    if (generation_ != queue_->generation) {
      generation_ = queue_->generation;
      channel_->close();
      not_before_ = {};
      back_off_ = {};
      if (woken_) co_await ensure_connected();  // ahead of the first op
      continue;
    }
    auto group = queue_->take_group();
    if (!group.empty()) {
      co_await bring(std::move(group));
      continue;
    }
    idle_ = true;
    woken_ = false;
    bell_.expires_at(queue_->waiting.empty() ? clock::time_point::max() : queue_->ready_at());
    co_await bell_.async_wait(as_error);
    idle_ = false;
  }
  channel_->close();
}

task<bool> applier::ensure_connected() {
  channel_->notice_loss();
  if (channel_->connected()) co_return true;
  if (queue_->conninfo.empty() || clock::now() < not_before_) co_return false;
  const auto limit = std::max(connect_least, queue_->answer_limit());
  const reply r = co_await channel_->connect(queue_->conninfo, queue_->session_settings(), clock::now() + limit);
  if (r.outcome == reply::state::done) {
    back_off_ = {};
    co_return true;
  }
  const clock::duration most = std::chrono::milliseconds(queue_->settings.probe_interval_ms);
  back_off_ = std::min(most, std::max(back_off_least, back_off_ * 2));
  not_before_ = clock::now() + back_off_;
  co_return false;
}

task<> applier::bring(std::vector<entry> group) {
  const bool connected = co_await ensure_connected();
  if (queue_->stopping) co_return;
  if (!connected) {
    const apply_outcome lost{apply_result::lost, "08001", "no connection to the secondary"};
    for (const entry& e : group) queue_->finish(e, lost);
    queue_->answer_all_waiting(lost, true);  // they would only hear the same
    co_return;
  }
  std::vector<parsed_op> ops;
  std::vector<entry> sent;
  for (entry& e : group) {
    auto p = parse(*e.op);
    if (!p) {
      queue_->finish(e, misfit);
      continue;
    }
    ops.push_back(std::move(*p));
    sent.push_back(std::move(e));
  }
  if (sent.size() == 1)
    co_await bring_alone(sent[0], false);
  else if (!sent.empty())
    co_await bring_together(sent, ops);
}

task<> applier::bring_together(const std::vector<entry>& sent, std::vector<parsed_op>& ops) {
  const reply r = co_await transact(ops, true);
  if (queue_->stopping) co_return;
  if (r.outcome != reply::state::failed) {
    for (const entry& e : sent) queue_->finish(e, outcome_of(r));
    co_return;
  }
  ++queue_->counted.groups_fell_apart;
  for (const entry& e : sent) {
    co_await bring_alone(e, true);
    if (queue_->stopping) co_return;
  }
}

task<> applier::bring_alone(const entry& e, bool was_in_group) {
  if (e.op->given_up || clock::now() - e.submitted > queue_->answer_limit()) {
    queue_->finish(e, {apply_result::timed_out, "", "given up before it was sent again"});
    co_return;
  }
  if (!co_await ensure_connected()) {
    if (!queue_->stopping) queue_->finish(e, {apply_result::lost, "08001", "no connection to the secondary"});
    co_return;
  }
  auto p = parse(*e.op);  // again: the group's transaction has moved the images out
  if (!p) {
    queue_->finish(e, misfit);
    co_return;
  }
  const reply r = co_await transact({&*p, 1}, was_in_group);
  const apply_outcome outcome = co_await judge(*e.op, r);
  if (!queue_->stopping) queue_->finish(e, outcome);
}

task<reply> applier::transact(std::span<parsed_op> ops, bool several) {
  group_options o;
  o.defer_constraints = queue_->defer_constraints;
  if (several) o.lock_wait_ms = std::max(lock_wait_least_ms, queue_->settings.budget_ms / group_share_of_budget);
  const group_transaction t(ops, o, queue_->frame, queue_->texts, queue_->there);
  ++queue_->counted.groups;
  queue_->counted.grouped_ops += ops.size();
  reply r = co_await channel_->run(t.commands(), clock::now() + queue_->answer_limit());
  co_await clean_up(r);
  co_return r;
}

// A ledger row of that op: its own, from an earlier attempt that had landed after all, or a claim that forbids it.
task<apply_outcome> applier::judge(const session::op& o, reply r) {
  if (r.outcome != reply::state::failed || !ledger_conflict(r) || !channel_->connected()) co_return outcome_of(r);
  const std::string parameters[] = {o.op_id, std::to_string(o.epoch)};
  const command ask{queue_->frame.ledger_kind.get(), parameters};
  const reply kind = co_await channel_->run({&ask, 1}, clock::now() + queue_->answer_limit());
  if (kind.outcome == reply::state::done && kind.value == "op") co_return apply_outcome{apply_result::applied, "", ""};
  co_return apply_outcome{apply_result::refused, "23505", "the op was claimed by a repair"};
}

// Leaves the session outside any transaction and within its bounds.
task<> applier::clean_up(const reply& r) {
  if (!channel_->connected()) co_return;
  std::vector<command> commands;
  if (channel_->in_transaction()) commands.push_back({queue_->frame.rollback.get(), {}});
  const bool stale = r.outcome == reply::state::failed &&
                     (r.sqlstate.starts_with("42") || r.sqlstate.starts_with("0A") || r.sqlstate.starts_with("26"));
  const bool forget = stale || channel_->prepared_full();  // a type or table is another now; or too many texts
  if (forget) commands.push_back({&queue_->frame.deallocate, {}});
  if (commands.empty()) co_return;
  const reply cleaned = co_await channel_->run(commands, clock::now() + queue_->answer_limit());
  if (cleaned.outcome != reply::state::done) channel_->close();
  if (forget) channel_->forget_prepared();
}

}  // namespace pgtandem::apply
