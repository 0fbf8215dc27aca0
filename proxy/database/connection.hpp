// The one door to libpq: a blocking connection for the control thread, the reconciler and the commands.
//
// Owned and used by one thread. Every call is bounded by `timeouts`. Errors are values; nothing throws. Row values and
// passwords never appear in error texts made here (PostgreSQL's DETAIL is kept apart).
#pragma once
#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pg_conn;
struct pg_result;

namespace pgtandem::database {

// Why a call failed. Not an aggregate on purpose: boost::system::result must be able to tell it from a value.
struct error {
  error() = default;
  error(std::string state, std::string text, bool connection_lost = false)
      : sqlstate(std::move(state)), message(std::move(text)), lost(connection_lost) {}

  std::string sqlstate;  // "08006" for a lost connection, "57014" with `lost` for our own timeout
  std::string message;   // primary message
  std::string detail, hint, constraint, schema, table;
  bool lost = false;  // the connection is gone; the outcome of a COMMIT is unknown
};
template <class T>
using result = boost::system::result<T, error>;
// boost::system needs to know how to turn an error into an exception for .value(); we never call that on an error.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

// One result set, text format. Views live as long as the object.
class rows {
 public:
  rows() = default;
  explicit rows(pg_result* r);  // takes ownership
  int size() const;
  int columns() const;
  bool null(int row, int column) const;
  std::string_view at(int row, int column) const;   // empty for NULL
  std::int64_t integer(int row, int column) const;  // 0 for NULL
  bool boolean(int row, int column) const;          // false for NULL
  std::string_view tag() const;                     // command tag, "UPDATE 3"
  std::int64_t affected() const;

 private:
  std::shared_ptr<pg_result> r_;
};

using param = std::optional<std::string>;  // text format; nullopt = NULL

struct open_options {
  std::string application_name = "pgtandem";
  std::vector<std::pair<std::string, std::string>> settings;  // GUCs set at login (as -c options)
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds statement_limit{60000};  // our own limit per call; then the connection is dropped
};

struct notification {
  std::string channel, payload;
};

// Beside `settings`, a session gets client_encoding UTF8 and, from PostgreSQL 14, client_connection_check_interval: a
// call that ran into our own limit closes the socket, and the server then ends what the call had started within two
// seconds.
class connection {
 public:
  static result<connection> open(const std::string& conninfo, const open_options& o = {});
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  // One statement with parameters.
  result<rows> execute(std::string_view sql, std::span<const param> parameters = {});
  result<rows> execute(std::string_view sql, std::initializer_list<param> parameters);
  // One or more statements without parameters; the last result.
  result<rows> run(std::string_view sql);
  // COPY … FROM STDIN with all its data (text lines or binary). COPY … TO STDOUT: lines (or binary pieces) handed to
  // `each` one by one; the limit then counts from one line to the next.
  result<void> copy_in(std::string_view sql, std::string_view data);
  template <class F>
  result<void> copy_out(std::string_view sql, F&& each);  // each(std::string_view line)

  // Waits up to `limit` for a NOTIFY.
  result<std::optional<notification>> wait(std::chrono::milliseconds limit);
  // For a wait beside other descriptors, when wait(0) has found nothing. -1 = lost.
  int socket() const;
  void statement_limit(std::chrono::milliseconds);
  bool lost() const;
  bool in_transaction() const;  // open or failed
  int backend_pid() const;
  int server_version() const;  // 150018
  static std::string quote_literal(std::string_view text);  // for SQL texts that take no parameters
  pg_conn* raw();              // for this folder and proxy/apply only

 private:
  connection() = default;
  result<void> start_copy_out(std::string_view sql);
  result<std::optional<std::string_view>> next_copy_line();
  struct impl;
  std::unique_ptr<impl> i_;
};

template <class F>
result<void> connection::copy_out(std::string_view sql, F&& each) {
  if (auto r = start_copy_out(sql); !r) return r;
  for (;;) {
    auto line = next_copy_line();
    if (!line) return line.error();
    if (!*line) return {};
    each(**line);
  }
}

}  // namespace pgtandem::database
