// The keys and scopes an op names in the ledger and, if it is degraded, in pgtandem.dirty: one JSON text for both.
//
//   [["public.t",["1"],null], ["public.child",["1"],["pid"]], ["public.u",null,null]]
//
// An element is (relation, key or null = the whole table, scope columns or null). Scopes name the children that a cascade may have
// changed: the referenced values of a deleted or changed parent; what lies beyond a child cannot be named by value and is named as
// a whole table. More than `keys_max` elements: every table touched is named as a whole instead. Pure.
#pragma once
#include <cstddef>
#include <set>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/op.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

// `whole`: qualified names of tables named as a whole in any case.
std::string keys_json(const op& o, const sql::catalog& catalog, std::size_t keys_max, const std::set<std::string>& whole = {});

// The key of an image already taken apart (fields 0 and 1 are tableoid and ddl_version); false if a key column is not there.
bool key_of(const sql::table& t, const std::vector<std::optional<std::string>>& fields, std::vector<std::string>& key);

// Position in the image's fields of a column, by its index in table::columns; 0 = generated, not in the image.
std::size_t field_of(const sql::table& t, std::size_t column);

void append_json_string(std::string& out, std::string_view text);

// The same JSON in ASCII alone: characters beyond it as \uXXXX, so that it means the same in every client_encoding. What is not UTF-8 stays.
std::string ascii_json(std::string_view utf8);

}  // namespace pgtandem::session
