// The inside of a session: the parts it conducts and the verbs by which they meet. Included by this folder's .cpp files only.
//
// client_side.cpp   messages of the client, one handler each (a handler that cannot yet act answers false and is asked again)
// copy_side.cpp     COPY … FROM STDIN
// query_side.cpp    Query messages while writes are mirrored: what passes, what is refused
// script_side.cpp   the others: part by part
// extended_side.cpp Parse, Bind, Describe, Execute, Close, Sync
// primary_side.cpp  answers of the primary
// own_side.cpp      what the proxy asks on its own account, and its answers
// commit_side.cpp   the conversation of a commit: check, apply, mark, send
// key_side.cpp      idempotency keys
// execute_side.cpp  EXECUTE of prepared statements
// paused_side.cpp   row limits of writes with RETURNING
// prepared_side.cpp what the client's names for statements and portals mean on the primary
// spent_side.cpp    portals of writes without RETURNING, executed again
// belongings_side.cpp  what the session holds that cannot move to another primary, and what can
// cancel_side.cpp   a CancelRequest for what is held here
// move_side.cpp     routing changes, the move to another primary, shutdown
#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/frontend_messages.hpp"
#include "protocol/message.hpp"
#include "proxy/session/belongings.hpp"
#include "proxy/session/committing.hpp"
#include "proxy/session/errors.hpp"
#include "proxy/session/execute.hpp"
#include "proxy/session/idempotency.hpp"
#include "proxy/session/inbox.hpp"
#include "proxy/session/keyed_string.hpp"
#include "proxy/session/names.hpp"
#include "proxy/session/own_query.hpp"
#include "proxy/session/paused.hpp"
#include "proxy/session/planner.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/reply.hpp"
#include "proxy/session/script.hpp"
#include "proxy/session/session.hpp"
#include "proxy/session/setting_names.hpp"
#include "proxy/session/transaction.hpp"

namespace pgtandem::session {

struct session::state {
  state(sql::analyzer& shared, world_ptr w, const server_hello& primary);

  // --- the outside
  sql::analyzer& analyze;
  world_ptr latest;
  outbox out;

  // --- the primary's connection
  control::place where;
  std::uint32_t connection = 1;                     // counts the primaries this session has had
  std::map<std::string, std::string> parameters;    // ParameterStatus
  std::map<std::string, std::string> parameters_told;   // the client's view of those that changed while a string is on its way
  bool utf8 = true, safe_texts = true;              // of client_encoding
  bool server_utf8 = true;                          // of server_encoding
  bool standard_strings = true;                     // standard_conforming_strings
  bool strings_varied = false;                      // it has been off in this session
  bool iso = false;                                 // of DateStyle and IntervalStyle
  int server_major = 0;
  std::set<std::string> own_prepared;
  std::string fence_name;   // of the last epoch's fence, which may be among them

  // --- conversation
  inbox from_client, from_primary;
  std::size_t client_stream = 0, primary_stream = 0;   // bytes of a message's body that pass as they come
  bool client_stream_drop = false;
  std::deque<awaited> awaiting;
  char status = 'I';            // last ReadyForQuery
  bool unsynced = false;        // extended messages were sent since the last Sync
  bool flushed = true;          // nothing was sent since the last Flush or Sync
  bool server_skips = false;    // the primary ignores everything until Sync
  bool skip_to_sync = false;    // we do
  bool copying_in = false;      // the primary takes CopyData, and ignores Sync, until the client ends it
  bool muted = false;           // a pipeline failed on our word: its other answers go to nobody
  awaited failed_query;         // a Query that has failed and waits for the primary to be ready again
  bool commit_sent = false;     // a mirrored transaction's COMMIT is on its way
  bool ended = false;           // FATAL said
  bool client_waits = false;    // the client's next message cannot be handled yet
  bool cancelled = false;       // what was held is dropped, up to its end
  bool in_client = false;       // inside process_client: no re-entry
  int asking = 0;               // own questions in flight that client messages must wait for
  transaction tx;
  bool fence_asked = false;
  bool resolve_failed = false;
  std::string resolve_error;    // the primary's, if it has said one to the question
  names known;
  std::uint64_t names_version = 0;
  bool meanings_open = false;   // settings or role were changed in a transaction that has not ended: it may undo them
  bool texts_changed = false;   // among them how texts are read,
  bool texts_open = false;      // and the primary has not yet told what holds now
  pgtandem::session::script script;
  bool in_string = false;       // from a script's start to its ReadyForQuery
  committing commit;
  idempotency key;
  std::optional<awaited> keyed_query;         // waits for its key to be claimed
  std::string keyed_message;
  std::unordered_map<std::string, std::string> bind_identity;   // per portal, while keys are used
  std::string held_complete;    // CommandComplete of a wrapped statement
  std::vector<std::vector<std::string>> own_rows;

  // --- what the session holds
  prepared_map statements, portals;   // as of all that has been sent; see prepared_side.cpp
  std::uint64_t parses = 0;
  paused_portals paused;
  portal_runs runs;
  executables executes;
  bool keys_used = false;                     // an idempotency key was set by SET in this session
  setting_names named;
  belongings has;

  // --- moving, leaving
  enum class spare : std::uint8_t { none, asked, ready, failed } next = spare::none;
  server_hello next_hello;
  std::string next_failure;
  bool moving = false;
  std::size_t replays = 0;   // questions in flight that make the session again
  bool draining = false;

  // client_side.cpp
  void process_client(std::string_view bytes);
  std::size_t consume_client(std::string_view bytes);
  bool may_start();
  bool handle(const protocol::frame& f);
  bool oversized(const protocol::frame& f, std::string_view rest, std::size_t& used);
  const world& rules();
  bool mirrors() { return rules().routing.mirrors(); }
  sql::capture_options image_form() { return {rules().primary->ddl_version_sequence, !utf8, iso}; }
  void forward(std::string_view message);
  void await(awaited a) {
    a.parses = parses;
    awaiting.push_back(std::move(a));
  }
  bool drained();
  void forget_names();
  void remember(const sql::analysis& a);
  void remember(const sql::statement& s);
  void count_refusal(std::string_view error);
  void violation(std::string_view what);
  void fatal(failure f, std::string_view what = {});
  void end();

  // copy_side.cpp
  void on_copy(const protocol::frame& f);
  void copy_in_begins();

  // query_side.cpp
  bool on_query(const protocol::frame& f);
  bool on_function_call(const protocol::frame& f);
  void pass_query(std::string_view message, sql::analysis_ptr a);
  bool mirror_query(std::string_view message, std::string_view sql, sql::analysis_ptr a);
  void take_census(const sql::analysis& a);
  void refuse_query(failure why, std::string_view what) { refuse_query(error_message(why, what)); }
  void refuse_query(std::string error);
  bool unreadable(const sql::analysis& a, std::string_view sql, std::string& why);
  std::string unresolved(std::string_view name);
  decision decide_here(const sql::statement& s);
  decision decide_behind(const sql::statement& s, bool& written);
  decision decide_named(const sql::statement& s);
  bool exact_names() const { return utf8 && server_utf8; }   // equal bytes are equal names

  // script_side.cpp
  void start_script(std::string_view sql, sql::analysis_ptr a);
  void advance_script();
  bool part_needs_warnings();
  bool decide_part(std::size_t to);
  void refuse_part(failure why, std::string_view what) { refuse_part(error_message(why, what)); }
  void refuse_part(std::string error);
  bool other_texts() const;
  void send_part(std::size_t to);
  void send_doomed();
  plan_ptr make_plan(std::size_t to);
  void query_ready(awaited a);
  void tell_parameters();

  // extended_side.cpp
  bool on_parse(const protocol::frame& f);
  bool on_bind(const protocol::frame& f);
  void note_bound_settings(const prepared& p, const protocol::bind_message& m);
  bool stream_bind(const protocol::frame& f, std::string_view rest);
  bool on_describe(const protocol::frame& f);
  bool on_execute(const protocol::frame& f);
  bool on_close(const protocol::frame& f);
  bool on_sync(const protocol::frame& f);
  void extended(std::string_view message, awaited a);
  enum class readiness : std::uint8_t { ready, wait, refused };
  bool settled(const prepared& p);
  readiness settle(prepared& p, std::string& error);      // decide, resolving names where needed
  readiness ensure_prepared(prepared_ptr& p, std::string& error, bool portals_use_it = true);
  std::string_view server_text(prepared& p);
  void refuse_extended(char type, std::string_view name, std::string error);
  bool control_awaited() const;
  bool earlier_transaction_awaited() const;

  // primary_side.cpp
  std::size_t consume_primary(std::string_view bytes);
  bool passes(const awaited& a, char type) const;
  void answer(const protocol::frame& f);
  void answer_heard(const protocol::frame& f);
  void on_notice(const protocol::frame& f);
  void on_error(const protocol::frame& f);
  void say_error(const awaited& a, const protocol::frame& f);
  void say_formats(protocol::error_fields e);
  void on_ready(const protocol::frame& f);
  void on_row(awaited& a, const protocol::frame& f);
  void on_row_description(awaited& a, const protocol::frame& f);
  void on_complete(awaited& a, const protocol::frame& f);
  void on_parameter(const protocol::frame& f);
  void learn_parameter(std::string_view name, std::string_view value);
  const capture* capture_of(const awaited& a) const;
  bool all_shown(const awaited& a, const protocol::frame& f) const;
  void completed(const sql::statement& s, std::uint64_t parses);
  void completed(sql::statement_kind kind, const std::string& name, bool chain, std::uint64_t parses);
  bool loses_place(const awaited& a) const;
  void poison(awaited& a, failure why, std::string_view what);
  void skip_extended();
  void say_ready(char s);

  // own_side.cpp
  void ask(purpose why, std::string_view sql, const std::vector<std::optional<std::string>>& parameters = {});
  void ask_prepared(purpose why, const std::string& name, std::string_view sql, const std::string& instead_of = {});
  void ask_simple(purpose why, std::string_view sql);
  void ask_fence();
  void own_answer(awaited& a, const protocol::frame& f);
  void own_done(awaited a);
  void own_failed(const protocol::frame& f);
  void forget_skipped(const awaited& a);
  void make_fail();

  // commit_side.cpp
  void start_commit(committing::form how, std::string message, awaited answer);
  void check();
  void apply();
  void commit_overdue();
  void attend_primary();
  void apply_failed(std::string_view reason, std::string_view message);
  void send_commit();
  void abandon_commit();
  void refuse_commit(std::string_view why);

  // prepared_side.cpp
  prepared_map& map_of(awaited::naming what) { return what == awaited::naming::statement ? statements : portals; }
  void name(awaited& a, awaited::naming what, std::string_view name, prepared_ptr now);
  void take_back(awaited& a);
  void forget_prepared(const std::string& name, std::uint64_t parses);

  // key_side.cpp
  bool mirrors_now() const { return tx.rules() && tx.rules()->routing.mirrors(); }
  static bool key_covers(const sql::statement& s, const sql::analysis& a);
  bool keyed_only(const sql::analysis& a) const;
  bool ends_keyed(const sql::analysis& a) const;
  bool in_keyed(const sql::statement* s);
  bool claims(const plan& part);
  bool keyed_query_alone(std::string_view sql, sql::analysis_ptr a);
  void note_key_setting(std::string_view sql);
  bool wants_key(const sql::analysis* a) const;
  void claim_key(const sql::analysis* a, std::string_view identity);
  void key_answered();
  void key_undone(bool ended);
  void query_key_answered();
  void refuse_key(failure why, awaited w);
  enum class key_verdict : std::uint8_t { proceed, wait, replayed, refused };
  key_verdict execute_key(const prepared& p, const std::string& portal, std::string& error);
  key_verdict say_again(const std::string& statement, std::string& error);
  std::string identity(const prepared& p, const std::string& portal) const;
  void cover(awaited& a, const prepared& p, const std::string& portal);
  void note_unkeyed(const sql::statement* s);
  void note_part(awaited& a);
  void keep_outcome(std::string_view said);
  void record_outcome();
  void outcome_recorded();
  bool to_mirror() const { return !tx.writes.empty() || key.now == idempotency::stage::claimed; }

  // belongings_side.cpp
  std::string_view unmovable() const;
  bool ask_belongings();
  void belongings_told(bool failed);
  void packed(bool failed);

  // execute_side.cpp
  decision decide_execute(const sql::statement& s);
  void ask_meanings(const std::vector<std::string>& questions);
  void learn_executable(bool failed);
  executable recall(const std::string& name, recalled row);
  void forget_executable(const std::string& name);
  const executable* executable_of(const sql::statement& s) const;
  bool twin_fits(const sql::statement& s, std::string_view text) const;
  readiness ensure_twin(const sql::statement& s, std::string& error);
  readiness ensure_executed(const prepared& p, std::string& error);
  std::string read_otherwise(const prepared& p);
  bool part_twins_fit(std::size_t to);
  void send_part_twins(std::size_t to);

  // paused_side.cpp
  bool pause(awaited& a, const std::string& portal, std::int32_t max_rows, std::string& error);
  void give_row(awaited& a, const protocol::split_row& row);
  void complete_piece(awaited& a, const protocol::frame& f);

  // spent_side.cpp
  bool runs_again(awaited& a, const std::string& portal);
  void execute_again(std::string_view execute, awaited a);
  void say_spent(const awaited& a, protocol::error_fields e);

  // cancel_side.cpp
  bool cancel();
  void drop_cancelled(const protocol::frame& f, std::string_view rest, std::size_t& used);

  // move_side.cpp
  void routing_changed();
  void want_spare();
  bool warm() const;
  bool idle() const;
  bool may_move();
  void move();
  std::string prepare_again(std::string_view name, std::string_view text);
  void replayed(bool failed);
  void moved();
};

}  // namespace pgtandem::session
