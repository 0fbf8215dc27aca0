#include "proxy/sql/analysis.hpp"

#include <algorithm>

#include "proxy/sql/custom_settings.hpp"
#include "proxy/sql/raw_tree.h"
#include "proxy/sql/sql_comments.hpp"

namespace pgtandem::sql {
namespace {

static_assert(static_cast<int>(statement_kind::read) == raw_read);
static_assert(static_cast<int>(statement_kind::truncate) == raw_truncate);
static_assert(static_cast<int>(statement_kind::rollback_to) == raw_rollback_to);
static_assert(static_cast<int>(statement_kind::discard) == raw_discard);
static_assert(static_cast<int>(statement_kind::copy_from) == raw_copy_from);
static_assert(static_cast<int>(statement_kind::uncaptured) == raw_uncaptured);

// Owns a raw tree for as long as it is copied from.
class tree_guard {
 public:
  tree_guard(const std::string& sql, bool standard_strings)
      : tree_(raw_tree_parse(sql.c_str(), sql.size(), standard_strings)) {}
  ~tree_guard() { raw_tree_free(&tree_); }
  tree_guard(const tree_guard&) = delete;
  tree_guard& operator=(const tree_guard&) = delete;
  const raw_tree& operator*() const { return tree_; }

 private:
  raw_tree tree_;
};

std::string text(const char* s) { return s ? std::string(s) : std::string(); }

relation_name relation_of(const raw_fact& fact) {
  return {text(fact.schema), text(fact.name), text(fact.alias ? fact.alias : fact.name), fact.alias != nullptr};
}

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

void take_facts(const raw_statement& raw, statement& s) {
  for (std::size_t i = 0; i < raw.fact_count; ++i) {
    const raw_fact& fact = raw.facts[i];
    switch (fact.kind) {
      case raw_fact_function:
        s.functions.emplace_back(fact.name);
        break;
      case raw_fact_reads:
        s.read_relations.push_back(fact.schema ? text(fact.schema) + "." + fact.name : fact.name);
        break;
      case raw_fact_set_column:
        s.set_columns.emplace_back(fact.name);
        break;
      case raw_fact_relation:
        s.relations.push_back(relation_of(fact));
        break;
      case raw_fact_setting:
        s.settings.emplace_back(fact.name);
        break;
      case raw_fact_setting_parameter:
        s.setting_parameters.push_back(fact.number);
        break;
      case raw_fact_body:
        for (std::string& name : custom_settings_in(fact.name)) s.settings.push_back(std::move(name));
        break;
    }
  }
  sort_unique(s.functions);
  sort_unique(s.read_relations);
  sort_unique(s.settings);
}

void take_flags(unsigned flags, statement& s) {
  s.only = flags & raw_only;
  s.cascade = flags & raw_cascade;
  s.restart_identity = flags & raw_restart_identity;
  s.returning = flags & raw_returning;
  s.locks_rows = flags & raw_locks_rows;
  s.chain = flags & raw_chain;
  s.read_only = flags & raw_read_only;
  s.changes_settings = flags & raw_changes_settings;
  s.changes_role = flags & raw_changes_role;
  s.holds_session = flags & raw_holds_session;
  s.has_parameters = flags & raw_has_parameters;
  s.by_value = flags & raw_by_value;
  s.computed_setting = flags & raw_computed_setting;
}

statement statement_of(const raw_statement& raw) {
  statement s;
  s.kind = static_cast<statement_kind>(raw.kind);
  s.construct = raw.construct;
  if (raw.object) s.construct += std::string(" ") + raw.object;
  if (raw.relation.name) s.relation = relation_of(raw.relation);
  s.name = text(raw.name);
  s.arguments = raw.arguments;
  take_flags(raw.flags, s);
  take_facts(raw, s);
  if (raw.inner) s.inner = std::make_unique<statement>(statement_of(*raw.inner));
  return s;
}

void take_statements(const raw_tree& tree, analysis& a) {
  auto found = std::make_shared<std::vector<statement>>();
  found->reserve(tree.count);
  a.ranges.reserve(tree.count);
  for (std::size_t i = 0; i < tree.count; ++i) {
    const raw_statement& raw = tree.statements[i];
    found->push_back(statement_of(raw));
    a.ranges.push_back({raw.begin, raw.end});
  }
  a.statements = *found;
  a.found = std::move(found);
}

}  // namespace

analysis_ptr analyze(std::string_view sql, bool standard_strings) {
  auto result = std::make_shared<analysis>();
  std::string terminated(sql);
  if (terminated.find('\0') !=
      std::string::npos) {  // no client can send one inside a query: what follows it is unknown
    result->too_deep = true;
    return result;
  }
  tree_guard tree(terminated, standard_strings);
  result->parse_error = (*tree).outcome == raw_syntax_error;
  result->too_deep = (*tree).outcome == raw_unknown;
  if ((*tree).outcome == raw_parsed) take_statements(*tree, *result);
  result->idempotency_key = find_idempotency_key(sql, standard_strings);
  return result;
}

}  // namespace pgtandem::sql
