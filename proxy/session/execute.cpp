#include "proxy/session/execute.hpp"

#include <algorithm>

#include "proxy/sql/prepare_text.hpp"

namespace pgtandem::session {
namespace {

using kind = sql::statement_kind;

executable refused(std::string why) { return {nullptr, std::move(why)}; }

// What PREPARE prepares, at the place where it stands in the string: the positions in the primary's errors count from there.
std::string alone(std::string_view text, sql::text_range range) {
  auto begin = sql::prepared_begin(text.substr(range.begin, range.size()));
  if (!begin) return {};
  auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  std::string_view before = text.substr(0, range.begin + *begin);
  std::string out(static_cast<std::size_t>(std::count_if(before.begin(), before.end(), starts)), ' ');
  return out.append(text.substr(before.size(), range.end - before.size()));
}

bool same(const sql::statement& a, const sql::statement& b) {
  return a.kind == b.kind && a.construct == b.construct && a.relation == b.relation && a.returning == b.returning && a.set_columns == b.set_columns &&
         a.functions == b.functions;
}

bool may_run(kind k) { return k == kind::read || k == kind::insert || k == kind::update || k == kind::delete_; }

}  // namespace

std::optional<std::size_t> find_prepare(const sql::analysis& a, std::string_view name) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < a.statements.size(); ++i) {
    const sql::statement& s = a.statements[i];
    if (s.kind != kind::prepare || s.name != name || !s.inner) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

executable make_executable(const std::string& name, const recalled& row, const sql::analysis& a, bool standard_strings) {
  std::size_t at = 0;
  const sql::statement* s = nullptr;
  if (row.by_sql) {
    if (auto found = find_prepare(a, name)) s = a.statements[at = *found].inner.get();
  } else if (a.statements.empty() && !a.parse_error && !a.too_deep) {
    return {};
  } else if (a.statements.size() == 1) {
    s = &a.statements[0];
  }
  if (!s) return refused("EXECUTE of a statement whose text is not known");
  if (!may_run(s->kind)) return refused("EXECUTE of a prepared " + s->construct);
  auto p = std::make_shared<prepared>();
  p->name = name + std::string(twin_suffix);
  p->sql = row.by_sql ? alone(row.text, a.ranges[at]) : row.text;
  p->types = row.types;
  p->text = sql::analyze(p->sql, standard_strings);
  p->standard_strings = standard_strings;
  if (!p->statement() || !same(*p->statement(), *s)) return refused("EXECUTE of a statement whose text is not known");
  if (s->kind == kind::read) return {std::move(p), {}};
  static constexpr std::size_t name_max = 63;   // bytes of a name (NAMEDATALEN)
  if (p->name.size() > name_max) return refused("EXECUTE of a prepared write with a name that long");
  if (row.twin_taken) return refused("EXECUTE of a prepared write beside a statement named " + p->name);
  return {std::move(p), {}};
}

void executables::forget(const std::string& name, std::uint32_t connection) {
  std::string base = name;
  if (base.ends_with(twin_suffix) && !known.count(base)) base.resize(base.size() - twin_suffix.size());   // the twin itself
  auto i = known.find(base);
  if (i == known.end()) return;
  if (i->second.twin && i->second.twin->connection == connection) unused.insert(i->second.twin->name);
  known.erase(i);
}

void executables::forget_all(std::uint32_t connection) {
  for (const auto& [name, e] : known)
    if (e.twin && e.twin->connection == connection) unused.insert(e.twin->name);
  known.clear();
}

void executables::gone() {
  known.clear();
  unused.clear();
}

}  // namespace pgtandem::session
