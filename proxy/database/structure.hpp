// What a database's tables promise beyond their columns, as plain facts: constraints, defaults, generated columns, types, sequences;
// and what its sessions are given (roles that may log in, ALTER DATABASE and ALTER ROLE … SET).
// Two databases are compared by them (proxy/control/structure_match). Read in one statement; names are written in full, and expressions
// as this server's version writes them.
#pragma once
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"

namespace pgtandem::database {

struct fact {
  std::string kind;        // a row of structure_match's table
  std::string relation;    // qualified: the table (a partition's root), the type or the sequence; "role x"; "database"
  std::string name;        // which one of them: a column, or what identifies a constraint whatever its name is
  std::string definition;  // what it is; empty if the name says it all
};

struct structure {
  std::vector<fact> facts;  // one of kind "table" per table, of kind "login" per role
  int version = 0;          // major version of the server
};

// Without what scope.exclude names, and without foreign keys that point there.
result<structure> read_structure(connection& c, const std::vector<std::string>& exclude);

}  // namespace pgtandem::database
