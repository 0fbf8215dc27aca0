#include "config/table.hpp"

namespace pgtandem::config {
namespace {

constexpr std::uint64_t text_max = 64 * 1024;  // bytes of any text setting
constexpr std::uint64_t list_max = 10000;      // entries of any list
constexpr std::uint64_t hour_ms = 3600 * 1000;
constexpr std::uint64_t gib = 1ull << 30;

constexpr bool reloads = true, restarts = false, secret = true, open = false;

#define AT(path) (+[](settings & s) -> auto& { return s.path; })

const row rows[] = {
    {"source", AT(source), "", 1, text_max, "", restarts, secret,
     "The database to move away from: a libpq connection string or URI. Needs the owner role of the pgtandem schema."},
    {"target", AT(target), "", 1, text_max, "", restarts, secret,
     "The database to move to: a libpq connection string or URI."},

    {"scope.exclude", AT(scope.exclude), "", 0, list_max, "", restarts, open,
     "Tables that stay out of the migration: globs over schema.table. Writes to them pass and are not mirrored."},

    {"listen.address", AT(listen.address), "", 1, 255, "", restarts, open,
     "Address on which applications reach the proxy. 0.0.0.0 or :: for all."},
    {"listen.port", AT(listen.port), "", 1, 65535, "", restarts, open, "Port on which applications reach the proxy."},
    {"listen.max_clients", AT(listen.max_clients), "clients", 1, 100000, "", reloads, open,
     "Clients served at once; the next one hears 53300. Each holds one connection to the primary."},
    {"listen.threads", AT(listen.threads), "threads", 0, 256, "", restarts, open,
     "Threads that serve clients. 0 = one per core."},
    {"listen.clients_together", AT(listen.clients_together), "clients", 1, 100000, "", restarts, open,
     "A thread gets so many clients before the next one gets its first, and so on in blocks of this size. Writes of one "
     "thread share transactions on the secondary. 1 = clients spread at once."},
    {"listen.drain_seconds", AT(listen.drain_seconds), "s", 0, 3600, "", reloads, open,
     "On SIGTERM: how long open transactions may go on before they are closed with 57P01."},
    {"listen.login_seconds", AT(listen.login_seconds), "s", 1, 600, "", reloads, open,
     "How long a client may take from its connection to the end of its authentication."},

    {"auth.method", AT(auth.method), "", 0, 32, "trust scram-sha-256", reloads, open,
     "How clients prove who they are to the proxy."},
    {"auth.file", AT(auth.file), "", 0, 4096, "", reloads, open,
     "Users and their SCRAM verifiers or passwords, in the format of pgbouncer's userlist.txt. Read again on SIGHUP."},
    {"auth.query", AT(auth.query), "", 0, text_max, "", restarts, open,
     "Statement that returns (user, verifier) for $1 on the primary, for users that auth.file does not name."},

    {"admin.address", AT(admin.address), "", 1, 255, "", restarts, open, "Address of the admin port."},
    {"admin.port", AT(admin.port), "", 1, 65535, "", restarts, open, "Port of the admin port (HTTP)."},
    {"admin.token", AT(admin.token), "", 0, 4096, "", restarts, secret,
     "Bearer token that requests which change something must carry. Empty = such requests are refused."},

    {"dual_write.policy", AT(dual_write.policy), "", 0, 32, "degrade strict", reloads, open,
     "What a sick secondary does to a write. degrade: the write succeeds and its keys are marked dirty. strict: it "
     "fails."},
    {"dual_write.budget_ms", AT(dual_write.budget_ms), "ms", 1, 60000, "", reloads, open,
     "How long a COMMIT may wait for the secondary."},
    {"dual_write.appliers", AT(dual_write.appliers), "connections", 1, 64, "", restarts, open,
     "Connections to the secondary that apply writes, per thread."},
    {"dual_write.group_max", AT(dual_write.group_max), "ops", 1, 10000, "", restarts, open,
     "Transactions of clients that one transaction on the secondary may carry."},
    {"dual_write.gather_us", AT(dual_write.gather_us), "us", 0, 100000, "", restarts, open,
     "How long a write may wait for others that are about to reach the secondary, so that they share a transaction there."},
    {"dual_write.queue_max", AT(dual_write.queue_max), "ops", 1, 1000000, "", restarts, open,
     "Transactions that may wait for an applier, per thread; beyond it they are degraded at once."},
    {"dual_write.breaker_failures", AT(dual_write.breaker_failures), "failures", 1, 1000, "", restarts, open,
     "Failures of the secondary in a row after which writes are degraded without asking it. After the "
     "breaker has closed one is enough, until a write has succeeded."},
    {"dual_write.breaker_successes", AT(dual_write.breaker_successes), "probes", 1, 1000, "", restarts, open,
     "Successful probes in a row after which the secondary is asked again."},
    {"dual_write.probe_interval_ms", AT(dual_write.probe_interval_ms), "ms", 10, hour_ms, "", restarts, open,
     "Time between two probes of a secondary whose breaker is open."},
    {"dual_write.allowed_functions", AT(dual_write.allowed_functions), "", 0, list_max, "", restarts, open,
     "Functions that PostgreSQL calls volatile but that write nothing, by name without schema. Their callers are not "
     "refused."},
    {"dual_write.statement_max_bytes", AT(dual_write.statement_max_bytes), "bytes", 1024, gib, "", reloads, open,
     "Statements longer than this are not analyzed and count as writes that cannot be mirrored."},
    {"dual_write.write_set_max_bytes", AT(dual_write.write_set_max_bytes), "bytes", 1024, gib, "", reloads, open,
     "Row images that one transaction may hold in memory; beyond it its tables are marked dirty as a whole."},
    {"dual_write.keys_max", AT(dual_write.keys_max), "keys", 1, 10000000, "", reloads, open,
     "Keys that one transaction may name; beyond it its tables are marked dirty as a whole."},

    {"session.buffer_bytes", AT(session.buffer_bytes), "bytes", 4096, 16 << 20, "", restarts, open,
     "Bytes read from a peer at a time, per session and direction."},
    {"session.high_water_bytes", AT(session.high_water_bytes), "bytes", 4096, gib, "", restarts, open,
     "Bytes waiting for a slow peer beyond which the proxy stops reading from the other one."},

    {"reconcile.audit_interval_ms", AT(reconcile.audit_interval_ms), "ms", 1, 60000, "", restarts, open,
     "Time between two rounds of the ledger audit and the drain of dirty keys."},
    {"reconcile.drain_batch", AT(reconcile.drain_batch), "rows", 1, 100000, "", restarts, open,
     "Dirty rows repaired in one transaction."},
    {"reconcile.chunk_rows_max", AT(reconcile.chunk_rows_max), "rows", 1, 10000000, "", restarts, open,
     "Rows of a backfill chunk at most."},
    {"reconcile.chunk_target_ms", AT(reconcile.chunk_target_ms), "ms", 1, 60000, "", restarts, open,
     "Duration that backfill chunks are sized for."},
    {"reconcile.backfill_workers", AT(reconcile.backfill_workers), "workers", 1, 64, "", restarts, open,
     "Chunks copied at the same time."},
    {"reconcile.rows_per_second_max", AT(reconcile.rows_per_second_max), "rows/s", 0, 1000000000, "", restarts, open,
     "Limit of the backfill. 0 = none."},
    {"reconcile.sweep_pair_seconds", AT(reconcile.sweep_pair_seconds), "s", 1, 3600, "", restarts, open,
     "Age at which a pair of comparison snapshots is given up for a fresh one."},
    {"reconcile.sweep_leaf_rows", AT(reconcile.sweep_leaf_rows), "rows", 1, 1000000, "", restarts, open,
     "Rows summed up into one checksum of a sweep."},
    {"reconcile.sweep_pause_ms", AT(reconcile.sweep_pause_ms), "ms", 0, hour_ms, "", restarts, open,
     "Rest between two sweeps."},

    {"ledger.epoch_seconds", AT(ledger.epoch_seconds), "s", 1, 30 * 24 * 3600, "", restarts, open,
     "Age at which the epoch advances by itself, so that the ledger's partition of the old one can be settled and dropped."},
    {"ledger.partition_rows", AT(ledger.partition_rows), "rows", 1000, 1ull << 40, "", restarts, open,
     "Rows of the ledger's present partition at which the epoch advances before its time."},

    {"cutover.unmovable_wait_ms", AT(cutover.unmovable_wait_ms), "ms", 0, 600000, "", restarts, open,
     "How long a flip waits, before anybody is held, for sessions that hold what cannot move; then they are closed with 57P01."},
    {"cutover.hold_deadline_ms", AT(cutover.hold_deadline_ms), "ms", 10, 600000, "", restarts, open,
     "How long new transactions may be held while those in flight end; then the cutover undoes itself."},
    {"cutover.drain_deadline_ms", AT(cutover.drain_deadline_ms), "ms", 10, 600000, "", restarts, open,
     "How long audit and drain may take after the fence; then the cutover undoes itself."},
    {"cutover.lease_ms", AT(cutover.lease_ms), "ms", 100, 600000, "", restarts, open,
     "Age at which the lease of a silent proxy has lapsed and nobody waits for it. All proxies must agree on it."},
    {"cutover.sequence_headroom", AT(cutover.sequence_headroom), "values", 0, 1ull << 40, "", restarts, open,
     "How far the sequences of the secondary are kept ahead of the primary's, at most a sixteenth of what they have left; the flip sets them exactly."},
    {"cutover.sweep_max_age_seconds", AT(cutover.sweep_max_age_seconds), "s", 1, 7 * 24 * 3600, "", restarts, open,
     "Age of the last clean sweep beyond which the gates do not open."},

    {"log.level", AT(log.level), "", 0, 32, "debug info warning error", reloads, open, "Least level that is logged."},
    {"log.format", AT(log.format), "", 0, 32, "plain json", reloads, open,
     "plain: key=value. json: one object a line."},
};

#undef AT

}  // namespace

std::span<const row> table() { return rows; }

const row* find(std::string_view name) {
  for (const row& r : rows)
    if (r.name == name) return &r;
  return nullptr;
}

}  // namespace pgtandem::config
