#include <algorithm>
#include <charconv>

#include "proxy/session/foreign_names.hpp"
#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;
using protocol::frame_state;
namespace backend = protocol::backend;

namespace {
// Answers that say nothing to a session and so pass as they come, whatever their size.
bool is_payload(char type) { return type == backend::data_row || type == backend::copy_data || type == backend::row_description || type == backend::function_call_response; }
}  // namespace

// The rows of this answer are nobody's business but the client's.
bool session::state::passes(const awaited& a, char type) const {
  if (!is_payload(type) || a.what == request::describe) return false;
  return type == backend::copy_data || (a.what != request::own && !capture_of(a));
}

std::size_t session::state::consume_primary(std::string_view bytes) {
  std::size_t used = 0, from = 0;   // [from, used) is passed on in one piece
  auto keep = [&](std::string_view payload) {
    if (awaiting.empty() || !awaiting.front().keyed) return;
    note_part(awaiting.front());
    keep_outcome(payload);
  };
  auto pass = [&](std::size_t to) {
    out.to_client.append(bytes.substr(from, to - from));
    from = to;
  };
  while (used < bytes.size() && !ended) {
    std::string_view rest = bytes.substr(used);
    if (primary_stream > 0) {
      std::size_t n = std::min(primary_stream, rest.size());
      keep(rest.substr(0, n));
      primary_stream -= n;
      used += n;
      continue;
    }
    frame f = protocol::scan(rest);
    if (f.state == frame_state::malformed) {
      pass(used);
      fatal(failure::primary_lost, "it sent a malformed message");
      return bytes.size();
    }
    if (f.state == frame_state::need_header) break;
    if (!muted && !awaiting.empty() && passes(awaiting.front(), f.type)) {
      std::size_t n = std::min(f.size, rest.size());
      keep(rest.substr(0, n));
      primary_stream = f.size - n;
      used += n;
      continue;
    }
    if (!f.complete()) break;
    pass(used);
    used += f.size;
    from = used;
    answer(f);
  }
  pass(used);
  return ended ? bytes.size() : used;
}

void session::state::answer(const frame& f) {
  std::size_t said = out.to_client.size();
  if (!muted) {
    bool keyed = !awaiting.empty() && awaiting.front().keyed && f.type != backend::parameter_status && f.type != backend::notification_response;
    if (keyed) note_part(awaiting.front());
    answer_heard(f);
    if (keyed) keep_outcome(std::string_view(out.to_client).substr(said));
    return;
  }
  answer_heard(f);
  if (f.type != backend::parameter_status && f.type != backend::notification_response) out.to_client.resize(said);
}

void session::state::answer_heard(const frame& f) {
  switch (f.type) {
    case backend::notification_response: out.to_client.append(f.whole); return;
    case backend::notice_response:
      on_notice(f);
      return;
    case backend::parameter_status: on_parameter(f); return;
    case backend::error_response: on_error(f); return;
    case backend::ready_for_query: on_ready(f); return;
    default: break;
  }
  if (awaiting.empty()) {
    out.to_client.append(f.whole);
    return;
  }
  awaited& a = awaiting.front();
  if (a.what == request::own) {
    own_answer(a, f);
    return;
  }
  switch (f.type) {
    case backend::row_description: on_row_description(a, f); return;
    case backend::data_row: on_row(a, f); return;
    case backend::command_complete:
    case backend::empty_query_response: on_complete(a, f); return;
    default: break;
  }
  out.to_client.append(f.whole);
  switch (f.type) {
    case backend::copy_in_response: copy_in_begins(); break;
    case backend::no_data:
    case backend::portal_suspended:
    case backend::parse_complete:
    case backend::bind_complete:
    case backend::close_complete: awaiting.pop_front(); break;
    default: break;   // ParameterDescription, CopyOutResponse, CopyDone: more is to come
  }
}

// Notices of our own questions are nobody's business, nor is what the primary says to a BEGIN inside a block that is not the client's.
void session::state::on_notice(const frame& f) {
  if (awaiting.empty()) {
    out.to_client.append(f.whole);
    return;
  }
  awaited& a = awaiting.front();
  if (a.what == request::own) {
    if (a.own == purpose::warnings) script.warnings.emplace_back(f.whole);
    return;
  }
  auto e = a.adopts ? protocol::decode_error(f.body) : std::nullopt;
  if (!e || e->sqlstate() != already_in_transaction) out.to_client.append(f.whole);
}

const capture* session::state::capture_of(const awaited& a) const {
  if (a.what == request::query) {
    if (!a.planned || a.at >= a.planned->steps.size() || !a.planned->steps[a.at].captures) return nullptr;
    return &a.planned->steps[a.at].rows;
  }
  if ((a.what == request::execute || a.what == request::describe) && a.statement && a.statement->with_image) return &a.statement->what.rows;
  return nullptr;
}

void session::state::on_row_description(awaited& a, const frame& f) {
  const capture* c = capture_of(a);
  if (!c || c->kind == effect_kind::truncate) out.to_client.append(f.whole);
  else if (c->returning) protocol::write_row_description_without_last(out.to_client, f.body);
  else if (a.what == request::describe) protocol::write_no_data(out.to_client);
  if (a.what == request::describe) awaiting.pop_front();
}

void session::state::on_row(awaited& a, const frame& f) {
  const capture* c = capture_of(a);
  if (!c || c->kind == effect_kind::truncate) {
    out.to_client.append(f.whole);
    return;
  }
  if (a.failed) return;
  auto row = protocol::split_last_column(f.body);
  const sql::table& t = *c->tables.front();
  if (!row || !row->last || !tx.writes.current()) {
    poison(a, failure::image_broken, t.qualified);
    return;
  }
  auto verdict = tx.writes.add(c->kind, c->tables.front(), *tx.rules()->primary, *row->last, a.statement ? a.statement->how.hex : !utf8,
                               tx.rules()->bounds.write_set_max);
  switch (verdict) {
    case write_set::verdict::kept:
      ++a.images;
      if (c->returning) give_row(a, *row);
      return;
    case write_set::verdict::malformed: poison(a, failure::image_broken, t.qualified); return;
    case write_set::verdict::other_table:
    case write_set::verdict::schema_changed:
      known.forget();
      ++names_version;
      out.refresh_catalog = true;
      poison(a, failure::schema_changed, t.qualified);
      return;
  }
}

// The statement has run and cannot be mirrored: the client hears an error in its place, and the transaction is made to fail.
void session::state::poison(awaited& a, failure why, std::string_view what) {
  a.failed = true;
  a.substitute = error_message(why, what);
  count_refusal(a.substitute);
}

// Has every row that the primary says it has written shown its image? The primary may hold the statement in another form than we know.
bool session::state::all_shown(const awaited& a, const frame& f) const {
  const capture* c = capture_of(a);
  if (!c || c->kind == effect_kind::truncate || a.again || a.rest) return true;
  std::string_view tag = f.body.substr(0, f.body.find('\0'));   // "INSERT 0 5"
  tag.remove_prefix(tag.rfind(' ') + 1);
  std::size_t rows = 0;
  const auto read = std::from_chars(tag.data(), tag.data() + tag.size(), rows);
  return read.ec == std::errc() && read.ptr == tag.data() + tag.size() && rows == a.images;
}

// The primary went to a savepoint, or released one, that is not known here: what of the write set is undone cannot be told.
bool session::state::loses_place(const awaited& a) const {
  if (!mirrors_now() || !tx.writes.current()) return false;
  auto lost = [&](sql::statement_kind k, const std::string& name) {
    if (k != sql::statement_kind::rollback_to && k != sql::statement_kind::release) return false;
    return !tx.knows(name) || (beyond_ascii(name) && !exact_names());
  };
  if (a.what == request::execute) return a.statement && a.statement->statement() && lost(a.statement->statement()->kind, a.statement->statement()->name);
  if (a.planned) return a.at < a.planned->steps.size() && lost(a.planned->steps[a.at].kind, a.planned->steps[a.at].name);
  return a.text && a.at < a.text->statements.size() && lost(a.text->statements[a.at].kind, a.text->statements[a.at].name);
}

void session::state::on_complete(awaited& a, const frame& f) {
  if (!a.failed && !all_shown(a, f)) poison(a, failure::image_broken, capture_of(a)->tables.front()->qualified);
  a.images = 0;
  if (!a.failed && loses_place(a)) poison(a, failure::refused_construct, "a savepoint by a name that it does not know");
  if (a.doomed && !a.failed) poison(a, failure::refused_construct, "a statement that needs a transaction block");
  if (a.failed) {   // poisoned above
    out.to_client += std::exchange(a.substitute, {});
    if (a.what == request::execute) {
      awaiting.pop_front();
      make_fail();
      muted = skip_to_sync = true;   // what else was sent of this pipeline is answered to nobody
    } else {
      ++a.at;
    }
    return;
  }
  if (a.what == request::execute) {
    if (a.run && !a.spent) a.run->done = true;
    if (a.again) {
      awaiting.pop_front();
      return;
    }
    prepared_ptr p = std::move(a.statement);
    const std::uint64_t parses_then = a.parses;
    if (a.rest) complete_piece(a, f);
    else out.to_client.append(f.whole);
    awaiting.pop_front();
    if (!p || !p->statement()) return;
    if (mirrors() && p->captures() && p->what.rows.kind == effect_kind::truncate)
      tx.writes.add_truncate(p->what.rows.tables, p->what.rows.restart_identity);
    completed(*p->statement(), parses_then);
    return;
  }
  std::size_t at = a.at++;
  const std::uint64_t parses_then = a.parses;
  if (a.planned && at < a.planned->steps.size()) {
    const step& s = a.planned->steps[at];
    if (s.captures && s.rows.kind == effect_kind::truncate) tx.writes.add_truncate(s.rows.tables, s.rows.restart_identity);
    if (a.wrapped && at + 1 == a.planned->steps.size()) held_complete = f.whole;
    else out.to_client.append(f.whole);
    completed(s.kind, s.name, s.chain, parses_then);
    return;
  }
  out.to_client.append(f.whole);
  if (a.text && at < a.text->statements.size()) completed(a.text->statements[at], parses_then);
}

void session::state::completed(const sql::statement& s, std::uint64_t parses_then) { completed(s.kind, s.name, s.chain, parses_then); }

// A COMMIT of a failed transaction answers ROLLBACK, and a COMMIT AND CHAIN opens the next; ReadyForQuery settles both. What follows
// in the same pipeline has to be read by the new state all the same.
void session::state::completed(sql::statement_kind kind, const std::string& name, bool chain, std::uint64_t parses_then) {
  bool ends = kind == sql::statement_kind::commit || kind == sql::statement_kind::rollback;
  if (kind == sql::statement_kind::deallocate) forget_prepared(name, parses_then);
  if (kind == sql::statement_kind::discard && name == "ALL") {
    forget_prepared({}, parses_then);
    has = {};
    named.unknown = false;
  }
  if (status == 'E' && (ends || kind == sql::statement_kind::rollback_to)) status = ends && !chain ? 'I' : 'T';
  tx.completed(kind, name);
  if (ends) tx.begin(latest);
  if (meanings_open && (ends || kind == sql::statement_kind::rollback_to)) forget_names();
  if (ends || kind == sql::statement_kind::rollback_to) key_undone(ends);
}

void session::state::on_error(const frame& f) {
  auto e = protocol::decode_error(f.body);
  if (awaiting.empty() || !e || e->severity() == "FATAL" || e->severity() == "PANIC") {   // it is about to close
    out.to_client.append(f.whole);
    end();
    return;
  }
  awaited& a = awaiting.front();
  if (a.what == request::own) {
    own_failed(f);
    return;
  }
  copying_in = false;
  if (!a.failed) say_error(a, f);
  else out.to_client += std::exchange(a.substitute, {});
  if (a.what == request::query || a.what == request::function_call) {
    a.failed = true;
    held_complete.clear();
  } else if (a.what == request::sync) {   // the implicit transaction's commit failed; ReadyForQuery follows
    a.failed = true;
  } else {
    skip_extended();
  }
}

// The primary ignores what was sent until the next Sync, a Query among it (postgres.c, ignore_till_sync).
void session::state::skip_extended() {
  muted = false;
  const auto end = std::ranges::find_if(awaiting, [](const awaited& a) { return a.what == request::sync || a.to_ready; });
  for (auto i = end; i != awaiting.begin();) take_back(*--i);
  awaiting.erase(awaiting.begin(), end);
  if (awaiting.empty()) server_skips = unsynced = true;
}

void session::state::say_error(const awaited& a, const frame& f) {
  auto e = protocol::decode_error(f.body);
  if (a.spent && e) {
    say_spent(a, std::move(*e));
    return;
  }
  if (a.formats > 0 && e && e->message().find("result formats") != std::string_view::npos) {
    say_formats(std::move(*e));
    return;
  }
  if (!a.substitute.empty() && e && e->sqlstate() != in_failed_transaction) {
    out.to_client += a.substitute;
    return;
  }
  const std::uint32_t position = e ? e->position().value_or(0) : 0;  // the protocol counts from 1
  bool rewritten = (a.planned && a.planned->captures) || (a.statement && a.statement->with_image) || (a.planned && a.planned->begin);
  if (!rewritten || !position) {
    out.to_client.append(f.whole);
    return;
  }
  std::size_t p = a.planned ? a.planned->original(position, utf8) : a.statement->rewritten.original_offset(position, utf8);
  protocol::write_with_position(out.to_client, backend::error_response, *e, p ? std::optional<std::uint32_t>(p) : std::nullopt);
}

// "bind message has 3 result formats but query has 2 columns": one of each is the image's.
void session::state::say_formats(protocol::error_fields e) {
  std::string words;
  for (auto& [code, value] : e.fields) {
    if (code != protocol::error_field::message) continue;
    const char *at = value.data(), *const end = at + value.size();
    while (at < end) {
      std::size_t number = 0;
      const auto [behind, failed] = std::from_chars(at, end, number);
      if (failed == std::errc() && number > 0) words += std::to_string(number - 1);
      else words.append(at, behind == at ? 1 : static_cast<std::size_t>(behind - at));
      at = std::max(behind, at + 1);
    }
    value = words;
    break;
  }
  protocol::write_with_position(out.to_client, backend::error_response, e, e.position());
}

void session::state::on_ready(const frame& f) {
  auto s = protocol::decode_ready_for_query(f.body);
  if (!s || awaiting.empty()) {
    fatal(failure::primary_lost, "it sent an unexpected ReadyForQuery");
    return;
  }
  status = *s;
  copying_in = false;
  tx.block = status != 'I';
  awaited a = std::move(awaiting.front());
  awaiting.pop_front();
  switch (a.what) {
    case request::query:
      if (a.failed && status == 'T') {   // poisoned: the primary does not know that it failed
        failed_query = std::move(a);
        make_fail();
        return;
      }
      query_ready(std::move(a));
      return;
    case request::own: own_done(std::move(a)); return;
    default: say_ready(status);
  }
}

void session::state::say_ready(char s) {
  if (std::exchange(in_string, false)) tell_parameters();
  protocol::write_ready_for_query(out.to_client, s);
  known.forget_passing();
  if (awaiting.empty() && !unsynced) texts_open = false;
  if (s != 'I') {
    tx.begin(latest);
    return;
  }
  ++out.counted.transactions;
  commit_sent = false;
  if (meanings_open) forget_names();
  if (awaiting.empty() && !unsynced) {   // else some may belong to the next transaction already
    meanings_open = texts_changed = false;
    portals.clear();
    paused.clear();
    runs.clear();
    bind_identity.clear();
  }
  tx.over();
  key = {};
  fence_asked = false;
}

void session::state::on_parameter(const frame& f) {
  auto p = protocol::decode_parameter_status(f.body);
  if (p && (in_string || moving)) parameters_told.emplace(p->name, parameters[std::string(p->name)]);
  else out.to_client.append(f.whole);
  if (p) learn_parameter(p->name, p->value);
}

void session::state::learn_parameter(std::string_view name, std::string_view value) {
  // Encodings in which a byte of another character may look like a quote or a backslash (mbutils.c, pg_wchar.h).
  static constexpr std::string_view client_only[] = {"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"};
  if (name.empty()) return;
  parameters[std::string(name)] = value;
  auto is = [&](const char* n, std::string_view v) {
    auto i = parameters.find(n);
    return i != parameters.end() && i->second == v;
  };
  utf8 = is("client_encoding", "UTF8");
  server_utf8 = !parameters.count("server_encoding") || is("server_encoding", "UTF8");
  standard_strings = !is("standard_conforming_strings", "off");
  strings_varied |= !standard_strings;
  safe_texts = std::none_of(std::begin(client_only), std::end(client_only), [&](std::string_view e) { return is("client_encoding", e); });
  auto begins = [&](const char* n, std::string_view with) {
    auto i = parameters.find(n);
    return i != parameters.end() && i->second.starts_with(with);
  };
  iso = begins("DateStyle", "ISO") && begins("IntervalStyle", "postgres");
  if (name == "server_version") server_major = std::atoi(std::string(value).c_str());
}

}  // namespace pgtandem::session
