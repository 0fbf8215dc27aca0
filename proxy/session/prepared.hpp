// A statement that the client has prepared through the extended protocol, and in which form the primary holds it.
//
// The client's text is kept: a change of phase, of the catalog or of the primary prepares it again, in the form then needed, before
// its next use and under the same name. What a portal was bound to stays as it was: a statement that portals still use is copied
// before it changes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/session/planner.hpp"
#include "proxy/sql/analysis.hpp"
#include "proxy/sql/rewrite.hpp"

namespace pgtandem::session {

struct prepared {
  std::string name, sql;
  std::vector<std::uint32_t> types;
  std::uint64_t serial = 0;                            // counts the session's Parses
  bool unknown = false;                                // the primary may have one of that name, the session has not: nothing else is set
  sql::analysis_ptr text;
  bool standard_strings = true;                        // how the text was read,
  std::string encoding;                                // and in which client_encoding

  // the form the primary holds
  std::uint32_t connection = 0;                        // which server connection holds it, 0 = none
  std::uint64_t parsed_names = 0;                      // names_version when it was given to it
  bool with_image = false;
  sql::capture_options how;                            // that image's form
  std::shared_ptr<const sql::table> table;             // whose image
  std::int64_t ddl_version = 0;
  sql::rewritten_text rewritten;                       // maps error positions back
  std::shared_ptr<const prepared> twin;                // EXECUTE: of what

  // the last decision, good for the same world and the same names
  decision what;
  const void* decided_for = nullptr;
  std::uint64_t decided_names = 0, decided_passing = 0;

  const sql::statement* statement() const { return text && text->statements.size() == 1 ? &text->statements[0] : nullptr; }
  bool captures() const { return what.what == course::capture; }
};
using prepared_ptr = std::shared_ptr<prepared>;
using prepared_map = std::unordered_map<std::string, prepared_ptr>;

}  // namespace pgtandem::session
