#include "reconcile/backfill_table.hpp"

#include "proxy/telemetry/log.hpp"
#include "reconcile/chunk_pace.hpp"
#include "reconcile/doubts.hpp"
#include "reconcile/table_sql.hpp"
#include "reconcile/transaction_guard.hpp"

namespace pgtandem::reconcile {
namespace {

using database::connection;
using database::result;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;
namespace log = telemetry::log;

constexpr milliseconds publish_every{500};
constexpr milliseconds compared_looked_at_every{100};  // the doubt loop works on another thread

class table_copier {
 public:
  table_copier(backfill_shared& shared, connection& primary, connection& secondary, const sql::table& t)
      : shared_(shared), primary_(primary), secondary_(secondary), t_(t) {}
  result<table_end> run();

 private:
  result<bool> lock();
  result<void> unlock();
  result<void> look_around();
  result<bool> copy_chunks(table_progress p);
  result<bool> compare_whole();
  result<void> publish_state(const char* state, bool always);
  void wait(milliseconds time);

  backfill_shared& shared_;
  connection& primary_;
  connection& secondary_;
  const sql::table& t_;
  published_progress progress_;
  bool as_replica_ = true, not_empty_ = false;
  clock::time_point published_{};
};

result<table_end> table_copier::run() {
  auto mine = lock();
  if (!mine) return mine.error();
  if (!*mine) return table_end::busy;
  auto p = read_progress(secondary_, t_.qualified);
  if (!p) return p.error();
  progress_.rows_done = p->rows_done;
  progress_.bytes_done = p->bytes_done;
  if (auto r = look_around(); !r) return r.error();
  if (!p->finished) {
    if (auto r = publish_state("copying", true); !r) return r.error();
    auto copied = t_.key.empty() ? compare_whole() : copy_chunks(*p);
    if (!copied) return copied.error();
    if (!*copied) return table_end::interrupted;
  }
  progress_.rows_total = progress_.rows_done;
  if (auto r = publish_state("verified", true); !r) return r.error();
  if (auto r = unlock(); !r) return r.error();
  log::info("table copied and verified",
            {{"relation", t_.qualified}, {"migrated_rows", progress_.rows_done}, {"bytes", progress_.bytes_done}});
  return table_end::verified;
}

// Held by the very session that writes the chunks: once a successor has it, nothing of ours can land any more.
result<bool> table_copier::lock() {
  auto r = secondary_.execute("SELECT pg_try_advisory_lock(7433011, hashtext($1))", {t_.qualified});
  if (!r) return r.error();
  return r->boolean(0, 0);
}

result<void> table_copier::unlock() {
  auto r = secondary_.execute("SELECT pg_advisory_unlock(7433011, hashtext($1))", {t_.qualified});
  if (!r) return r.error();
  return {};
}

result<void> table_copier::look_around() {
  auto total = primary_.execute(std::string("SELECT sum(greatest(c.reltuples, 0))::bigint FROM ") + holding_relations,
                                {t_.qualified});
  if (!total) return total.error();
  progress_.rows_total = std::max(total->integer(0, 0), progress_.rows_done);
  transaction_guard guard(secondary_);
  if (auto r = guard.begin(); !r) return r;
  auto allowed = secondary_.run("SET LOCAL session_replication_role = replica");
  if (!allowed && allowed.error().lost) return allowed.error();
  as_replica_ = allowed.has_value();
  return {};
}

result<bool> table_copier::copy_chunks(table_progress p) {
  const config::reconcile_settings& s = shared_.settings.reconcile;
  chunk_pace pace(
      {s.chunk_rows_max, milliseconds(s.chunk_target_ms), s.rows_per_second_max / std::max(1u, s.backfill_workers)});
  ledger_partitions partitions;
  copy_bench bench{primary_, secondary_, partitions, *shared_.catalog, shared_.at, shared_.stop, as_replica_};
  for (chunk next = p.next; !shared_.stop;) {
    const auto began = clock::now();
    auto copied = copy_chunk(bench, t_, next, pace.rows());
    if (!copied) return copied.error();
    if (copied->end == chunk_end::interrupted) return false;
    const auto time = std::chrono::duration_cast<milliseconds>(clock::now() - began);
    progress_.rows_done += copied->made.rows;
    progress_.bytes_done += copied->made.bytes;
    if (auto r = publish_state("copying", false); !r) return r.error();
    log::debug("chunk verified", {{"relation", t_.qualified},
                                  {"n", copied->made.n},
                                  {"rows", copied->made.rows},
                                  {"ms", time.count()},
                                  {"changed", copied->changed}});
    if (copied->end == chunk_end::last_verified) return true;
    const auto rows = static_cast<std::uint32_t>(copied->made.rows);
    pace.took(rows, static_cast<std::uint64_t>(copied->made.bytes), time);
    wait(pace.pause_after(rows, time));
    next = {copied->made.n + 1, copied->made.hi, std::nullopt, 0, 0};
  }
  return false;
}

// A table without a key has no ranges: the repair engine compares it as a whole and copies what is missing.
result<bool> table_copier::compare_whole() {
  auto marked = mark_doubts(primary_, shared_.at, {{t_.qualified, {}, {}, true}}, "backfill");
  if (!marked || !*marked) return marked;
  auto seq = primary_.execute("SELECT max(seq) FROM pgtandem.dirty WHERE relation = $1 AND reason = 'backfill'",
                              {t_.qualified});
  if (!seq) return seq.error();
  const std::string last(seq->at(0, 0));
  if (auto r = publish_state("comparing", true); !r) return r.error();
  while (!shared_.stop) {
    auto open = primary_.execute(
        "SELECT EXISTS (SELECT FROM pgtandem.dirty WHERE relation = $1 AND reason = 'backfill' AND seq <= $2::bigint)",
        {t_.qualified, last.empty() ? "0" : last});
    if (!open) return open.error();
    if (!open->boolean(0, 0)) break;
    wait(compared_looked_at_every);
  }
  if (shared_.stop) return false;
  auto count = secondary_.run("SELECT count(*), pg_relation_size('" + t_.qualified + "') FROM " + rows_of(t_));
  if (!count) return count.error();
  progress_.rows_done = count->integer(0, 0);
  progress_.bytes_done = count->integer(0, 1);
  chunk whole;
  whole.rows = progress_.rows_done;
  whole.bytes = progress_.bytes_done;
  if (auto r = record_copied(secondary_, t_.qualified, whole); !r) return r.error();
  if (auto r = record_verified(secondary_, t_.qualified, whole.n); !r) return r.error();
  return true;
}

result<void> table_copier::publish_state(const char* state, bool always) {
  const auto now = clock::now();
  if (!always && now - published_ < publish_every) return {};
  published_ = now;
  progress_.state = state;
  progress_.rows_total = std::max(progress_.rows_total, progress_.rows_done);
  return publish(primary_, t_.qualified, progress_);
}

void table_copier::wait(milliseconds time) {
  std::unique_lock lock(shared_.mutex);
  shared_.changed.wait_for(lock, time, [this] { return shared_.stop.load(); });
}

}  // namespace

result<table_end> backfill_table(backfill_shared& shared, connection& primary, connection& secondary,
                                 const sql::table& t) {
  return table_copier(shared, primary, secondary, t).run();
}

}  // namespace pgtandem::reconcile
