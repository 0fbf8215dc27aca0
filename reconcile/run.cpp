#include "reconcile/run.hpp"

#include <chrono>

#include "proxy/telemetry/log.hpp"
#include "reconcile/backfill.hpp"
#include "reconcile/doubt_loop.hpp"
#include "reconcile/place_pair.hpp"
#include "reconcile/sequence_keeper.hpp"
#include "reconcile/sweeper.hpp"

namespace pgtandem::reconcile {
namespace {

using std::chrono::milliseconds;
namespace log = telemetry::log;

constexpr milliseconds retry_after{200};  // a database that is away
constexpr milliseconds stand_by{500};     // another reconciler works, or the phase asks for nothing

class reconciler {
 public:
  reconciler(const config::settings& s, const stop_line& stop)
      : settings_(s), stop_(stop), pair_(s, "doubts"), loop_(s, pair_), backfill_(s), sweeper_(s), sequences_(s) {}

  void run() {
    while (!stop_.rung()) {
      auto wait = step();
      if (!wait) {
        complain(wait.error());
        if (wait.error().lost) pair_.close();
        stop_.rest(retry_after);
        continue;
      }
      complained_.clear();
      listen(*wait);
    }
  }

 private:
  database::result<milliseconds> step() {
    auto now = pair_.connect();
    if (!now) return now.error();
    // What was seen of an incarnation that is gone is no evidence any more: a new pass does not wait for the pause to end.
    if (!now->row().sweeps || !now->goes_on(sweeper_.at()) || loop_.catalog() != sweeper_.catalog() || swept_with_ != pair_.opened())
      sweeper_.ask_to_stop();
    if (!now->row().backfills || now->course != backfilled_.course) backfill_.stop();
    if (!now->row().mirrors) return stand_by;
    auto mine = pair_.hold_lock();
    if (!mine) return mine.error();
    if (*mine != working_)
      log::info(*mine ? "this reconciler works" : "another reconciler works",
                {{"epoch", now->epoch}, {"phase", now->row().name}});
    working_ = *mine;
    if (!working_) {
      sweeper_.ask_to_stop();
      return stand_by;
    }
    auto pause = loop_.round();
    if (pause && now->row().backfills && !backfill_.running()) {
      backfilled_ = *now;
      backfill_.start(*now, loop_.catalog());
    }
    if (pause && now->row().sweeps && now->step == "steady" && sweeper_.idle()) {
      swept_with_ = pair_.opened();
      sweeper_.start(*now, loop_.catalog());
    }
    if (pause && !now->flipping())
      if (auto r = sequences_.keep_ahead(pair_); !r) return r.error();
    return pause;
  }

  // Waits for news, or the stop. What has been read already is asked for first: the socket would not show it.
  void listen(milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!stop_.rung()) {
      auto heard = pair_.bell().wait(milliseconds(0));
      if (!heard || *heard) return;
      limit = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
      if (limit.count() <= 0) return;
      stop_.rest(limit, pair_.bell().socket());
    }
  }

  void complain(const database::error& e) {
    if (e.sqlstate == complained_) return;
    complained_ = e.sqlstate;
    log::warning("reconciler waits", {{"sqlstate", e.sqlstate}, {"why", e.message}});
  }

  const config::settings& settings_;
  const stop_line& stop_;
  place_pair pair_;
  doubt_loop loop_;
  backfill backfill_;
  sweeper sweeper_;
  sequence_keeper sequences_;
  standing backfilled_;  // where the running backfill was started
  int swept_with_ = 0;      // the pair's sessions when the running sweep was started
  bool working_ = false;
  std::string complained_;  // SQLSTATE of the trouble that was reported last
};

}  // namespace

int run_reconciler(const config::settings& s, const stop_line& stop) {
  log::info("reconciler starts");
  reconciler(s, stop).run();
  log::info("reconciler stops");
  return 0;
}

}  // namespace pgtandem::reconcile
