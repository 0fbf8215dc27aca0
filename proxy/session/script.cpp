#include "proxy/session/script.hpp"

#include <algorithm>

namespace pgtandem::session {

using kind = sql::statement_kind;

bool writes_rows(kind k) {
  switch (k) {
    case kind::insert:
    case kind::update:
    case kind::delete_:
    case kind::truncate:
    case kind::copy_from:
    case kind::uncaptured: return true;
    default: return false;
  }
}

// SET TRANSACTION among them: nothing of the proxy's may take a snapshot before it.
bool changes_meanings(const sql::statement& s) {
  if (s.changes_settings || s.changes_role) return true;
  switch (s.kind) {
    case kind::set:
    case kind::create_temp:
    case kind::discard:
    case kind::prepare:
    case kind::execute:   // of a set_config()
    case kind::deallocate:
    case kind::uncaptured: return true;
    default: return false;
  }
}

bool is_control(kind k) { return k == kind::begin || k == kind::commit || k == kind::rollback || k == kind::rollback_to; }

bool needs_block(const sql::statement& s) {
  switch (s.kind) {
    case kind::savepoint:
    case kind::release:
    case kind::rollback_to: return true;
    case kind::commit:
    case kind::rollback: return s.chain;
    default: return false;
  }
}

std::string lower_case(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool changes_warnings(const sql::statement& s) {
  if (!s.changes_settings) return false;
  std::string name = lower_case(s.name);
  return name.empty() || name == "client_min_messages" || name == "lc_messages";
}

bool changes_texts(const sql::statement& s) {
  if (!s.changes_settings) return false;
  std::string name = lower_case(s.name);
  return name.empty() || name == "all" || name == "client_encoding" || name == "standard_conforming_strings";
}

bool ambiguous(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '\\' || static_cast<unsigned char>(c) >= 0x80; });
}

std::size_t known_ahead(const sql::analysis& a, bool open) {
  bool changed = false;
  for (std::size_t i = 0; i < a.statements.size(); ++i) {
    const sql::statement& s = a.statements[i];
    if (changed && (writes_rows(s.kind) || s.kind == kind::execute)) return i;
    changed |= changes_meanings(s) || (open && is_control(s.kind));
  }
  return a.statements.size();
}

std::size_t part_end(const sql::analysis& a, std::size_t from, bool implicit) {
  bool changed = false;
  for (std::size_t i = from; i < a.statements.size(); ++i) {
    const sql::statement& s = a.statements[i];
    if (is_control(s.kind) || (implicit && needs_block(s))) return i == from ? i + 1 : i;
    if (changed && (writes_rows(s.kind) || s.kind == kind::execute)) return i;
    changed |= changes_meanings(s);
  }
  return a.statements.size();
}

}  // namespace pgtandem::session
