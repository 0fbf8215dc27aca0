#include "proxy/apply/applier_pool.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "proxy/apply/applier.hpp"
#include "proxy/apply/probe.hpp"

namespace pgtandem::apply {

using session::apply_outcome;
using session::apply_result;

struct applier_pool::impl {
  std::shared_ptr<work_queue> queue;
  std::vector<std::shared_ptr<applier>> appliers;
  std::shared_ptr<probe> prober;

  void when_breaker_opens() {
    queue->answer_all_waiting({apply_result::breaker_open, "", "the breaker is open"}, false);
    asio::co_spawn(queue->loop, probe::until_closed(prober), asio::detached);
  }

  // The idle applier that can start soonest.
  void wake_one() {
    applier* best = nullptr;
    for (const auto& a : appliers)
      if (a->idle() && (!best || (a->connected() && !best->connected()))) best = a.get();
    if (best) best->wake();
  }

  void connect_anew() {
    ++queue->generation;
    for (const auto& a : appliers) a->wake();
  }

  // Something was submitted, or nothing more is expected.
  void ring() {
    if (queue->ready() || queue->waiting.size() == 1)
      wake_one();  // for the others an applier sleeps until they are ready
  }
};

applier_pool::applier_pool(asio::io_context& loop, std::string conninfo, pool_settings s)
    : i_(std::make_unique<impl>()) {
  i_->queue = std::make_shared<work_queue>(loop, std::move(conninfo), s);
  i_->prober = std::make_shared<probe>(i_->queue);
  i_->queue->breaker_has_opened = [pool = i_.get()] { pool->when_breaker_opens(); };
  for (std::uint32_t n = 0; n < std::max(1u, s.appliers); ++n) {
    i_->appliers.push_back(std::make_shared<applier>(i_->queue));
    asio::co_spawn(loop, applier::work(i_->appliers.back()), asio::detached);
  }
}

applier_pool::~applier_pool() {
  i_->queue->stopping = true;
  i_->queue->breaker_has_opened = nullptr;
  for (const auto& a : i_->appliers) a->stop();
  i_->prober->stop();
  i_->queue->waiting.clear();
}

void applier_pool::submit(session::op_ptr o, answer done) {
  entry e{std::move(o), std::move(done), clock::now()};
  work_queue& q = *i_->queue;
  if (q.health.open()) return q.answer_later(std::move(e), {apply_result::breaker_open, "", "the breaker is open"});
  if (q.waiting.size() >= q.settings.queue_max)
    return q.answer_later(std::move(e), {apply_result::queue_full, "", "too many ops are waiting for the secondary"});
  q.waiting.push_back(std::move(e));
  i_->ring();
}

void applier_pool::overdue(const session::op_ptr& o) {
  o->overdue = true;
  if (i_->queue->health.failed()) i_->when_breaker_opens();
}

void applier_pool::expect(int more) {
  std::size_t& expected = i_->queue->expected;
  expected = static_cast<std::size_t>(static_cast<long>(expected) + more);
  if (expected == 0) i_->ring();
}

void applier_pool::secondary_changed(std::string conninfo, sql::catalog_ptr secondary) {
  work_queue& q = *i_->queue;
  q.defer_constraints =
      !secondary || std::ranges::any_of(secondary->by_oid, [](const auto& t) { return t.second->deferrable; });
  q.there.learn(std::move(secondary));
  if (conninfo == q.conninfo) return;
  q.conninfo = std::move(conninfo);
  q.health.reset();  // what is known is about another server
  i_->connect_anew();
}

void applier_pool::use_budget(std::uint32_t ms) {
  if (ms == i_->queue->settings.budget_ms) return;
  i_->queue->settings.budget_ms = ms;
  i_->connect_anew();
}

bool applier_pool::breaker_open() const { return i_->queue->health.open(); }

pool_tally applier_pool::tally() const {
  pool_tally t = i_->queue->counted;
  t.waiting = static_cast<std::uint32_t>(i_->queue->waiting.size());
  t.breaker_opened = i_->queue->health.opened();
  t.breaker_open = i_->queue->health.open();
  return t;
}

}  // namespace pgtandem::apply
