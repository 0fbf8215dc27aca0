// A Query string on its way: sent part by part, each planned when what precedes it has been answered.
//
// A string is one message to the client and one parse to PostgreSQL, and its statements outside of a block share an implicit
// transaction. The proxy opens and commits that as a block of its own, and cuts the string where an answer is needed first: at
// transaction control (a COMMIT can be held back), and behind statements that change what later ones mean.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/planner.hpp"
#include "proxy/sql/analysis.hpp"

namespace pgtandem::session {

struct script {
  sql::analysis_ptr text;              // of the whole string; null: no string is on its way
  std::string sql;
  std::size_t at = 0;                  // the next statement
  bool in_block = false;               // the client's block was open when it came
  bool opened = false;                 // inside a block of the proxy's, which is an implicit transaction to the client
  bool standard_strings = true;        // how the primary would have read the string
  std::string encoding;
  std::vector<decision> decisions;     // per statement; those below `decided` are made
  std::size_t decided = 0;
  bool asked_warnings = false;
  std::vector<std::string> warnings;   // what the primary says to a COMMIT and to a ROLLBACK without a block; empty: it is silent

  bool active() const { return text != nullptr; }
  bool done() const { return at >= text->statements.size(); }
  bool several() const { return text->statements.size() > 1; }
  const sql::statement& statement(std::size_t i) const { return text->statements[i]; }
  void clear() { *this = {}; }
};

// May names, roles or settings mean something else behind it?
bool changes_meanings(const sql::statement& s);
bool is_control(sql::statement_kind k);
// Statements that need a block of the client's own: in an implicit transaction PostgreSQL refuses them (25P01).
bool needs_block(const sql::statement& s);
// Changes in which words, or whether at all, the primary warns.
bool changes_warnings(const sql::statement& s);
// Changes how texts are read: client_encoding, standard_conforming_strings. And the texts that can be read in two ways.
bool changes_texts(const sql::statement& s);
bool ambiguous(std::string_view text);
std::string lower_case(std::string_view name);   // as PostgreSQL compares names of settings
// What must be known before it is sent: whether it writes.
bool writes_rows(sql::statement_kind k);

// The part that begins at `from`: one statement of control, or all before the next, and before a write whose meaning the part itself
// may change. `implicit`: what needs a block is a part of its own, too.
std::size_t part_end(const sql::analysis& a, std::size_t from, bool implicit);

// How many of its statements can be decided before any of it has run. `open`: the transaction that is open has changed meanings, which
// its end or a ROLLBACK TO may undo.
std::size_t known_ahead(const sql::analysis& a, bool open);

}  // namespace pgtandem::session
