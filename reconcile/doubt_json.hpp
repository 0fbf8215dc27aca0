// The JSON in which the ledger and pgtandem.mark_dirty() name what an op touched:
// [["public.t",["1"],null],["public.child",["1"],["pid"]],["public.u",null,null]]  (relation, key or null, scope
// columns or null).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {

// One doubt: a key of a relation, rows of it by foreign-key value (scope not empty), or all of it (whole).
struct doubt {
  std::string relation;            // sql::table::qualified
  cells key;                       // values of the key columns, or of the scope's columns
  std::vector<std::string> scope;  // foreign-key columns, unquoted
  bool whole = false;
  bool operator==(const doubt&) const = default;
};

std::string to_json(const std::vector<doubt>& doubts);
std::string json_string(std::string_view text);

}  // namespace pgtandem::reconcile
