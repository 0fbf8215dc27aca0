#include "reconcile/backfill.hpp"

#include <vector>

#include "proxy/telemetry/log.hpp"
#include "reconcile/backfill_worker.hpp"
#include "reconcile/chunk_book.hpp"
#include "reconcile/older_transactions.hpp"
#include "reconcile/session_settings.hpp"

namespace pgtandem::reconcile {
namespace {

using database::result;
using std::chrono::milliseconds;
namespace log = telemetry::log;

constexpr milliseconds look_every{100}, retry_after{500};

void wait(backfill_shared& shared, milliseconds time) {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait_for(lock, time, [&] { return shared.stop.load(); });
}

result<void> announce(backfill_shared& shared, database::connection& primary) {
  for (const sql::table* t : followed_tables(*shared.catalog)) {
    auto r = primary.execute(
        "INSERT INTO pgtandem.progress (relation, state, rows_total, rows_done, bytes_done, updated_at)"
        " VALUES ($1, 'waiting', 0, 0, 0, clock_timestamp()) ON CONFLICT DO NOTHING",
        {t->qualified});
    if (!r) return r.error();
  }
  return {};
}

// A transaction that began before writes were mirrored may still write rows that nobody mirrors: a chunk must not be
// read before it has ended.
result<bool> outlast_older(backfill_shared& shared) {
  const bool from_source = shared.at.primary() == control::place::source;
  auto primary = database::connection::open(from_source ? shared.settings.source : shared.settings.target,
                                            session_options("backfill"));
  if (!primary) return primary.error();
  if (auto r = announce(shared, *primary); !r) return r.error();
  auto older = older_transactions::begin(*primary);
  if (!older) return older.error();
  for (bool told = false; !shared.stop; wait(shared, look_every)) {
    auto left = older->remaining(*primary);
    if (!left) return left.error();
    if (*left == 0) return true;
    if (!told) log::info("backfill waits for older transactions", {{"transactions", *left}});
    told = true;
  }
  return false;
}

void conduct(backfill_shared& shared) {
  for (;; wait(shared, retry_after)) {
    if (shared.stop) return;
    auto waited = outlast_older(shared);
    if (waited && *waited) break;
    if (!waited)
      log::warning("backfill cannot begin", {{"sqlstate", waited.error().sqlstate}, {"why", waited.error().message}});
  }
  std::vector<std::thread> workers;
  for (std::uint32_t i = 0; i < std::max(1u, shared.settings.reconcile.backfill_workers); ++i)
    workers.emplace_back([&shared, i] { run_backfill_worker(shared, static_cast<int>(i)); });
  for (std::thread& w : workers) w.join();
  if (!shared.stop) log::info("backfill complete", {{"tables", followed_tables(*shared.catalog).size()}});
}

}  // namespace

backfill::backfill(const config::settings& s) : settings_(s) {}
backfill::~backfill() { stop(); }

void backfill::start(const standing& at, sql::catalog_ptr primary_catalog) {
  if (running()) return;
  shared_ = std::make_unique<backfill_shared>(settings_, at, std::move(primary_catalog));
  thread_ = std::thread([this] { conduct(*shared_); });
}

void backfill::stop() {
  if (!running()) return;
  {
    std::lock_guard lock(shared_->mutex);
    shared_->stop = true;
  }
  shared_->changed.notify_all();
  thread_.join();
  shared_.reset();
}

}  // namespace pgtandem::reconcile
