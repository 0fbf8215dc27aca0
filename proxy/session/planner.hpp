// What is to be done with one statement while writes go to both databases: let it pass, capture its rows, refuse it, or first ask
// the primary what its names mean. Pure: analysis, catalog and the session's names in, a decision out.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/names.hpp"
#include "proxy/session/op.hpp"
#include "proxy/sql/analysis.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

// How a statement's rows are read from the answer.
struct capture {
  effect_kind kind = effect_kind::upsert;
  bool returning = false;                                   // the client asked for rows itself
  std::vector<std::shared_ptr<const sql::table>> tables;    // one; TRUNCATE: all it empties
  bool restart_identity = false;                            // TRUNCATE
};

enum class course : std::uint8_t { pass, capture, refuse, resolve, unknown_table };

struct decision {
  course what = course::pass;
  capture rows;                       // course::capture
  std::string why;                    // course::refuse: the construct; unknown_table: the name
  std::vector<std::string> ask;       // course::resolve: names to be resolved
  bool passing = false;               // it rests on names that are forgotten at a ReadyForQuery (names::forget_passing)
};

decision decide(const sql::statement& s, const sql::catalog& catalog, const names& known);

inline constexpr std::string_view read_only_behind_writes = "a transaction that is set READ ONLY behind its writes";

// For passthrough: what dual_write would refuse, as far as the grammar and the catalog tell without asking anybody; empty if
// nothing. A name without schema is taken for one of schema public. `catalog` may be null.
std::string census_construct(const sql::statement& s, const sql::catalog* catalog);

}  // namespace pgtandem::session
