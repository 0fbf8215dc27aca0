#include "proxy/database/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "proxy/database/host_lookup.hpp"

namespace pgtandem::database {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t copy_piece = 64 * 1024;  // bytes handed to libpq at once

std::string diagnostic(const PGresult* r, int field) {
  const char* text = PQresultErrorField(r, field);
  return text ? text : "";
}

std::string without_newline(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

error error_of(const PGresult* r) {
  error e(diagnostic(r, PG_DIAG_SQLSTATE), diagnostic(r, PG_DIAG_MESSAGE_PRIMARY));
  e.detail = diagnostic(r, PG_DIAG_MESSAGE_DETAIL);
  e.hint = diagnostic(r, PG_DIAG_MESSAGE_HINT);
  e.constraint = diagnostic(r, PG_DIAG_CONSTRAINT_NAME);
  e.schema = diagnostic(r, PG_DIAG_SCHEMA_NAME);
  e.table = diagnostic(r, PG_DIAG_TABLE_NAME);
  if (e.message.empty()) e.message = without_newline(PQresultErrorMessage(r));
  return e;
}

bool failed(ExecStatusType s) { return s == PGRES_FATAL_ERROR || s == PGRES_BAD_RESPONSE || s == PGRES_NONFATAL_ERROR; }

bool copying(ExecStatusType s) { return s == PGRES_COPY_IN || s == PGRES_COPY_OUT || s == PGRES_COPY_BOTH; }

void ignore_notice(void*, const PGresult*) {}

}  // namespace

void throw_exception_from_error(const error& e, const boost::source_location&) { throw std::runtime_error(e.message); }

// --- rows

rows::rows(pg_result* r) : r_(r, [](pg_result* p) { PQclear(p); }) {}
int rows::size() const { return r_ ? PQntuples(r_.get()) : 0; }
int rows::columns() const { return r_ ? PQnfields(r_.get()) : 0; }
bool rows::null(int row, int column) const { return !r_ || PQgetisnull(r_.get(), row, column) != 0; }

std::string_view rows::at(int row, int column) const {
  if (null(row, column)) return {};
  return {PQgetvalue(r_.get(), row, column), static_cast<std::size_t>(PQgetlength(r_.get(), row, column))};
}

std::int64_t rows::integer(int row, int column) const {
  const std::string_view text = at(row, column);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool rows::boolean(int row, int column) const { return at(row, column) == "t"; }

std::string_view rows::tag() const { return r_ ? PQcmdStatus(r_.get()) : ""; }

std::int64_t rows::affected() const {
  if (!r_) return 0;
  const std::string_view text = PQcmdTuples(r_.get());
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// --- the waiting

struct connection::impl {
  PGconn* conn = nullptr;
  std::chrono::milliseconds limit{60000};
  char* copy_line = nullptr;

  ~impl() {
    if (copy_line) PQfreemem(copy_line);
    if (conn) PQfinish(conn);
  }

  bool lost() const { return !conn || PQstatus(conn) != CONNECTION_OK; }

  // The connection cannot be used any more: what the server does with the call is not known.
  error drop(std::string state, std::string why) {
    if (conn) PQfinish(conn);
    conn = nullptr;
    return error(std::move(state), std::move(why), true);
  }
  error drop_as_lost() { return drop("08006", conn ? without_newline(PQerrorMessage(conn)) : "connection is closed"); }

  // Waits for the socket: readable, and writable too if asked. false at the deadline.
  result<bool> wait(bool writable, clock::time_point deadline) {
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
      pollfd p{PQsocket(conn), static_cast<short>(POLLIN | (writable ? POLLOUT : 0)), 0};
      const int n = ::poll(&p, 1, static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, 1 << 30)));
      if (n > 0) return true;
      if (n == 0) {
        if (clock::now() >= deadline) return false;
      } else if (errno != EINTR) {
        return drop("08006", "poll failed");
      }
    }
  }

  // Sends what is buffered and reads until a result can be taken without blocking.
  result<void> until_ready(clock::time_point deadline) {
    for (;;) {
      const int unsent = PQflush(conn);
      if (unsent < 0) return drop_as_lost();
      if (unsent == 0 && !PQisBusy(conn)) return {};
      auto ready = wait(unsent > 0, deadline);
      if (!ready) return ready.error();
      if (!*ready) return drop("57014", "no answer within the limit of " + std::to_string(limit.count()) + " ms");
      if (!PQconsumeInput(conn)) return drop_as_lost();
    }
  }

  result<PGresult*> next_result(clock::time_point deadline) {
    if (auto r = until_ready(deadline); !r) return r.error();
    return PQgetResult(conn);
  }

  // All results of what was sent: the last one, or the first error.
  result<rows> collect() {
    const auto deadline = clock::now() + limit;
    rows last;
    std::optional<error> first_error;
    for (;;) {
      auto r = next_result(deadline);
      if (!r) return r.error();
      if (!*r) break;
      rows holder(*r);
      const ExecStatusType status = PQresultStatus(*r);
      if (copying(status)) return drop("0A000", "COPY where no COPY was expected");
      if (failed(status)) {
        if (!first_error) first_error = error_of(*r);
      } else {
        last = std::move(holder);
      }
    }
    if (lost()) {
      error e = first_error ? std::move(*first_error) : drop_as_lost();
      if (e.sqlstate.empty()) e.sqlstate = "08006";
      e.lost = true;
      return e;
    }
    if (first_error) return std::move(*first_error);
    return last;
  }

  // Sends one COPY command and waits until the server is in that state.
  result<void> enter_copy(std::string_view sql, ExecStatusType wanted) {
    if (lost()) return drop_as_lost();
    if (!PQsendQuery(conn, std::string(sql).c_str())) return drop_as_lost();
    auto r = next_result(clock::now() + limit);
    if (!r) return r.error();
    rows holder(*r);
    if (*r && PQresultStatus(*r) == wanted) return {};
    if (*r && copying(PQresultStatus(*r))) return drop("0A000", "COPY in the other direction was expected");
    error e = *r && failed(PQresultStatus(*r)) ? error_of(*r) : error("42601", "a COPY command was expected");
    if (auto rest = collect(); !rest && rest.error().lost) return rest.error();
    return e;
  }
};

// --- opening

namespace {

// Values before "dbname" are defaults that the connection string may override; those after it are ours.
std::vector<std::pair<const char*, std::string>> login_parameters(const std::string& conninfo, const open_options& o,
                                                                  host_options at) {
  const auto seconds = std::max<std::int64_t>(2, (o.connect_timeout.count() + 999) / 1000);  // libpq's least is 2 s
  return {{"connect_timeout", std::to_string(seconds)},
          {"keepalives_idle", "10"},
          {"keepalives_interval", "5"},
          {"keepalives_count", "3"},
          {"tcp_user_timeout", "15000"},
          {"dbname", conninfo},
          {"host", std::move(at.host)},
          {"hostaddr", std::move(at.hostaddr)},
          {"port", std::move(at.port)},
          {"application_name", o.application_name},
          {"client_encoding", "UTF8"}};
}

}  // namespace

result<connection> connection::open(const std::string& conninfo, const open_options& o) {
  const auto addresses = addresses_of(conninfo, o.connect_timeout);
  if (!addresses) return addresses.error();
  const auto parameters = login_parameters(conninfo, o, options_of(*addresses));
  std::vector<const char*> names, values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name);
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);

  connection c;
  c.i_ = std::make_unique<impl>();
  c.i_->limit = o.statement_limit;
  c.i_->conn = PQconnectdbParams(names.data(), values.data(), 1);
  if (!c.i_->conn) return error("53200", "out of memory", true);
  if (c.i_->lost()) return c.i_->drop("08001", without_newline(PQerrorMessage(c.i_->conn)));
  PQsetNoticeReceiver(c.i_->conn, ignore_notice, nullptr);
  if (PQsetnonblocking(c.i_->conn, 1) != 0) return c.i_->drop_as_lost();

  std::string set =
      "SELECT set_config('client_connection_check_interval', '2000', false) FROM pg_settings WHERE name = "
      "'client_connection_check_interval'";
  std::vector<param> arguments;
  for (const auto& [name, value] : o.settings) {
    const auto n = std::to_string(arguments.size() + 1), v = std::to_string(arguments.size() + 2);
    set += " UNION ALL SELECT set_config($" + n + ", $" + v + ", false)";
    arguments.push_back(name);
    arguments.push_back(value);
  }
  if (auto r = c.execute(set, arguments); !r) return r.error();
  return c;
}

connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;
connection::~connection() = default;

// --- calls

result<rows> connection::execute(std::string_view sql, std::span<const param> parameters) {
  if (i_->lost()) return i_->drop_as_lost();
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const param& p : parameters) values.push_back(p ? p->c_str() : nullptr);
  if (!PQsendQueryParams(i_->conn, std::string(sql).c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                         nullptr, nullptr, 0))
    return lost() ? i_->drop_as_lost() : error("22023", without_newline(PQerrorMessage(i_->conn)));
  return i_->collect();
}

result<rows> connection::execute(std::string_view sql, std::initializer_list<param> parameters) {
  return execute(sql, std::span<const param>(parameters.begin(), parameters.size()));
}

result<rows> connection::run(std::string_view sql) {
  if (i_->lost()) return i_->drop_as_lost();
  if (!PQsendQuery(i_->conn, std::string(sql).c_str())) return i_->drop_as_lost();
  return i_->collect();
}

result<void> connection::copy_in(std::string_view sql, std::string_view data) {
  if (auto r = i_->enter_copy(sql, PGRES_COPY_IN); !r) return r;
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, copy_piece);
    const int taken = PQputCopyData(i_->conn, piece.data(), static_cast<int>(piece.size()));
    if (taken < 0) return i_->drop_as_lost();
    if (taken == 1) {
      data.remove_prefix(piece.size());
      continue;
    }
    auto ready = i_->wait(true, std::chrono::steady_clock::now() + i_->limit);
    if (!ready) return ready.error();
    if (!*ready) return i_->drop("57014", "the server took no COPY data within the limit");
    if (!PQconsumeInput(i_->conn)) return i_->drop_as_lost();
  }
  while (PQputCopyEnd(i_->conn, nullptr) == 0) {
    auto ready = i_->wait(true, std::chrono::steady_clock::now() + i_->limit);
    if (!ready) return ready.error();
    if (!*ready) return i_->drop("57014", "the server took no COPY data within the limit");
  }
  if (auto r = i_->collect(); !r) return r.error();
  return {};
}

result<void> connection::start_copy_out(std::string_view sql) { return i_->enter_copy(sql, PGRES_COPY_OUT); }

result<std::optional<std::string_view>> connection::next_copy_line() {
  if (i_->copy_line) PQfreemem(std::exchange(i_->copy_line, nullptr));
  const auto deadline = std::chrono::steady_clock::now() + i_->limit;
  for (;;) {
    const int length = PQgetCopyData(i_->conn, &i_->copy_line, 1);
    if (length > 0)
      return std::optional<std::string_view>(std::string_view(i_->copy_line, static_cast<std::size_t>(length)));
    if (length < 0) {  // the end, or an error: the result says which
      if (auto r = i_->collect(); !r) return r.error();
      return std::optional<std::string_view>();
    }
    auto ready = i_->wait(false, deadline);
    if (!ready) return ready.error();
    if (!*ready) return i_->drop("57014", "the server sent no COPY data within the limit");
    if (!PQconsumeInput(i_->conn)) return i_->drop_as_lost();
  }
}

result<std::optional<notification>> connection::wait(std::chrono::milliseconds limit) {
  if (lost()) return i_->drop_as_lost();
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (!PQconsumeInput(i_->conn)) return i_->drop_as_lost();
    if (PGnotify* n = PQnotifies(i_->conn)) {
      notification heard{n->relname, n->extra};
      PQfreemem(n);
      return std::optional<notification>(std::move(heard));
    }
    auto ready = i_->wait(false, deadline);
    if (!ready) return ready.error();
    if (!*ready) return std::optional<notification>();
  }
}

int connection::socket() const { return lost() ? -1 : PQsocket(i_->conn); }

void connection::statement_limit(std::chrono::milliseconds limit) { i_->limit = limit; }
bool connection::lost() const { return !i_ || i_->lost(); }
int connection::backend_pid() const { return lost() ? 0 : PQbackendPID(i_->conn); }
int connection::server_version() const { return lost() ? 0 : PQserverVersion(i_->conn); }
bool connection::in_transaction() const { return !lost() && PQtransactionStatus(i_->conn) != PQTRANS_IDLE; }
std::string connection::quote_literal(std::string_view text) {
  std::string quoted = text.find('\\') == std::string_view::npos ? "'" : " E'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

pg_conn* connection::raw() { return i_ ? i_->conn : nullptr; }

}  // namespace pgtandem::database
