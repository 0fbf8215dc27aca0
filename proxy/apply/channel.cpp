#include "proxy/apply/channel.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>

namespace pgtandem::apply {

namespace {

constexpr const char* no_settings =
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog' || coalesce(', ' || "
    "(SELECT string_agg(DISTINCT pg_catalog.quote_ident(n.nspname), ', ') FROM pg_catalog.pg_operator o JOIN "
    "pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE o.oprname = '=' AND n.nspname NOT IN ('pg_catalog', "
    "'information_schema')), ''), false)";

void ignore_notice(void*, const PGresult*) {}

std::string diagnostic(const PGresult* r, int field) {
  const char* text = PQresultErrorField(r, field);
  return text ? text : "";
}

// PostgreSQL's primary message where it names objects only; a message of these classes may quote a value.
std::string safe_message(const PGresult* r, const std::string& sqlstate) {
  static constexpr std::string_view quoting[] = {"22", "P0", "XX", ""};
  if (std::ranges::any_of(quoting, [&](std::string_view c) { return sqlstate.substr(0, 2) == c; }))
    return "SQLSTATE " + sqlstate;
  return diagnostic(r, PG_DIAG_MESSAGE_PRIMARY);
}

std::string name_of(std::uint64_t id) { return "p" + std::to_string(id); }

// libpq's first step; it does not block where the hosts are addresses. What stands behind dbname has its word over it.
pg_conn* start(const std::string& conninfo, const database::host_options& at) {
  const char* names[] = {"keepalives_idle",
                         "keepalives_interval",
                         "keepalives_count",
                         "tcp_user_timeout",
                         "dbname",
                         "host",
                         "hostaddr",
                         "port",
                         "application_name",
                         "client_encoding",
                         nullptr};
  const char* values[] = {"10",
                          "5",
                          "3",
                          "15000",
                          conninfo.c_str(),
                          at.host.c_str(),
                          at.hostaddr.c_str(),
                          at.port.c_str(),
                          "pgtandem applier",
                          "UTF8",
                          nullptr};
  return PQconnectStartParams(names, values, 1);
}

using result_holder = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

channel::channel(asio::io_context& loop) : loop_(loop), timer_(loop.get_executor()) {}
channel::~channel() { close(); }

void channel::close() {
  waited_.reset();
  if (conn_) PQfinish(std::exchange(conn_, nullptr));
  prepared_.clear();
}

void channel::interrupt() {
  expired_ = true;
  if (waited_) waited_->cancel();
}

bool channel::in_transaction() const { return conn_ && PQtransactionStatus(conn_) != PQTRANS_IDLE; }

void channel::forget_prepared() { prepared_.clear(); }

void channel::notice_loss() {
  if (!conn_) return;
  if (!PQconsumeInput(conn_) || PQstatus(conn_) != CONNECTION_OK) close();
}

void channel::arm(clock::time_point deadline) {
  expired_ = false;
  timer_.expires_at(deadline);
  timer_.async_wait([weak = weak_from_this(), n = ++armed_](boost::system::error_code e) {
    const auto self = weak.lock();
    if (!e && self && self->armed_ == n) self->interrupt();
  });
}

void channel::watch(int fd) {
  waited_.reset();
  if (const int own = ::dup(fd); own >= 0) waited_.emplace(loop_.get_executor(), own);
}

task<bool> channel::wait(descriptor::wait_type what) {
  if (expired_ || !waited_) co_return false;
  const auto [e] = co_await waited_->async_wait(what, as_error);
  co_return !e && !expired_;
}

// The call has ended without its answer: why, and the connection is of no use any more.
void channel::note_end(reply& r) {
  r.outcome = expired_ ? reply::state::timed_out : reply::state::lost;
  if (r.sqlstate.empty()) r.sqlstate = expired_ ? "57014" : "08006";
  if (r.message.empty())
    r.message = expired_ ? "no answer from the secondary in time" : "the connection to the secondary was lost";
  close();
}

// --- login

task<bool> channel::look_up(const std::string& conninfo, database::host_addresses& hosts) {
  const auto where = database::resolve(conninfo);
  if (!where) co_return false;
  hosts = database::without_lookup(where->endpoints);
  if (!hosts.empty()) co_return true;
  const auto lookup = database::host_lookup::of(where->endpoints);
  if (!lookup) co_return false;
  watch(lookup->descriptor());
  if (!lookup->done() && !co_await wait(descriptor::wait_read)) co_return false;
  if (lookup->done()) hosts = lookup->answer();
  co_return !hosts.empty();
}

task<bool> channel::finish_login(reply& r) {
  PostgresPollingStatusType s = PGRES_POLLING_WRITING;
  while (s != PGRES_POLLING_OK) {
    watch(PQsocket(conn_));  // libpq may have moved on to another address under the same number
    const bool ready = co_await wait(s == PGRES_POLLING_READING ? descriptor::wait_read : descriptor::wait_write);
    if (!ready) co_return false;
    s = PQconnectPoll(conn_);
    if (s == PGRES_POLLING_FAILED) {
      r.message = "cannot connect to the secondary";  // libpq's words may name users; the operator has `pgtandem check`
      r.sqlstate = "08001";
      co_return false;
    }
  }
  watch(PQsocket(conn_));
  co_return true;
}

// One round trip, before pipeline mode.
task<bool> channel::set_up(const settings_list& settings, reply& r) {
  std::string sql = no_settings;
  for (const auto& [name, value] : settings) sql += ", pg_catalog.set_config('" + name + "', '" + value + "', false)";
  if (!PQsendQuery(conn_, sql.c_str())) co_return false;
  if (!co_await flush()) co_return false;
  for (;;) {
    const auto result = co_await next();
    if (!result) co_return false;
    if (!*result) break;
    take(*result, {expected::answer, 0}, r);
  }
  const bool done = r.outcome == reply::state::done;
  co_return done&& PQenterPipelineMode(conn_) == 1;
}

task<reply> channel::connect(std::string conninfo, settings_list settings, clock::time_point deadline) {
  const auto self = shared_from_this();
  close();
  arm(deadline);
  reply r;
  database::host_addresses hosts;
  bool ready = co_await look_up(conninfo, hosts);
  if (ready) {
    conn_ = start(conninfo, database::options_of(hosts, first_host_));
    ready = conn_ && PQstatus(conn_) != CONNECTION_BAD;
  }
  if (ready) {
    PQsetNoticeReceiver(conn_, ignore_notice, nullptr);
    ready = co_await finish_login(r);
    ready = ready && PQsetnonblocking(conn_, 1) == 0;
    if (ready) ready = co_await set_up(settings, r);
  }
  if (!ready) {
    if (expired_ && conn_) ++first_host_;
    if (!expired_ && r.sqlstate.empty()) r.sqlstate = "08001", r.message = "cannot connect to the secondary";
    note_end(r);
  }
  r.value.reset();
  timer_.cancel();
  co_return r;
}

// --- commands

// Hands out what libpq has buffered. Answers cannot stop the server meanwhile: a chunk's fit into its socket buffer.
task<bool> channel::flush() {
  for (;;) {
    const int unsent = PQflush(conn_);
    if (unsent == 0) co_return true;
    if (unsent < 0) co_return false;
    const bool writable = co_await wait(descriptor::wait_write);
    if (!writable || !PQconsumeInput(conn_)) co_return false;
  }
}

task<std::optional<pg_result*>> channel::next() {
  while (PQisBusy(conn_)) {
    const bool readable = co_await wait(descriptor::wait_read);
    if (!readable || !PQconsumeInput(conn_)) co_return std::nullopt;
  }
  co_return PQgetResult(conn_);
}

bool channel::send(const command& c, std::vector<awaited>& list) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& p : c.parameters) {
    values.push_back(p.c_str());
    lengths.push_back(static_cast<int>(p.size()));
  }
  const int n = static_cast<int>(values.size());
  if (c.text->id == 0) {
    list.push_back({expected::answer, 0});
    return PQsendQueryParams(conn_, c.text->sql.c_str(), n, nullptr, values.data(), lengths.data(), nullptr, 0) == 1;
  }
  const std::string name = name_of(c.text->id);
  const bool under_way =
      std::ranges::any_of(list, [&](const awaited& a) { return a.what == expected::prepared && a.id == c.text->id; });
  if (!under_way && !prepared_.contains(c.text->id)) {
    list.push_back({expected::prepared, c.text->id});
    if (!PQsendPrepare(conn_, name.c_str(), c.text->sql.c_str(), 0, nullptr)) return false;
  }
  list.push_back({expected::answer, 0});
  return PQsendQueryPrepared(conn_, name.c_str(), n, values.data(), lengths.data(), nullptr, 0) == 1;
}

void channel::take(pg_result* result, const awaited& a, reply& r) {
  const result_holder holder(result, PQclear);
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
      if (a.what == expected::prepared) prepared_.insert(a.id);
      return;
    case PGRES_TUPLES_OK:
      if (PQntuples(result) > 0 && PQnfields(result) > 0) r.value = PQgetvalue(result, PQntuples(result) - 1, 0);
      return;
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
      return;
    default:
      if (r.outcome != reply::state::done) return;
      r.outcome = reply::state::failed;
      r.sqlstate = diagnostic(result, PG_DIAG_SQLSTATE);
      r.message = safe_message(result, r.sqlstate);
      r.schema = diagnostic(result, PG_DIAG_SCHEMA_NAME);
      r.table = diagnostic(result, PG_DIAG_TABLE_NAME);
  }
}

// Every command gives one result and the null that ends it; a sync gives one result.
task<bool> channel::read(std::span<const awaited> list, reply& r) {
  for (const awaited& a : list) {
    const auto result = co_await next();
    if (!result || !*result) co_return false;
    take(*result, a, r);
    if (a.what == expected::sync) continue;
    const auto end = co_await next();
    if (end && *end) PQclear(*end);
    if (!end || *end) co_return false;
  }
  co_return PQstatus(conn_) == CONNECTION_OK;
}

task<reply> channel::run(std::span<const command> commands, clock::time_point deadline) {
  const auto self = shared_from_this();
  reply r;
  if (!conn_) {
    note_end(r);
    co_return r;
  }
  arm(deadline);
  bool synced = false, alive = true;
  for (std::size_t i = 0; alive && !synced; i += chunk) {
    std::vector<awaited> list;
    const auto part =
        commands.subspan(std::min(i, commands.size()), std::min(chunk, commands.size() - std::min(i, commands.size())));
    synced = i + chunk >= commands.size() || r.outcome != reply::state::done;
    if (r.outcome == reply::state::done)
      for (const command& c : part) alive = alive && send(c, list);
    if (synced) list.push_back({expected::sync, 0});
    alive = alive && (synced ? PQpipelineSync(conn_) : PQsendFlushRequest(conn_)) == 1;
    if (alive) alive = co_await flush();
    if (alive) alive = co_await read(list, r);
  }
  if (!alive) note_end(r);
  timer_.cancel();
  co_return r;
}

}  // namespace pgtandem::apply
