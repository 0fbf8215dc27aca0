#include "proxy/control/structure_match.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "proxy/control/table_match.hpp"

namespace pgtandem::control {
namespace {

using enum verdict;

// A missing constraint lets in what the other side then refuses; one too many refuses what clients were allowed to write.
constexpr std::array table{
    //             kind                             missing       extra         other         same   told  by_text
    structure_rule{"foreign key",                     closes_flips, closes_flips, closes_flips, fine,  true, false},
    structure_rule{"unique index",                    closes_flips, closes_flips, closes_flips, fine,  true, false},
    structure_rule{"unique index with an expression", closes_flips, closes_flips, closes_flips, fine,  true, true},
    structure_rule{"exclusion constraint",            closes_flips, closes_flips, closes_flips, fine,  true, true},
    structure_rule{"check",                           closes_flips, closes_flips, closes_flips, fine,  true, true},
    structure_rule{"NOT NULL",                        closes_flips, closes_flips, closes_flips, fine,  true, false},
    structure_rule{"default",                         closes_flips, closes_flips, closes_flips, fine,  true, true},
    structure_rule{"GENERATED ALWAYS AS IDENTITY",    closes_flips, closes_flips, closes_flips, fine,  true, false},
    // Whether a column is generated at all is tables_match's; another expression stores other values from the first op on.
    structure_rule{"generated column",                fine,         fine,         closes_all,   fine,  true, true},
    structure_rule{"enum",                            warns,        fine,         closes_flips, fine,  true, false},
    structure_rule{"domain",                          warns,        fine,         closes_flips, fine,  true, true},
    // Those that are missing are sequences_ahead's.
    structure_rule{"sequence",                        fine,         fine,         closes_flips, fine,  true, false},
    structure_rule{"trigger",                         warns,        warns,        warns,        fine,  true, true},
    // In a server of several applications many roles may connect that never do; a session that is not let in stops the flip by itself.
    structure_rule{"login",                           warns,        fine,         warns,        fine,  true, false},
    // Sessions take them anew at their next primary: another search_path or isolation would change what statements mean.
    structure_rule{"setting",                         closes_flips, closes_flips, closes_flips, fine,  false, false},
    structure_rule{"UNLOGGED (a crash empties it)",   warns,        closes_flips, warns,        warns, true, false},
};

using key = std::pair<std::string, std::string>;   // relation, name
using by_key = std::map<key, std::string>;

by_key facts_of(const database::structure& s, std::string_view kind) {
  by_key out;
  for (const database::fact& f : s.facts)
    if (f.kind == kind) out.emplace(key{f.relation, f.name}, f.definition);
  return out;
}

// The tables, and the roles that may log in.
std::set<std::string> bearers_of(const database::structure& s) {
  std::set<std::string> out;
  for (const database::fact& f : s.facts)
    if (f.kind == "table" || f.kind == "login") out.insert(f.relation);
  return out;
}

class comparison {
 public:
  comparison(const database::structure& p, const database::structure& s)
      : primary_(p), secondary_(s), at_primary_(bearers_of(p)), at_secondary_(bearers_of(s)) {}

  std::vector<structure_finding> all() {
    for (const structure_rule& r : table) apply(r);
    return std::move(found_);
  }

 private:
  // A table that one side lacks is named by tables_match, a role by rule "login"; what belongs to it is not listed again.
  bool lone(const structure_rule& r, const std::string& relation) const {
    return r.kind != "login" && at_primary_.contains(relation) != at_secondary_.contains(relation);
  }

  void note(const structure_rule& r, verdict v, const key& k, const std::string& how) {
    if (v == fine) return;
    if (r.by_text && primary_.version != secondary_.version) v = warns;
    found_.push_back({v, k.first + ": " + std::string(r.kind) + (k.second.empty() ? "" : " " + k.second) + how});
  }

  void apply(const structure_rule& r) {
    const by_key p = facts_of(primary_, r.kind), s = facts_of(secondary_, r.kind);
    for (const auto& [k, definition] : p) {
      if (lone(r, k.first)) continue;
      const auto there = s.find(k);
      if (there == s.end()) note(r, r.missing, k, " is missing on the secondary");
      else if (there->second != definition && !r.told) note(r, r.other, k, " is another on the secondary");
      else if (there->second != definition) note(r, r.other, k, " is \"" + there->second + "\" on the secondary instead of \"" + definition + "\"");
      else note(r, r.same, k, "");
    }
    for (const auto& [k, definition] : s)
      if (!lone(r, k.first) && !p.contains(k)) note(r, r.extra, k, " is on the secondary only");
  }

  const database::structure &primary_, &secondary_;
  const std::set<std::string> at_primary_, at_secondary_;
  std::vector<structure_finding> found_;
};

}  // namespace

std::span<const structure_rule> structure_rules() { return table; }

std::vector<structure_finding> compare_structure(const database::structure& primary, const database::structure& secondary) {
  return comparison(primary, secondary).all();
}

std::vector<std::string> texts_of(const std::vector<structure_finding>& all, verdict at_least) {
  std::vector<std::string> out;
  for (const structure_finding& f : all)
    if (f.what >= at_least) out.push_back(f.text);
  if (out.size() > table_report::differences_max) {
    const std::size_t more = out.size() - table_report::differences_max;
    out.resize(table_report::differences_max);
    out.push_back("and " + std::to_string(more) + " more");
  }
  return out;
}

}  // namespace pgtandem::control
