#include "proxy/session/foreign_names.hpp"

#include <algorithm>

namespace pgtandem::session {
namespace {

using kind = sql::statement_kind;

template <class Names>
bool any_beyond(const Names& names) {
  return std::any_of(names.begin(), names.end(), beyond_ascii);
}

// A column whose assignment would be refused by its name.
bool guarded_beyond(const sql::table& t) {
  auto key = [&](std::uint16_t k) { return beyond_ascii(t.columns[k].name); };
  auto followed = [](const sql::reference& r) { return r.on_update != sql::fk_action::none && any_beyond(r.parent_columns); };
  return std::any_of(t.key.begin(), t.key.end(), key) || std::any_of(t.referenced_by.begin(), t.referenced_by.end(), followed);
}

}  // namespace

bool beyond_ascii(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::string unread_name(const sql::statement& s, const sql::catalog& c, const decision& d) {
  static constexpr std::string_view where = ", whose name is beyond ASCII and not in UTF8";
  const bool savepoint = s.kind == kind::savepoint || s.kind == kind::release || s.kind == kind::rollback_to;
  if (savepoint && beyond_ascii(s.name)) return s.construct + " of a savepoint" + std::string(where);
  if (any_beyond(s.functions) && any_beyond(c.writing_functions)) return "a function" + std::string(where) + ", and which may write";
  if (any_beyond(s.read_relations) && any_beyond(c.writing_views)) return "a view" + std::string(where) + ", and which may write";
  if (d.what == course::capture && any_beyond(s.set_columns) && guarded_beyond(*d.rows.tables.front()))
    return "an assignment to a column of " + d.rows.tables.front()->qualified + std::string(where);
  return {};
}

}  // namespace pgtandem::session
