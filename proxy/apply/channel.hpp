// One connection of an applier to the secondary: libpq, never blocking, in pipeline mode, waiting through Asio.
//
// Owned by a shared_ptr, because a timer of its own may still be under way when its owner lets go. One thread.
// connect() and run() are never under way together. Every wait ends at the deadline given; a connection whose call
// ended there is closed, since what the server does with the call is not known.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proxy/apply/asio_types.hpp"
#include "proxy/apply/table_sql.hpp"
#include "proxy/database/host_lookup.hpp"

struct pg_conn;
struct pg_result;

namespace pgtandem::apply {

struct command {
  const sql_text* text = nullptr;             // outlives the call
  std::span<const std::string> parameters{};  // text format, none NULL; outlive the call
};

struct reply {
  enum class state : unsigned char { done, failed, lost, timed_out };
  state outcome = state::done;
  std::string sqlstate, message;     // of the first error; the message holds no row values
  std::string schema, table;         // of a violated constraint
  std::optional<std::string> value;  // first field of the last row of the last command that returned rows
};

using settings_list = std::vector<std::pair<std::string, std::string>>;

class channel : public std::enable_shared_from_this<channel> {
 public:
  static constexpr std::size_t prepared_max = 1000;  // statements of a session; beyond it all are forgotten
  static constexpr std::size_t chunk = 128;  // commands sent before answers are read: neither side's buffers fill up

  explicit channel(asio::io_context& loop);
  ~channel();

  // `settings` are in force before the first command; so is a search_path of pg_catalog and every schema that holds an
  // operator
  // "=" (types of extensions, citext for one, keep theirs there).
  task<reply> connect(std::string conninfo, settings_list settings, clock::time_point deadline);
  // All commands in order in one pipeline; after an error the rest is skipped. The caller brackets them in a
  // transaction.
  task<reply> run(std::span<const command> commands, clock::time_point deadline);

  bool connected() const { return conn_ != nullptr; }
  bool in_transaction() const;
  // Notices that the server has gone while nobody was waiting; then closes.
  void notice_loss();
  void forget_prepared();  // after the server has been told DEALLOCATE ALL
  bool prepared_full() const { return prepared_.size() >= prepared_max; }
  void close();
  void interrupt();  // ends the wait of a call under way, as if its deadline had come

 private:
  enum class expected : unsigned char { prepared, answer, sync };
  struct awaited {
    expected what;
    std::uint64_t id;  // of the text that is being prepared
  };

  void arm(clock::time_point deadline);
  void watch(int fd);
  task<bool> wait(descriptor::wait_type what);
  task<bool> look_up(const std::string& conninfo, database::host_addresses& hosts);
  task<bool> finish_login(reply& r);
  task<bool> set_up(const settings_list& settings, reply& r);
  task<bool> flush();
  task<std::optional<pg_result*>> next();  // nothing: lost or timed out
  task<bool> read(std::span<const awaited> list, reply& r);
  bool send(const command& c, std::vector<awaited>& list);
  void take(pg_result* result, const awaited& a, reply& r);
  void note_end(reply& r);

  asio::io_context& loop_;
  timer timer_;
  std::uint64_t armed_ = 0;  // which arming a timer's handler belongs to
  bool expired_ = false;
  pg_conn* conn_ = nullptr;
  std::optional<descriptor> waited_;  // of a dup(): libpq, or the look-up, keeps and closes its own
  std::unordered_set<std::uint64_t> prepared_;
  std::size_t first_host_ = 0;  // the address to begin with: behind one that let the time run out, another has its turn
};

}  // namespace pgtandem::apply
