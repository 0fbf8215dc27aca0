// What two databases promise about their tables, compared: which difference would make rows differ or writes fail, and which may be
// meant so. One table, a row per kind of fact. Pure, over the facts of proxy/database/structure.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/database/structure.hpp"

namespace pgtandem::control {

// What a difference does. A target may be prepared while it follows (foreign keys and indexes after the backfill); at a flip it must be whole.
enum class verdict : std::uint8_t { fine, warns, closes_flips, closes_all };

struct structure_rule {
  std::string_view kind;
  verdict missing, extra, other, same;  // on the secondary: not there, only there, another definition, on both sides alike
  bool told;     // another definition is shown; not a setting's: custom ones hold secrets
  bool by_text;  // compared by an expression's text, which another version of PostgreSQL may write otherwise: then it only warns
};
std::span<const structure_rule> structure_rules();

struct structure_finding {
  verdict what;
  std::string text;
};

std::vector<structure_finding> compare_structure(const database::structure& primary, const database::structure& secondary);
// The texts of those that do `at_least` this; at most table_report::differences_max, and how many more there are.
std::vector<std::string> texts_of(const std::vector<structure_finding>& all, verdict at_least);

}  // namespace pgtandem::control
