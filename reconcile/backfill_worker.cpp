#include "reconcile/backfill_worker.hpp"

#include <optional>

#include "proxy/telemetry/log.hpp"
#include "reconcile/backfill_table.hpp"
#include "reconcile/session_settings.hpp"

namespace pgtandem::reconcile {
namespace {

using database::connection;
using database::result;
using std::chrono::milliseconds;

constexpr milliseconds retry_after{300};

class worker {
 public:
  worker(backfill_shared& shared, int number) : shared_(shared), number_(number) {}
  void run();

 private:
  const sql::table* next_table();
  result<table_end> work_on(const sql::table& t);
  result<void> connect();
  void pause();

  backfill_shared& shared_;
  const int number_;
  std::optional<connection> primary_, secondary_;
};

void worker::run() {
  while (const sql::table* t = next_table()) {
    auto ended = work_on(*t);
    if (!ended) {
      telemetry::log::warning(
          "backfill of a table interrupted",
          {{"relation", t->qualified}, {"sqlstate", ended.error().sqlstate}, {"why", ended.error().message}});
      // The table's lock goes with its session: whatever is still under way then cannot land after a successor has
      // begun.
      secondary_.reset();
    }
    const bool done = ended && *ended == table_end::verified;
    {
      std::lock_guard lock(shared_.mutex);
      if (done)
        shared_.order.done(*t);
      else
        shared_.order.give_back(*t);
    }
    shared_.changed.notify_all();
    if (!done) pause();
  }
}

const sql::table* worker::next_table() {
  std::unique_lock lock(shared_.mutex);
  const sql::table* t = nullptr;
  shared_.changed.wait(lock, [&] { return shared_.stop || shared_.order.all_done() || (t = shared_.order.take()); });
  if (t && shared_.stop) shared_.order.give_back(*t);
  return shared_.stop ? nullptr : t;
}

result<void> worker::connect() {
  const bool from_source = shared_.at.primary() == control::place::source;
  const std::string name = "backfill " + std::to_string(number_);
  session_limits limits;
  limits.lock = milliseconds(1000);
  for (auto& [session, source] : {std::pair(&primary_, from_source), std::pair(&secondary_, !from_source)}) {
    if (*session && !(*session)->lost()) continue;
    session->reset();
    auto c =
        connection::open(source ? shared_.settings.source : shared_.settings.target, session_options(name, limits));
    if (!c) return c.error();
    session->emplace(std::move(*c));
  }
  return {};
}

result<table_end> worker::work_on(const sql::table& t) {
  if (auto r = connect(); !r) return r.error();
  return backfill_table(shared_, *primary_, *secondary_, t);
}

void worker::pause() {
  std::unique_lock lock(shared_.mutex);
  shared_.changed.wait_for(lock, retry_after, [this] { return shared_.stop.load(); });
}

}  // namespace

void run_backfill_worker(backfill_shared& shared, int number) { worker(shared, number).run(); }

}  // namespace pgtandem::reconcile
