#include "tests/unit/session/fake_primary.hpp"

#include "protocol/backend_messages.hpp"
#include "protocol/error_response.hpp"
#include "protocol/frontend_messages.hpp"
#include "protocol/message.hpp"

namespace pgtandem::test {
namespace {

bool starts(std::string_view text, std::string_view with) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  return text.substr(0, with.size()) == with;
}

// Statements without a comment in front.
std::vector<std::string> split(std::string_view sql) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= sql.size(); ++i)
    if (i == sql.size() || sql[i] == ';') {
      std::string part(sql.substr(from, i - from));
      if (starts(part, "/*") && part.find("*/") != std::string::npos) part.erase(0, part.find("*/") + 2);
      while (!part.empty() && part.back() == '\n') part.pop_back();
      if (part.find_first_not_of(" \n") != std::string::npos) parts.push_back(part);
      from = i + 1;
    }
  return parts;
}

}  // namespace

void fake_primary::receive(std::string_view bytes, std::string& out) {
  in_.append(bytes);
  for (;;) {
    protocol::frame f = protocol::scan(in_);
    if (!f.complete()) return;
    if (mute_after == 0) return;   // it hears and says nothing any more
    if (mute_after > 0) --mute_after;
    const bool of_query = f.type == 'Q' || copying_ == "Q";
    message(f.type, f.body);
    if (of_query || f.type == 'S' || f.type == 'H' || !copying_.empty()) {
      out += pending_;
      pending_.clear();
    }
    in_.erase(0, f.size);
  }
}

const reply_rows* fake_primary::lookup(const std::string& sql) const {
  for (const auto* list : {&passing_, &answers_})
    for (const auto& [key, r] : *list)
      if (sql.find(key) != std::string::npos) return &r;
  return nullptr;
}

void fake_primary::fail(const std::string& sqlstate, std::string_view words) {
  protocol::write_error(pending_, {"ERROR", sqlstate, words});
  if (status == 'T') status = 'E';
  implicit_ = false;
}

void fake_primary::warn(const std::string& sqlstate) {
  protocol::write_notice(pending_, {"WARNING", sqlstate, "said by the fake primary"});
}

// One statement; false if it failed.
bool fake_primary::run(const std::string& sql, bool describe_rows, bool implicit) {
  if (status == 'E' && !starts(sql, "ROLLBACK") && !starts(sql, "COMMIT")) {
    fail("25P02");
    return false;
  }
  if (starts(sql, "SELECT pgtandem.refused")) {
    fail("42883");
    return false;
  }
  if (sql.find("pgtandem.epoch_") != std::string::npos) {
    if (epoch_gone_) {
      fail("42P01");
      return false;
    }
    if (replica_role_) {
      fail("22P02");
      return false;
    }
    std::vector<std::optional<std::string_view>> row{"777", "b00f7000-0000-4000-8000-000000000000", "f"};
    protocol::write_data_row(pending_, row);
    protocol::write_command_complete(pending_, "SELECT 1");
    heard.push_back("(fence)");
    return true;
  }
  if (starts(sql, "BEGIN")) {
    heard.push_back(sql);
    if (status == 'T') warn("25001");
    status = 'T';
    protocol::write_command_complete(pending_, "BEGIN");
    return true;
  }
  if (starts(sql, "COMMIT") || (starts(sql, "ROLLBACK") && !starts(sql, "ROLLBACK TO"))) {
    heard.push_back(sql);
    if (status == 'I' && sql.find("AND CHAIN") != std::string::npos) {
      fail("25P01");
      return false;
    }
    if (status == 'I') warn("25P01");
    bool failed = status == 'E' || starts(sql, "ROLLBACK"), open = status == 'T';
    status = 'I';
    implicit_ = false;
    if (open && !failed && !commit_error_.empty()) {
      fail(std::exchange(commit_error_, {}));
      return false;
    }
    protocol::write_command_complete(pending_, failed ? "ROLLBACK" : "COMMIT");
    return true;
  }
  if (status == 'I' && (starts(sql, "SAVEPOINT") || starts(sql, "RELEASE") || starts(sql, "ROLLBACK TO"))) {
    fail("25P01");
    return false;
  }
  if (starts(sql, "ROLLBACK TO")) {
    heard.push_back(sql);
    status = 'T';
    protocol::write_command_complete(pending_, "ROLLBACK");
    return true;
  }
  if (sql.find("session_replication_role = ") != std::string::npos) replica_role_ = sql.ends_with("replica");
  if (implicit) implicit_ = true;
  const reply_rows* r = lookup(sql);
  if (r && !r->error.empty()) {
    fail(r->error);
    return false;
  }
  heard.push_back(sql);
  if (starts(sql, "COPY") && sql.find("FROM STDIN") != std::string::npos) {
    static constexpr std::string_view copy_in_response{"G\0\0\0\7\0\0\0", 8};   // text, no columns told
    pending_.append(copy_in_response);
    copying_ = "?";
    return true;
  }
  if (r && r->parameter.size() == 2) reported_ = r->parameter;
  if (!r) {
    std::size_t end = sql.find_first_of(" \n", sql.find_first_not_of(" \n"));
    protocol::write_command_complete(pending_, sql.substr(sql.find_first_not_of(" \n"), end - sql.find_first_not_of(" \n")));
    return true;
  }
  if (describe_rows && !r->columns.empty()) {
    std::vector<protocol::field_description> fields;
    for (const std::string& c : r->columns) fields.push_back({.name = c});
    protocol::write_row_description(pending_, fields);
  }
  for (const auto& row : r->rows) {
    std::vector<std::optional<std::string_view>> values(row.begin(), row.end());
    protocol::write_data_row(pending_, values);
  }
  protocol::write_command_complete(pending_, r->tag);
  return true;
}

// A portal with rows has none left; another cannot be run (portalmem.c, MarkPortalActive).
void fake_primary::again(const std::string& portal, const std::string& sql) {
  const reply_rows* r = lookup(sql);
  if (r && !r->columns.empty()) {
    protocol::write_command_complete(pending_, sql.substr(0, sql.find(' ')) + " 0");
    return;
  }
  fail("55000", "portal \"" + portal + "\" cannot be run");
  skipping_ = true;
}

void fake_primary::query(std::string_view sql) {
  auto parts = split(sql);
  if (parts.empty()) protocol::write_empty_query_response(pending_);
  statements(std::move(parts));
}

// Those of a Query, up to a COPY … FROM STDIN, which waits for its data.
void fake_primary::statements(std::vector<std::string> parts) {
  while (!parts.empty()) {
    const bool good = run(parts.front(), true, false);
    parts.erase(parts.begin());
    if (good && copying_ == "?") {
      copying_ = "Q";
      behind_copy_ = std::move(parts);
      return;
    }
    if (!good) break;
  }
  if (!reported_.empty()) protocol::write_parameter_status(pending_, reported_[0], reported_[1]);
  reported_.clear();
  protocol::write_ready_for_query(pending_, status);
}

// While COPY … FROM STDIN takes its data (copyfromparse.c, CopyGetData).
void fake_primary::copy(char type) {
  if (type == 'd') ++copied;
  if (type == 'd' || type == 'H' || type == 'S') return;
  const std::string by = std::exchange(copying_, {});
  if (type == 'c') protocol::write_command_complete(pending_, "COPY 1");
  else fail(type == 'f' ? "57014" : "08P01");
  if (by == "E") {
    skipping_ = type != 'c';
    return;
  }
  if (type != 'c') behind_copy_.clear();
  statements(std::exchange(behind_copy_, {}));
}

void fake_primary::message(char type, std::string_view body) {
  if (!copying_.empty()) return copy(type);
  if (skipping_ && type != 'S') return;
  switch (type) {
    case 'Q': query(*protocol::decode_query(body)); return;
    case 'P': {
      auto m = protocol::decode_parse(body);
      if (status == 'E' && !starts(m->sql, "ROLLBACK") && !starts(m->sql, "COMMIT")) break;
      if (m->sql.find("pgtandem.refused") != std::string_view::npos) {
        fail("42883");
        skipping_ = true;
        return;
      }
      if (m->sql.find("pgtandem.epoch_") != std::string_view::npos && epoch_gone_) {
        fail("42P01");
        skipping_ = true;
        return;
      }
      statements_[std::string(m->name)] = m->sql;
      protocol::write_parse_complete(pending_);
      return;
    }
    case 'B': {
      auto m = protocol::decode_bind(body);
      auto s = statements_.find(std::string(m->statement));
      if (s == statements_.end()) {
        fail("26000");
        skipping_ = true;
        return;
      }
      portals_[std::string(m->portal)] = s->second;
      bound[s->second] = m->parameter_part;
      run_.erase(std::string(m->portal));
      protocol::write_bind_complete(pending_);
      return;
    }
    case 'D': {
      auto m = protocol::decode_describe(body);
      const auto& map = m->kind == protocol::describe_kind::portal ? portals_ : statements_;
      const reply_rows* r = lookup(map.at(std::string(m->name)));
      if (m->kind == protocol::describe_kind::statement) protocol::write_parameter_description(pending_, {});
      if (!r || r->columns.empty()) {
        protocol::write_no_data(pending_);
        return;
      }
      std::vector<protocol::field_description> fields;
      for (const std::string& c : r->columns) fields.push_back({.name = c});
      protocol::write_row_description(pending_, fields);
      return;
    }
    case 'E': {
      auto m = protocol::decode_execute(body);
      auto p = portals_.find(std::string(m->portal));
      if (p == portals_.end()) {
        fail("34000");
        skipping_ = true;
        return;
      }
      if (once_per_portal && status != 'E' && !run_.insert(p->first).second) {
        again(p->first, p->second);
      } else if (!run(p->second, false, status == 'I')) {
        run_.erase(p->first);
        skipping_ = true;
      }
      if (copying_ == "?") copying_ = "E";
      return;
    }
    case 'C':
      if (body.size() > 2) (body.front() == 'S' ? statements_ : portals_).erase(std::string(body.substr(1, body.size() - 2)));
      protocol::write_close_complete(pending_);
      return;
    case 'H': return;
    case 'S':
      skipping_ = false;
      if (implicit_ && status == 'I') {
        implicit_ = false;
        if (!commit_error_.empty()) fail(std::exchange(commit_error_, {}));
        else heard.push_back("(commit)");
      }
      protocol::write_ready_for_query(pending_, status);
      return;
    default: return;
  }
  fail("25P02");
  skipping_ = true;
}

}  // namespace pgtandem::test
