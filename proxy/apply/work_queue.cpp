#include "proxy/apply/work_queue.hpp"

#include <boost/asio/post.hpp>

namespace pgtandem::apply {

using session::apply_outcome;
using session::apply_result;

work_queue::work_queue(asio::io_context& l, std::string c, pool_settings s)
    : loop(l), settings(s), conninfo(std::move(c)), health(s.breaker_failures, s.breaker_successes), frame(texts) {}

bool work_queue::ready() const {
  return !waiting.empty() &&
         (expected == 0 || without > 0 || waiting.size() >= settings.group_max || clock::now() >= ready_at());
}

std::vector<entry> work_queue::take_group() {
  std::vector<entry> group;
  if (!ready()) return group;
  if (without > 0)
    --without;
  else if (settings.gather_us != 0 && expected != 0 && waiting.size() == 1)
    without = groups_without;
  std::size_t bytes = 0;
  while (!waiting.empty() && group.size() < settings.group_max) {
    entry& e = waiting.front();
    if (e.op->given_up || clock::now() - e.submitted > answer_limit()) {
      finish(e, {apply_result::timed_out, "", "given up before it was sent"});  // says nothing about the secondary
    } else {
      bytes += e.op->images.size();
      if (!group.empty() && bytes > group_bytes_max) break;
      group.push_back(std::move(e));
    }
    waiting.pop_front();
  }
  return group;
}

void work_queue::answer_later(entry e, apply_outcome outcome) {
  asio::post(loop, [e = std::move(e), outcome = std::move(outcome)] { e.done(e.op, outcome); });
}

void work_queue::finish(const entry& e, apply_outcome outcome) {
  ++counted.ops;
  if (outcome.result == apply_result::refused) ++counted.refused;
  if (outcome.result == apply_result::lost) ++counted.lost;
  if (outcome.result == apply_result::timed_out) ++counted.timed_out;
  // An overdue op has been counted. What it brings in the end says little: a success in time would have been one.
  const bool late = e.op->overdue;
  if (outcome.result == apply_result::applied && !late) health.succeeded();
  const bool sent = outcome.result != apply_result::timed_out || !outcome.sqlstate.empty();
  const bool opened = sent && !late && counts_as_failure(outcome.result, outcome.sqlstate) && health.failed();
  answer_later(e, std::move(outcome));
  if (opened && breaker_has_opened) breaker_has_opened();
}

void work_queue::answer_all_waiting(const apply_outcome& outcome, bool counts) {
  std::deque<entry> all;
  all.swap(waiting);
  for (entry& e : all) {
    if (counts)
      finish(e, outcome);
    else
      answer_later(std::move(e), outcome);
  }
}

settings_list work_queue::session_settings() const {
  const std::string budget = std::to_string(settings.budget_ms),
                    limit = std::to_string(4 * std::uint64_t{settings.budget_ms});
  return {{"synchronous_commit", "on"},
          {"lock_timeout", budget},
          {"statement_timeout", limit},
          {"idle_in_transaction_session_timeout", "10000"},  // a proxy that stands still must not keep locks
          {"DateStyle", "ISO, YMD"},
          {"IntervalStyle", "postgres"},
          {"TimeZone", "UTC"},
          {"lc_monetary", "C"},
          {"client_min_messages", "error"},
          // The rows come by key: one plan for all, over the index.
          {"plan_cache_mode", "force_generic_plan"},
          {"enable_seqscan", "off"},
          {"enable_hashjoin", "off"},
          {"enable_mergejoin", "off"},
          {"jit", "off"}};
}

}  // namespace pgtandem::apply
