#include "tests/unit/session/stage.hpp"

#include <algorithm>

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/frontend_messages.hpp"
#include "protocol/message.hpp"
#include "proxy/session/own_query.hpp"
#include "proxy/sql/rewrite.hpp"

namespace pgtandem::test {
namespace {

std::shared_ptr<sql::table> make_table(sql::oid id, std::string name, std::vector<std::string> columns) {
  auto t = std::make_shared<sql::table>();
  t->id = id;
  t->schema = "public";
  t->name = name;
  t->qualified = "public." + name;
  for (auto& c : columns) t->columns.push_back({std::move(c), "integer"});
  t->key = {0};
  return t;
}

}  // namespace

session::world_ptr world_in(control::phase p, std::int32_t epoch) {
  auto c = std::make_shared<sql::catalog>();
  c->ddl_version = 3;
  c->ddl_version_sequence = 99;
  auto t = make_table(100, "t", {"id", "v"});
  auto par = make_table(101, "par", {"id", "v"});
  auto chd = make_table(102, "chd", {"id", "pid"});
  auto dfr = make_table(103, "dfr", {"id"});
  dfr->deferrable = true;
  auto nokey = make_table(104, "nokey", {"a"});
  nokey->key.clear();
  auto aside = make_table(105, "aside", {"id"});
  aside->in_scope = false;
  par->referenced_by.push_back({102, {"pid"}, {"id"}, sql::fk_action::cascade, sql::fk_action::none});
  chd->parents = {101};
  for (const auto& x : {t, par, chd, dfr, nokey, aside}) {
    c->by_oid[x->id] = x;
    c->by_name[x->qualified] = x->id;
  }
  c->writing_functions = {"audit"};
  auto w = std::make_shared<session::world>();
  w->routing = {epoch, p, false, false};
  w->primary = c;
  w->secondary = c;
  return w;
}

session::world_ptr mirrored_world() { return world_in(control::phase::dual_write); }

stage::stage(session::world_ptr w, std::size_t piece)
    : session_(analyzer_, std::move(w),
               {{{"client_encoding", "UTF8"}, {"standard_conforming_strings", "on"}, {"server_version", "15.6"}}, 1, 2}),
      piece_(piece) {
  for (auto [name, oid] : {std::pair{"t", "100"}, {"par", "101"}, {"chd", "102"}, {"dfr", "103"}, {"nokey", "104"}, {"x", "0"}}) {
    std::string quoted = sql::relation_name{"", name, name}.quoted();
    primary.when("VALUES (" + sql::quote_literal(quoted), {{}, {{quoted, oid, "f", "t"}}, "SELECT 1", ""});
  }
  primary.when("pg_settings", {{"what", "name", "value"}, {carried("encoding", "", "UTF8")}, "SELECT 1", ""});
}

std::vector<std::string> carried(std::string what, std::string_view name, std::string_view value) {
  auto hex = [](std::string_view bytes) { return session::bytea_literal(bytes).substr(2); };
  return {std::move(what), hex(name), hex(value)};
}

void stage::carries(std::vector<std::vector<std::string>> rows) {
  rows.insert(rows.begin(), carried("encoding", "", "UTF8"));
  primary.for_now("pg_settings", {{"what", "name", "value"}, std::move(rows), "SELECT", ""});
}

void stage::query(std::string_view sql) {
  std::string m;
  protocol::write_query(m, sql);
  send(m);
}

void stage::send(std::string_view bytes) {
  std::size_t step = piece_ ? piece_ : bytes.size();
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    if (!session_.out().reads_client) throw std::logic_error("the session would not read what it needs");
    session_.client_data(bytes.substr(i, step));
    pump();
  }
}

// Performs outboxes until nothing is left to do.
void stage::pump() {
  for (int turn = 0; turn < 10000; ++turn) {
    session::outbox& o = session_.out();
    bool idle = o.to_primary.empty() && o.to_client.empty() && !o.submit && from_primary_.empty();
    if (o.deadline_ms) deadline_armed = true;
    if (o.disarm) deadline_armed = false;
    o.deadline_ms.reset();
    o.disarm = false;
    closed |= o.close_client;
    if (idle) return;
    to_client_ += std::exchange(o.to_client, {});
    primary.receive(std::exchange(o.to_primary, {}), from_primary_);
    if (session::op_ptr op = std::exchange(o.submit, nullptr)) {
      submitted.push_back(op);
      if (answer_ops) session_.applied(op, {applies, applies == session::apply_result::refused ? "42501" : "", "told so"});
    }
    if (!from_primary_.empty()) {
      std::size_t step = std::min(piece_ ? piece_ : from_primary_.size(), from_primary_.size());
      std::string part = from_primary_.substr(0, step);
      from_primary_.erase(0, step);
      session_.primary_data(part);
    }
  }
  throw std::logic_error("the session does not come to rest");
}

std::string stage::take() {
  std::string text, rest = std::exchange(to_client_, {});
  std::string_view in = rest;
  while (!in.empty()) {
    protocol::frame f = protocol::scan(in);
    if (!f.complete()) return text + " (cut)";
    if (!text.empty()) text += ' ';
    text += f.type;
    if (f.type == 'C') text += ":" + std::string(*protocol::decode_command_complete(f.body));
    if (f.type == 'Z') text += ":" + std::string(1, *protocol::decode_ready_for_query(f.body));
    if (f.type == 'E') text += ":" + std::string(protocol::decode_error(f.body)->sqlstate());
    if (f.type == 'T') text += std::to_string(protocol::decode_row_description(f.body)->size());
    if (f.type == 'D') {
      auto row = protocol::decode_data_row(f.body);
      for (const auto& v : row.value()) text += "," + std::string(v.value_or("null"));
    }
    in.remove_prefix(f.size);
  }
  return text;
}

}  // namespace pgtandem::test
