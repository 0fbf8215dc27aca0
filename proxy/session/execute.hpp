// EXECUTE of prepared statements while writes are mirrored: what stands behind each name, as the primary itself says.
//
// A statement that writes gets a twin on the primary: the client's text with the row image, under the client's name with a suffix.
// EXECUTE runs the twin in its place; the client's own statement is never touched, so PREPARE, DEALLOCATE, a move to another primary
// and the end of mirroring need nothing. What the primary does not show exactly is refused.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/prepared.hpp"
#include "proxy/session/world.hpp"

namespace pgtandem::session {

inline constexpr std::string_view twin_suffix = "_pgtandem";

// $1 name, $2 the name of its twin. A row, or none: the text it was prepared by (of SQL: the whole string), whether by SQL, the types
// of its parameters, whether the client has a statement under the twin's name.
inline constexpr std::string_view recall_query =
    "SELECT s.statement, s.from_sql, pg_catalog.array_to_string(s.parameter_types::pg_catalog.oid[], ' '), EXISTS(SELECT FROM "
    "pg_catalog.pg_prepared_statements AS o WHERE o.name = $2::pg_catalog.text AND o.from_sql) FROM pg_catalog.pg_prepared_statements "
    "AS s WHERE s.name = $1::pg_catalog.text";

struct executable {
  prepared_ptr twin;   // null: there is nothing of that name, or nothing in it
  std::string why;     // not empty: refused
};

// What a name stands for, by the primary's row and, of a statement prepared by the protocol, our own notes of it (else null).
struct recalled {
  std::string text;
  bool by_sql = false, twin_taken = false;
  std::vector<std::uint32_t> types;
};
// The one PREPARE of this name in a string (PostgreSQL keeps the whole string that it came in); none or several: nothing.
std::optional<std::size_t> find_prepare(const sql::analysis& a, std::string_view name);

executable make_executable(const std::string& name, const recalled& row, const sql::analysis& a, bool standard_strings);

struct executables {
  world_ptr found_in;                       // the answers hold while this is the world: outside of it anything may have run
  std::map<std::string, executable> known;  // at most limits::prepared_max
  std::string wanted;                       // the name that has to be looked up
  std::set<std::string> unused;             // twins that the primary still has

  void forget(const std::string& name, std::uint32_t connection);
  void forget_all(std::uint32_t connection);
  void gone();                              // with DEALLOCATE ALL, DISCARD ALL, another primary
};

}  // namespace pgtandem::session
