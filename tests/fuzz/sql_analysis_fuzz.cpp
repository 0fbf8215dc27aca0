// Any text: analysis never fails, the statements it finds lie in the text, in order; and an analysis that the cache has from
// a text of the same shape is the analysis of the text itself.
#include <string>

#include "proxy/sql/analysis.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;

namespace {

// Another text of the same shape.
std::string with_other_values(const sql::shape& s, std::string_view text) {
  std::string other;
  sql::shape_map map(s.cuts);
  std::size_t cut = 0;
  for (std::size_t i = 0; i < s.text.size(); ++i) {
    if (cut == s.cuts.size() || s.cuts[cut].at != i) {
      other += text[map.in_text(i)];
      continue;
    }
    ++cut;
    switch (s.text[i]) {
      case sql::mark_integer: other += cut % 2 ? "1" : "2147483647"; break;
      case sql::mark_number: other += "1.25"; break;
      case sql::mark_string: other += cut % 2 ? "'it''s; -- /* \\'" : "''"; break;
      case sql::mark_escape_string: other += "e'\\';--'"; break;
      default: other += "/* ' ; */"; break;
    }
  }
  return other;
}

void same(const sql::statement& a, const sql::statement& b) {
  fuzz::promise(a.kind == b.kind && a.construct == b.construct && a.relation == b.relation && a.relations == b.relations);
  fuzz::promise(a.only == b.only && a.cascade == b.cascade && a.restart_identity == b.restart_identity && a.returning == b.returning);
  fuzz::promise(a.set_columns == b.set_columns && a.functions == b.functions && a.read_relations == b.read_relations && a.name == b.name);
  fuzz::promise(a.chain == b.chain && a.locks_rows == b.locks_rows && a.changes_settings == b.changes_settings);
  fuzz::promise(a.changes_role == b.changes_role && a.holds_session == b.holds_session && a.has_parameters == b.has_parameters);
  fuzz::promise(!a.inner == !b.inner);
  if (a.inner) same(*a.inner, *b.inner);
}

// What PostgreSQL refuses for its values (float(99)) it refuses whatever is thought of it.
void same(const sql::analysis& kept, const sql::analysis& fresh) {
  if (fresh.parse_error || fresh.too_deep) return;
  fuzz::promise(kept.ranges == fresh.ranges && kept.statements.size() == fresh.statements.size());
  fuzz::promise(kept.idempotency_key == fresh.idempotency_key);
  for (std::size_t i = 0; i < kept.statements.size(); ++i) same(kept.statements[i], fresh.statements[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text(data, size);
  const sql::analysis_ptr a = sql::analyze(text);
  fuzz::promise(a != nullptr && a->ranges.size() == a->statements.size());
  std::size_t at = 0;
  for (const sql::text_range& r : a->ranges) {
    fuzz::promise(r.begin >= at && r.begin <= r.end && r.end <= text.size());
    at = r.end;
  }
  static sql::analyzer cache;   // of all inputs: two that share a key by mistake meet here
  same(*cache(text), *a);
  sql::shape s;
  if (!sql::find_shape(text, s)) return 0;
  const std::string other = with_other_values(s, text);
  sql::shape again;
  fuzz::promise(sql::find_shape(other, again) && again.text == s.text);
  same(*cache(other), *sql::analyze(other));
  return 0;
}
